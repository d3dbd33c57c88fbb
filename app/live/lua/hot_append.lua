-- Append committed changes to the hot history of conversations and move their heads, each only forward.
-- KEYS for each conversation: chat:{c}:messages:active (sorted set by changedSeq)  head:{c}  room:{c}:latest_message_id
-- ARGV 1 most entries  2 TTL in s  3 a mark: a negative number, of this call alone  4 channel that hears of created messages
--      then for each conversation: the newest message created here as id:seq ('' for none), count of changes, and as many
--      times in order: position, event, '1' where it is a created message
-- Answer: for each conversation whose head is not known here, its number (from 0) and the mark that now stands for the head
-- The set always holds every change above its lowest position: a gap throws away what was before it. A head that is not
-- there was lost, perhaps with newer ones than these: it is found out (hot_found.lua), never taken from one who may be late.
local most, ttl, mark, at, unknown = tonumber(ARGV[1]), ARGV[2], ARGV[3], 5, {}
for k = 1, #KEYS, 3 do
  local active, head_key, latest_key = KEYS[k], KEYS[k + 1], KEYS[k + 2]
  local newest, stop = ARGV[at], at + 1 + 3 * tonumber(ARGV[at + 1])
  local first, last = tonumber(ARGV[at + 2]), tonumber(ARGV[stop - 2])
  local held = redis.call('MGET', head_key, latest_key)
  local head = tonumber(held[1] or mark)
  local goes_on = head == first - 1 and redis.call('ZCOUNT', active, head, head) > 0
  if not goes_on then -- as always, but for the first and for what comes late; to see the top is dear, for it has the event
    local top = redis.call('ZREVRANGE', active, 0, 0, 'WITHSCORES')[2]
    goes_on = not top or tonumber(top) < last
    if goes_on and top and tonumber(top) ~= first - 1 then redis.call('DEL', active) end
  end
  if goes_on then
    for i = at + 2, stop, 3 do redis.call('ZADD', active, ARGV[i], ARGV[i + 1]) end
    redis.call('ZREMRANGEBYRANK', active, 0, -1 - most)
    redis.call('EXPIRE', active, ttl)
  end
  if head < 0 then
    if not held[1] then redis.call('SET', head_key, mark, 'EX', ttl) end
    unknown[#unknown + 1] = (k - 1) / 3
    unknown[#unknown + 1] = held[1] or mark
  else
    if head < last then
      redis.call('SET', head_key, last, 'EX', ttl)
      head = last
    end
    if newest ~= '' then
      local before = held[2] and tonumber(string.match(held[2], ':(%d+)$') or 0) or head - 1
      if before < tonumber(string.match(newest, ':(%d+)$')) then redis.call('SET', latest_key, newest, 'EX', ttl) end
    end
  end
  for i = at + 2, stop, 3 do
    if ARGV[i + 2] == '1' then redis.call('PUBLISH', ARGV[4], ARGV[i + 1]) end
  end
  at = stop + 1
end
return unknown
