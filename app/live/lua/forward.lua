-- Move places (`messageId:seq`) forward, never back.   KEYS the places'   ARGV 1 TTL in s   then for each: message id, seq
for k, key in ipairs(KEYS) do
  local id, seq = ARGV[2 * k], ARGV[2 * k + 1]
  local held = redis.call('GET', key)
  if not held or tonumber(string.match(held, ':(%d+)$') or -1) < tonumber(seq) then
    redis.call('SET', key, id .. ':' .. seq, 'EX', ARGV[1])
  end
end
return 1
