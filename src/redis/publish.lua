-- Publishes, and keeps, in one step.
-- KEYS: head, stream, id     ARGV: server, epoch if one is made, publications, bytes, age,
-- seconds that the head lives, milliseconds that the id is known, channel, line, body
local head = redis.call('HMGET', KEYS[1], 's', 'e', 'o', 'f', 'b', 'x')
local server = ARGV[1]
if server == '' and head[1] == 'durable' then
  server = 'durable' -- of a program that does not know
end
if head[1] ~= server then
  if server ~= 'durable' then
    local info = redis.call('INFO', 'server') .. redis.call('INFO', 'replication')
    server = string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)')
  end
  if head[1] ~= server then
    redis.call('DEL', KEYS[1], KEYS[2])
    redis.call('HSET', KEYS[1], 's', server, 'e', ARGV[2])
    head = {server, ARGV[2], 0, 1, 0, 0}
  end
end
local number = function(n) return string.format('%.0f', n) end
local epoch, offset = head[2], head[3] + 1
if KEYS[3] then
  local place = epoch .. ' ' .. number(offset)
  local was = redis.call('SET', KEYS[3], place, 'NX', 'GET', 'PX', ARGV[7])
  if was then
    return {string.sub(was, 1, 16), string.sub(was, 18), server, 1}
  end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local first, bytes, expires = tonumber(head[4]), tonumber(head[5]), tonumber(head[6])
local message = ARGV[9] .. ' o=' .. number(offset) .. ' e=' .. epoch .. '\n' .. ARGV[10]
local most, size, age = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if #message > size or most == 0 or age == 0 then
  redis.call('DEL', KEYS[2])
  first, bytes = offset + 1, 0
else
  local id = number(offset) .. '-0'
  local time = number(now)
  if first == offset or not redis.call('XADD', KEYS[2], 'NOMKSTREAM', id, 't', time, 'm', message) then
    redis.call('DEL', KEYS[2])
    redis.call('XADD', KEYS[2], id, 't', time, 'm', message)
    first, bytes, expires = offset, 0, 0
  end
  bytes = bytes + #message
  if offset - first >= most + math.floor(most / 10) or bytes > size * 1.1 then
    while first < offset and (offset - first >= most or bytes > size) do
      local old = redis.call('XRANGE', KEYS[2], number(first), number(offset - 1), 'COUNT', 32)
      if #old == 0 then
        first, bytes = offset, #message
      end
      for _, entry in ipairs(old) do
        if offset - first < most and bytes <= size then
          break
        end
        first = tonumber(string.match(entry[1], '^%d+')) + 1
        bytes = bytes - #(entry[2][4] or '')
      end
    end
    redis.call('XTRIM', KEYS[2], 'MINID', number(first))
  end
  if now > expires then
    redis.call('PEXPIRE', KEYS[2], number(age * 1.1 + 1))
    redis.call('EXPIRE', KEYS[1], ARGV[6])
    expires = now + age * 0.1
  end
end
redis.call('HSET', KEYS[1], 'o', number(offset), 'f', number(first), 'b', number(bytes), 'x', number(expires))
local told = redis.pcall('SPUBLISH', ARGV[8], message)
return {epoch, number(offset), server, type(told) == 'table' and told.err or 0}
