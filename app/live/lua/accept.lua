-- Accept a message into the log, once, in one step: dedupe, membership, order, rate, cap, then the append.
-- KEYS 1 log stream (of a conversation of which nothing waits)  2 accepted:{id}  3 pending:{conversation}  4 seen filter  5 seen-complete mark
--      6 member:{conversation}:{sender}  7 rate:send:{sender}  8 accepted:{after id} ('' for none)
-- ARGV 1 message id  2 conversation id  3 entry  4 cap of the log  5 sends a second (0: no rate)  6 burst
--      7 '1' once the caller has found in the database that the message is new
--      8 '1' once the caller has found in the database that the message named by KEYS[8] is there
--      9 bits of the filter for the id, comma separated  10 the same for the after id  11 how many streams there are
-- A place is noted as '17-0' in the first stream, and as '17-0@2' in messages:log:2.
-- Answer: {'accepted', stream id} {'again', entry} {'committed'} {'conflict'} {'verify'} {'verify_after'}
--         {'member?'} {'out_of_order'} {'limited', wait in ms} {'full'}
local function absent(bits)
  local ask = {}
  for bit in string.gmatch(bits, '%d+') do
    ask[#ask + 1] = 'GET'; ask[#ask + 1] = 'u1'; ask[#ask + 1] = bit
  end
  for _, value in ipairs(redis.call('BITFIELD', KEYS[4], unpack(ask))) do
    if value == 0 then return true end
  end
  return false
end

local base = string.match(KEYS[1], '^[^:]+:[^:]+')
local target = redis.call('GET', KEYS[2])
if target then
  if target ~= ARGV[2] then return {'conflict'} end
  local place = redis.call('HGET', KEYS[3], ARGV[1])
  if not place then return {'committed'} end
  local at, shard = string.match(place, '^([^@]+)@?(%d*)$')
  local found = redis.call('XRANGE', shard == '' and base or base .. ':' .. shard, at, at)
  if not found[1] then return {'committed'} end
  return {'again', found[1][2][2]}
end
local complete = redis.call('EXISTS', KEYS[5]) == 1
if ARGV[7] ~= '1' and not (complete and absent(ARGV[9])) then return {'verify'} end

if redis.call('EXISTS', KEYS[6]) == 0 then return {'member?'} end

if KEYS[8] ~= '' and ARGV[8] ~= '1' and redis.call('EXISTS', KEYS[8]) == 0 then
  if complete and absent(ARGV[10]) then return {'out_of_order'} end
  return {'verify_after'}
end

local rate = tonumber(ARGV[5])
if rate > 0 then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local step = 1000 / rate
  local due = tonumber(redis.call('GET', KEYS[7]) or now)
  if due < now then due = now end
  local wait = due + step - now - step * tonumber(ARGV[6])
  if wait > 0 then return {'limited', math.ceil(wait)} end
  redis.call('SET', KEYS[7], string.format('%.3f', due + step), 'PX', math.ceil(due + step - now) + 1000)
end

-- While something of the conversation waits, what follows waits in the same stream.
local stream = redis.call('GET', 'shard:' .. ARGV[2])
if not stream then
  stream = (ARGV[11] == '1' or redis.call('HLEN', KEYS[3]) > 0) and base or KEYS[1]
  if ARGV[11] ~= '1' then
    redis.call('SET', 'shard:' .. ARGV[2], stream)
    if tonumber(redis.call('GET', 'log:shards') or '1') < tonumber(ARGV[11]) then redis.call('SET', 'log:shards', ARGV[11]) end
  end
end

if redis.call('XLEN', stream) >= tonumber(ARGV[4]) then return {'full'} end

local place = redis.call('XADD', stream, '*', 'e', ARGV[3])
redis.call('HSET', KEYS[3], ARGV[1], stream == base and place or place .. '@' .. string.sub(stream, #base + 2))
redis.call('SET', KEYS[2], ARGV[2])
local set = {}
for bit in string.gmatch(ARGV[9], '%d+') do
  set[#set + 1] = 'SET'; set[#set + 1] = 'u1'; set[#set + 1] = bit; set[#set + 1] = 1
end
redis.call('BITFIELD', KEYS[4], unpack(set))
return {'accepted', place}
