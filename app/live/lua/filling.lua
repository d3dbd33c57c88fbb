-- Begin or go on filling the filter of known ids, or declare it complete. The words of both marks begin with the server's run
-- id: one that was started again may have come back with an old copy of its data, and then neither mark says anything.
-- KEYS 1 the word of the filling under way  2 seen-complete mark
-- ARGV 1 the run id  2 a new word, should one be needed  3 the word of the filling that is done ('' for none)
-- Answer: '' where the filter is complete, else the word of the filling under way
local life = ARGV[1]
if redis.call('GET', KEYS[2]) == life then return '' end
redis.call('DEL', KEYS[2])
local word = redis.call('GET', KEYS[1])
if ARGV[3] ~= '' and word == ARGV[3] and string.sub(word, 1, #life) == life then
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[2], life)
  return ''
end
if not word or string.sub(word, 1, #life) ~= life then
  word = life .. ':' .. ARGV[2]
  redis.call('SET', KEYS[1], word)
end
return word
