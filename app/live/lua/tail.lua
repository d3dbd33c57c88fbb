-- What is accepted and not yet committed in a conversation, with its place in the log.
-- KEYS 1 the first log stream  2 pending:{conversation}   Answer: entries, in the order of the log
local places = redis.call('HVALS', KEYS[2])
table.sort(places, function(a, b)
  local am, an = string.match(a, '(%d+)-(%d+)')
  local bm, bn = string.match(b, '(%d+)-(%d+)')
  if am == bm then return tonumber(an) < tonumber(bn) end
  return tonumber(am) < tonumber(bm)
end)
local entries = {}
for _, place in ipairs(places) do
  local at, shard = string.match(place, '^([^@]+)@?(%d*)$')
  local found = redis.call('XRANGE', shard == '' and KEYS[1] or KEYS[1] .. ':' .. shard, at, at)
  if found[1] then entries[#entries + 1] = found[1][2][2] end
end
return entries
