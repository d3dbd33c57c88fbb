-- Give a drainer its fair share of the shards: what it has and may keep, and of what is free as many as it lacks.
-- KEYS 1 who drains, by when they last said so  2.. the lease of each shard   ARGV 1 who asks  2 ms that a lease lasts
-- Answer: numbers of shards, from 0
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local fair = math.ceil((#KEYS - 1) / redis.call('ZCARD', KEYS[1]))
local mine = {}
for i = 2, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then
    if #mine < fair then
      redis.call('PEXPIRE', KEYS[i], ARGV[2])
      mine[#mine + 1] = i - 2
    else
      redis.call('DEL', KEYS[i])
    end
  end
end
for i = 2, #KEYS do
  if #mine < fair and redis.call('SET', KEYS[i], ARGV[1], 'NX', 'PX', ARGV[2]) then mine[#mine + 1] = i - 2 end
end
return mine
