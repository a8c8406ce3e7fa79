-- Who is there in this process, and that it is alive.
-- KEYS: members, processes     ARGV: process, milliseconds that it is known, how many have
-- left, their fields, and the fields and values of those that are there
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local gone = tonumber(ARGV[3])
for nth = 4, 3 + gone do
  redis.call('HDEL', KEYS[1], ARGV[nth])
end
for nth = 4 + gone, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[nth], ARGV[nth + 1])
end
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 2)
redis.call('PEXPIRE', KEYS[2], ARGV[2] * 2)
return 1
