-- Put ids into the filter of known ones.
-- KEYS 1 seen filter
-- ARGV 1 the bits of any number of ids, comma separated
local set = {}
for bit in string.gmatch(ARGV[1], '%d+') do
  set[#set + 1] = 'SET'; set[#set + 1] = 'u1'; set[#set + 1] = bit; set[#set + 1] = 1
  if #set >= 4000 then -- what Lua hands over at once has an end
    redis.call('BITFIELD', KEYS[1], unpack(set))
    set = {}
  end
end
if #set > 0 then redis.call('BITFIELD', KEYS[1], unpack(set)) end
