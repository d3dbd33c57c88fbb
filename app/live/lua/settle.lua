-- Take committed (or buried) entries out of the log: exactly these, however often it is called.
-- KEYS 1 log stream   ARGV 1 seconds to remember an id for   then triples: stream id, message id, conversation id
local shard = string.match(KEYS[1], '^[^:]+:[^:]+:(%d+)$')
local mark = shard and '@' .. shard or ''
local has_shards = redis.call('EXISTS', 'log:shards') == 1
for i = 2, #ARGV, 3 do
  local pending = 'pending:' .. ARGV[i + 2]
  redis.call('XDEL', KEYS[1], ARGV[i])
  if redis.call('HGET', pending, ARGV[i + 1]) == ARGV[i] .. mark then
    redis.call('HDEL', pending, ARGV[i + 1])
    if has_shards and redis.call('EXISTS', pending) == 0 then redis.call('DEL', 'shard:' .. ARGV[i + 2]) end
  end
  redis.call('EXPIRE', 'accepted:' .. ARGV[i + 1], ARGV[1])
end
return redis.call('XLEN', KEYS[1])
