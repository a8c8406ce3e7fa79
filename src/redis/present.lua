-- Who is there in other processes, without those of processes that are gone.
-- KEYS: members, processes     ARGV: process, most
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local alive = {}
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf')) do
  alive[node] = node ~= ARGV[1]
end
local reply, cursor, seen = {}, '0', {}
repeat
  local page = redis.call('HSCAN', KEYS[1], cursor, 'COUNT', 100)
  cursor = page[1]
  for nth = 1, #page[2], 2 do
    local field = page[2][nth]
    if alive[string.sub(field, 1, 16)] and not seen[field] then
      seen[field] = true
      reply[#reply + 1] = field
      reply[#reply + 1] = page[2][nth + 1]
    end
  end
until cursor == '0' or #reply >= 2 * tonumber(ARGV[2])
return reply
