-- Take away notes of who was seen when that are still the ones read: a newer one stays for the next flush.
-- KEYS 1 presence:seen (hash: profile id -> instant)
-- ARGV the profile id and the instant read, in turn
-- Answer: how many were taken away
local gone = 0
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then gone = gone + redis.call('HDEL', KEYS[1], ARGV[i]) end
end
return gone
