-- Append committed changes to a conversation's hot history and move its head, each only forward.
-- KEYS 1 chat:{c}:messages:active (sorted set by changedSeq)  2 head:{c}  3 room:{c}:latest_message_id
-- ARGV 1 first position  2 last position  3 most entries  4 TTL in s  5 newest message created here: its id ('' for none)
--      6 its seq   then pairs: position, event
-- The set always holds every change above its lowest position: a gap throws away what was before it.
local first, last = tonumber(ARGV[1]), tonumber(ARGV[2])
local top = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if not top[2] or tonumber(top[2]) < last then
  if top[2] and tonumber(top[2]) ~= first - 1 then redis.call('DEL', KEYS[1]) end
  for i = 7, #ARGV, 2 do redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1]) end
  local extra = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[3])
  if extra > 0 then redis.call('ZREMRANGEBYRANK', KEYS[1], 0, extra - 1) end
  redis.call('EXPIRE', KEYS[1], ARGV[4])
end
local head = redis.call('GET', KEYS[2])
if not head or tonumber(head) < last then redis.call('SET', KEYS[2], last, 'EX', ARGV[4]) end
if ARGV[5] ~= '' then
  local latest = redis.call('GET', KEYS[3])
  if not latest or tonumber(string.match(latest, ':(%d+)$') or 0) < tonumber(ARGV[6]) then
    redis.call('SET', KEYS[3], ARGV[5] .. ':' .. ARGV[6], 'EX', ARGV[4])
  end
end
return 1
