-- What changed in a conversation after a position, and its head, from one moment.
-- KEYS 1 chat:{c}:messages:active  2 head:{c}  3 room:{c}:latest_message_id  4 user:{id}:room:{c}:last_received
-- ARGV 1 the position held
-- Answer: {} where this cannot be known here, else {head, latest, received or '', event, event, …} ordered by position
local head = tonumber(redis.call('GET', KEYS[2]) or '')
local latest = redis.call('GET', KEYS[3])
if not head or head < 0 or not latest then return {} end -- below 0 it is being found out
local received = redis.call('GET', KEYS[4]) or ''
local after = tonumber(ARGV[1])
if after >= head then return {head, latest, received} end
local bottom = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local top = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if not bottom[2] or tonumber(top[2]) ~= head then return {} end
-- Of the lowest position one of two events may have been trimmed; the first has but one, and nothing before it.
local lowest = tonumber(bottom[2])
if lowest > after and lowest ~= 1 then return {} end
local answer = {head, latest, received}
for _, event in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. after, '+inf')) do answer[#answer + 1] = event end
return answer
