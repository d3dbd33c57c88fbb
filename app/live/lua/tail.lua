-- What is accepted and not yet committed in a conversation, with its place in the log.
-- KEYS 1 log stream  2 pending:{conversation}   Answer: entries, in the order of the log
local places = redis.call('HVALS', KEYS[2])
table.sort(places, function(a, b)
  local am, an = string.match(a, '(%d+)-(%d+)')
  local bm, bn = string.match(b, '(%d+)-(%d+)')
  if am == bm then return tonumber(an) < tonumber(bn) end
  return tonumber(am) < tonumber(bm)
end)
local entries = {}
for _, place in ipairs(places) do
  local found = redis.call('XRANGE', KEYS[1], place, place)
  if found[1] then entries[#entries + 1] = found[1][2][2] end
end
return entries
