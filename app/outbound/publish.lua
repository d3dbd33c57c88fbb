-- Publish any number of messages with one command.
-- ARGV 1 the verb (PUBLISH, or SPUBLISH where channels have shards) for the channels of topics   2 how many of these there are
--      then pairs: channel, message; first those of topics, then others
local topics, pair = tonumber(ARGV[2]), 0
for at = 3, #ARGV, 2 do
  pair = pair + 1
  redis.call(pair <= topics and ARGV[1] or 'PUBLISH', ARGV[at], ARGV[at + 1])
end
