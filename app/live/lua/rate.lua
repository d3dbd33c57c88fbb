-- Take one from a rate, or give it back: the same arithmetic and the same key as in accept.lua.
-- KEYS 1 rate:send:{sender}, or another name
-- ARGV 1 a second  2 burst  3 '1' takes, '-1' gives back
-- Answer: wait in ms (0: taken)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local step = 1000 / tonumber(ARGV[1])
local due = tonumber(redis.call('GET', KEYS[1]) or now)
if due < now then due = now end
local cost = step * tonumber(ARGV[3])
local wait = due + cost - now - step * tonumber(ARGV[2])
if cost > 0 and wait > 0 then return math.ceil(wait) end
if due + cost <= now then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], string.format('%.3f', due + cost), 'PX', math.ceil(due + cost - now) + 1000)
end
return 0
