-- Store a membership that was read from the database, unless an eviction has come in between.
-- KEYS 1 member:{c}:{profile}  2 member-token:{c}   ARGV 1 the token seen before the read  2 TTL in s  3 what is stored
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[3], 'EX', ARGV[2])
return 1
