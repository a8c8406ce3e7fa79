-- Where a channel is, and what came behind an offset.
-- KEYS: head, stream     ARGV: server, epoch if one is made, seconds that the head lives,
-- age, epoch and offset that have been delivered, epoch and offset that are asked for, entries
local head = redis.call('HMGET', KEYS[1], 's', 'e', 'o')
local server = ARGV[1]
if head[1] ~= server or (head[2] == ARGV[5] and tonumber(head[3]) < tonumber(ARGV[6])) then
  local lags = head[1] == server
  if server ~= 'durable' then
    local info = redis.call('INFO', 'server') .. redis.call('INFO', 'replication')
    server = string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)')
  end
  if lags or head[1] ~= server then
    redis.call('DEL', KEYS[1], KEYS[2])
    redis.call('HSET', KEYS[1], 's', server, 'e', ARGV[2], 'o', 0, 'f', 1, 'b', 0, 'x', 0)
    head = {server, ARGV[2], '0'}
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
local reply, bytes = {head[2], head[3], server, 0}, 0
if ARGV[7] == head[2] and tonumber(ARGV[8]) < tonumber(head[3]) then
  local time = redis.call('TIME')
  local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[4]
  local from = string.format('(%.0f-0', ARGV[8])
  for _, entry in ipairs(redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', ARGV[9])) do
    local message = entry[2][4] or ''
    bytes = bytes + #message
    if bytes > 262144 and reply[4] ~= 0 then
      break
    end
    reply[4] = string.match(entry[1], '^%d+')
    if (tonumber(entry[2][2]) or 0) > oldest then
      reply[#reply + 1] = message
    end
  end
end
return reply
