-- Take committed (or buried) entries out of the log: exactly these, however often it is called.
-- KEYS 1 log stream   ARGV 1 seconds to remember an id for   then triples: stream id, message id, conversation id
for i = 2, #ARGV, 3 do
  redis.call('XDEL', KEYS[1], ARGV[i])
  if redis.call('HGET', 'pending:' .. ARGV[i + 2], ARGV[i + 1]) == ARGV[i] then
    redis.call('HDEL', 'pending:' .. ARGV[i + 2], ARGV[i + 1])
  end
  redis.call('EXPIRE', 'accepted:' .. ARGV[i + 1], ARGV[1])
end
return redis.call('XLEN', KEYS[1])
