-- Note a device's state and work out its person's: online if any device is, else away if any is, else offline.
-- KEYS 1 presence:devices:{id} (hash: device -> status|expires in ms)  2 presence:{id} (the PresenceEvent as last told)
--      3 presence:seen (hash: person -> when)
-- ARGV 1 device ('' for none)  2 its status ('gone' takes it away)  3 now in ms  4 TTL in ms  5 person  6 now, as it is kept
-- Answer: {status now, status as last told ('' for unknown)}
local now, ttl = tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('HSET', KEYS[3], ARGV[5], ARGV[6])
if ARGV[2] == 'gone' then redis.call('HDEL', KEYS[1], ARGV[1])
elseif ARGV[1] ~= '' then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. '|' .. (now + ttl)) end
local found = 'offline'
local devices = redis.call('HGETALL', KEYS[1])
for i = 1, #devices, 2 do
  local status, expires = string.match(devices[i + 1], '^(%a+)|(%d+)$')
  if tonumber(expires) <= now then redis.call('HDEL', KEYS[1], devices[i])
  elseif status == 'online' then found = 'online'
  elseif status == 'away' and found == 'offline' then found = 'away' end
end
redis.call('PEXPIRE', KEYS[1], ttl)
local told = redis.call('GET', KEYS[2])
if told then redis.call('PEXPIRE', KEYS[2], ttl) end
return {found, told and cjson.decode(told)['status'] or ''}
