-- Keep heads that were read from the database after their marks had been set (hot_append.lua).
-- KEYS for each conversation: head:{c}  room:{c}:latest_message_id
-- ARGV 1 TTL in s   then for each conversation: the mark, the head, the newest message as id:seq ('' for none)
-- A mark that is gone was lost after it was set, and newer heads perhaps with it: then this one is too old to be kept.
local ttl = ARGV[1]
for k = 1, #KEYS, 2 do
  local at = 2 + (k - 1) / 2 * 3
  local held, head, latest = redis.call('GET', KEYS[k]), ARGV[at + 1], ARGV[at + 2]
  if held and (held == ARGV[at] or (tonumber(held) >= 0 and tonumber(held) < tonumber(head))) then
    redis.call('SET', KEYS[k], head, 'EX', ttl)
    if latest == '' then redis.call('DEL', KEYS[k + 1]) else redis.call('SET', KEYS[k + 1], latest, 'EX', ttl) end
  end
end
return 1
