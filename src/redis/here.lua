-- Who is there in this process, that it is alive, and who was there in processes that are not.
-- KEYS: members, processes, users     ARGV: process, milliseconds that it is known, where the
-- channel is published and its name (none if nobody is told who comes and goes), how many have
-- left, their fields; of each that is there its field, its value, and whether others are told
local members, processes, users = KEYS[1], KEYS[2], KEYS[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local is_new = redis.call('ZADD', processes, now + ARGV[2], ARGV[1])
-- It was taken for dead, and others were told that its members have left.
local was_dead = redis.call('ZREM', processes, '-' .. ARGV[1])
-- Counts a session of a user more or less, and tells of the first and of the last.
local function count(by, field, value, event)
  local length, rest = string.match(value, '^%d+ (%d+)\n(.*)$')
  if not length then
    return
  end
  local user, data, left = string.sub(rest, 1, length), string.sub(rest, length + 1), 0
  if user ~= '' then
    left = redis.call('HINCRBY', users, user, by)
    if left <= 0 then
      redis.call('HDEL', users, user)
    end
  end
  if ARGV[3] ~= '' and event and (user == '' or left == (by > 0 and 1 or 0)) then
    local node, session = string.sub(field, 1, 16), string.sub(field, 18)
    redis.pcall('SPUBLISH', ARGV[3], 'text n=' .. node .. ' i=' .. session .. ' q=' .. event
      .. ' t=' .. string.format('%.0f', now) .. ' v=' .. #event .. '\n' .. event
      .. '{"event":"' .. event .. '","channel":' .. cjson.encode(ARGV[4]) .. ',"session":' .. session
      .. ',"user":' .. cjson.encode(user) .. ',"data":' .. cjson.encode(data) .. '}')
  end
end
local function leaves(field, value)
  if value and redis.call('HDEL', members, field) == 1 then
    count(-1, field, value, 'left')
  end
end
local first = 6 + ARGV[5]
for nth = 6, first - 1 do
  leaves(ARGV[nth], redis.call('HGET', members, ARGV[nth]))
end
for nth = first, #ARGV, 3 do
  local field, value = ARGV[nth], ARGV[nth + 1]
  local was = redis.call('HGET', members, field)
  if was ~= value then
    leaves(field, was)
    redis.call('HSET', members, field, value)
    count(1, field, value, (was_dead == 1 or ARGV[nth + 2] == '1') and 'joined')
  end
end
local dead = redis.call('ZRANGEBYSCORE', processes, '-inf', now)
if #dead > 0 then
  local is_dead, cursor = {}, '0'
  for _, node in ipairs(dead) do
    redis.call('ZREM', processes, node)
    if string.sub(node, 1, 1) ~= '-' then
      is_dead[node] = true
      redis.call('ZADD', processes, now + ARGV[2] * 100, '-' .. node)
    end
  end
  repeat
    local page = redis.call('HSCAN', members, cursor, 'COUNT', 100)
    cursor = page[1]
    for nth = 1, #page[2], 2 do
      if is_dead[string.sub(page[2][nth], 1, 16)] then
        leaves(page[2][nth], page[2][nth + 1])
      end
    end
  until cursor == '0'
end
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, ARGV[2] * 2)
end
return is_new + 2 * was_dead
