-- Append committed changes to the hot history of conversations and move their heads, each only forward.
-- KEYS for each conversation: chat:{c}:messages:active (sorted set by changedSeq)  head:{c}  room:{c}:latest_message_id
-- ARGV 1 most entries  2 TTL in s   then for each conversation: first position, last position, the newest message created
--      here: its id ('' for none) and its seq, count of changes, and as many pairs: position, event
-- The set always holds every change above its lowest position: a gap throws away what was before it.
local most, ttl, at = tonumber(ARGV[1]), ARGV[2], 3
for k = 1, #KEYS, 3 do
  local active, head_key, latest_key = KEYS[k], KEYS[k + 1], KEYS[k + 2]
  local first, last, newest, newest_seq = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2], tonumber(ARGV[at + 3])
  local stop = at + 4 + 2 * tonumber(ARGV[at + 4])
  local top = redis.call('ZREVRANGE', active, 0, 0, 'WITHSCORES')
  if not top[2] or tonumber(top[2]) < last then
    if top[2] and tonumber(top[2]) ~= first - 1 then redis.call('DEL', active) end
    for i = at + 5, stop, 2 do redis.call('ZADD', active, ARGV[i], ARGV[i + 1]) end
    local extra = redis.call('ZCARD', active) - most
    if extra > 0 then redis.call('ZREMRANGEBYRANK', active, 0, extra - 1) end
    redis.call('EXPIRE', active, ttl)
  end
  local head = redis.call('GET', head_key)
  if not head or tonumber(head) < last then redis.call('SET', head_key, last, 'EX', ttl) end
  if newest ~= '' then
    local latest = redis.call('GET', latest_key)
    if not latest or tonumber(string.match(latest, ':(%d+)$') or 0) < newest_seq then
      redis.call('SET', latest_key, newest .. ':' .. newest_seq, 'EX', ttl)
    end
  end
  at = stop + 1
end
return 1
