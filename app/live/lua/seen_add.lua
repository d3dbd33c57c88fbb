-- Put ids into the filter of known ones.
-- KEYS 1 seen filter
-- ARGV 1 the bits of any number of ids, comma separated
for bit in string.gmatch(ARGV[1], '%d+') do
  redis.call('SETBIT', KEYS[1], bit, 1)
end
