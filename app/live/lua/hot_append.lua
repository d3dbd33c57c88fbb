-- Append committed changes to the hot history of conversations and move their heads, each only forward.
-- KEYS for each conversation: chat:{c}:messages:active (sorted set by changedSeq)  head:{c}  room:{c}:latest_message_id
-- ARGV 1 most entries  2 TTL in s  3 a mark: a negative number, of this call alone
--      then for each conversation: first position, last position, the newest message created here: its id ('' for none)
--      and its seq, count of changes, and as many pairs: position, event
-- Answer: for each conversation whose head is not known here, its number (from 0) and the mark that now stands for the head
-- The set always holds every change above its lowest position: a gap throws away what was before it. A head that is not
-- there was lost, perhaps with newer ones than these: it is found out (hot_found.lua), never taken from one who may be late.
local most, ttl, mark, at, unknown = tonumber(ARGV[1]), ARGV[2], ARGV[3], 4, {}
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
  local held = redis.call('GET', head_key)
  local head = tonumber(held or mark)
  if head < 0 then
    if not held then redis.call('SET', head_key, mark, 'EX', ttl) end
    unknown[#unknown + 1] = (k - 1) / 3
    unknown[#unknown + 1] = held or mark
  else
    if head < last then
      redis.call('SET', head_key, last, 'EX', ttl)
      head = last
    end
    if newest ~= '' then
      local latest = redis.call('GET', latest_key)
      local before = latest and tonumber(string.match(latest, ':(%d+)$') or 0) or head - 1
      if before < newest_seq then redis.call('SET', latest_key, newest .. ':' .. newest_seq, 'EX', ttl) end
    end
  end
  at = stop + 1
end
return unknown
