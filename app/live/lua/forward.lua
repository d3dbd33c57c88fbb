-- Move a place (`messageId:seq`) forward, never back.   KEYS 1 the key   ARGV 1 message id  2 seq  3 TTL in s
local held = redis.call('GET', KEYS[1])
if not held or tonumber(string.match(held, ':(%d+)$') or -1) < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[1] .. ':' .. ARGV[2], 'EX', ARGV[3])
end
return 1
