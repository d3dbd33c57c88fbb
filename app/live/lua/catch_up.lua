-- What changed in a conversation after a position, and its head, from one moment.
-- KEYS 1 chat:{c}:messages:active  2 head:{c}  3 room:{c}:latest_message_id
-- ARGV 1 the position held  2 the head up to which the asker knows all after it already (-1 for none)
-- Answer: {} where this cannot be known here, else {head, latest, event, event, …} ordered by position, without what is known
local head = tonumber(redis.call('GET', KEYS[2]) or '')
local latest = redis.call('GET', KEYS[3])
if not head or head < 0 or not latest then return {} end -- below 0 it is being found out
local after = tonumber(ARGV[1])
if after >= head or head == tonumber(ARGV[2]) then return {head, latest} end
local bottom = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local top = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if not bottom[2] or tonumber(top[2]) ~= head then return {} end
-- Of the lowest position one of two events may have been trimmed; the first has but one, and nothing before it.
local lowest = tonumber(bottom[2])
if lowest > after and lowest ~= 1 then return {} end
local answer = {head, latest}
for _, event in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. after, '+inf')) do answer[#answer + 1] = event end
return answer
