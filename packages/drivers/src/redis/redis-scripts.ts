/**
 * Lua scripts, each one atomic step on the Redis server: compare-and-set, leases, logs, pages of all entries.
 *
 * Keys under the root `{name}:` are `epoch`, a hash of generation, number and the server run last seen;
 * `e:<key>`, a hash of an entry's r(evision), l(ease, empty for none) and v(alue); `keys`, a sorted set of all keys with
 * an entry; `l:<token>`, a string that lives as long as the lease; `leases`, tokens by the time at which they end;
 * `b:<token>`, the keys bound to a lease; `g:<log>`, a stream.
 */

/** ARGV[1] is the root, ARGV[2] the generation that the caller expects; replies `moved` if it differs. */
const PRELUDE = `
local root, epoch = ARGV[1], KEYS[1]
local generation = redis.call('HGET', epoch, 'generation')
if generation ~= ARGV[2] then return {'moved'} end
local function nextRevision()
  return generation .. '.' .. string.format('%.0f', redis.call('HINCRBY', epoch, 'number', 1))
end
local function tell(kind, revision, key, value)
  redis.call('PUBLISH', root .. 'changes', kind .. ' ' .. revision .. ' ' .. #key .. '\\n' .. key .. value)
end
local function isLive(lease)
  return lease == '' or redis.call('EXISTS', root .. 'l:' .. lease) == 1
end
local function unbind(key, lease)
  if lease and lease ~= '' then redis.call('SREM', root .. 'b:' .. lease, key) end
end
local function drop(key, lease)
  local revision = nextRevision()
  redis.call('DEL', root .. 'e:' .. key)
  redis.call('ZREM', root .. 'keys', key)
  unbind(key, lease)
  tell('D', revision, key, '')
  return revision
end
local function find(key)
  local entry = redis.call('HMGET', root .. 'e:' .. key, 'r', 'l', 'v')
  if not entry[1] then return nil end
  return {revision = entry[1], lease = entry[2] or '', value = entry[3] or '', isLive = isLive(entry[2] or '')}
end
`;

/**
 * Finds the current generation, or founds it. A new run of the server may lack writes that an earlier run
 * acknowledged, and their numbers may have been used: so each run gets a generation of its own.
 *
 * KEYS[1] epoch · ARGV: run of the server, lowest generation to found with → generation
 */
const FOUND = `
local known = redis.call('HMGET', KEYS[1], 'generation', 'run')
if known[1] and known[2] == ARGV[1] then return known[1] end
local generation = tonumber(ARGV[2])
if known[1] then generation = math.max(generation, tonumber(known[1]) + 1) end
local text = string.format('%.0f', generation)
redis.call('HSET', KEYS[1], 'generation', text, 'run', ARGV[1])
redis.call('HSETNX', KEYS[1], 'number', '0')
return text
`;

/** ARGV: root, generation, key → `none` or `entry`, revision, value */
const GET = `${PRELUDE}
local entry = find(ARGV[3])
if not entry or not entry.isLive then return {'none'} end
return {'entry', entry.revision, entry.value}
`;

/** ARGV: root, generation, key, expected revision or empty, value, lease or empty → `written`, `lost` or `conflict` with the present entry */
const CAS = `${PRELUDE}
local key, expected, value, lease = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if not isLive(lease) then return {'lost'} end
local entry = find(key)
if entry and not entry.isLive then
  drop(key, entry.lease)
  entry = nil
end
if (entry and entry.revision or '') ~= expected then
  if entry then return {'conflict', entry.revision, entry.value} end
  return {'conflict'}
end
local revision = nextRevision()
if entry then unbind(key, entry.lease) end
redis.call('HSET', root .. 'e:' .. key, 'r', revision, 'l', lease, 'v', value)
redis.call('ZADD', root .. 'keys', 0, key)
if lease ~= '' then redis.call('SADD', root .. 'b:' .. lease, key) end
tell('P', revision, key, value)
return {'written', revision}
`;

/** ARGV: root, generation, key, expected revision → `written` or `conflict` with the present entry */
const REMOVE = `${PRELUDE}
local key, expected = ARGV[3], ARGV[4]
local entry = find(key)
if not entry or not entry.isLive then return {'conflict'} end
if entry.revision ~= expected then return {'conflict', entry.revision, entry.value} end
return {'written', drop(key, entry.lease)}
`;

/** ARGV: root, generation, milliseconds, most leases → `granted`, token or `full` */
const GRANT = `${PRELUDE}
if redis.call('ZCARD', root .. 'leases') >= tonumber(ARGV[4]) then return {'full'} end
local token, ttl, now = nextRevision(), tonumber(ARGV[3]), redis.call('TIME')
redis.call('SET', root .. 'l:' .. token, '', 'PX', ttl)
redis.call('ZADD', root .. 'leases', now[1] * 1000 + math.floor(now[2] / 1000) + ttl, token)
tell('T', token, '', '')
return {'granted', token}
`;

/** ARGV: root, generation, token, milliseconds → `renewed` or `gone` */
const RENEW = `${PRELUDE}
local ttl, now = tonumber(ARGV[4]), redis.call('TIME')
if redis.call('PEXPIRE', root .. 'l:' .. ARGV[3], ttl) == 0 then return {'gone'} end
redis.call('ZADD', root .. 'leases', now[1] * 1000 + math.floor(now[2] / 1000) + ttl, ARGV[3])
return {'renewed'}
`;

/**
 * Removes keys of ended leases, a few hundred at a time.
 *
 * ARGV: root, generation, token to end now or empty, most keys → `swept`, and whether some are left
 */
const SWEEP = `${PRELUDE}
local over
if ARGV[3] ~= '' then
  redis.call('DEL', root .. 'l:' .. ARGV[3])
  over = {ARGV[3]}
else
  local now = redis.call('TIME')
  over = redis.call('ZRANGE', root .. 'leases', '-inf', now[1] * 1000 + math.floor(now[2] / 1000), 'BYSCORE', 'LIMIT', 0, 64)
end
local left = tonumber(ARGV[4])
for _, token in ipairs(over) do
  if redis.call('EXISTS', root .. 'l:' .. token) == 0 then
    while left > 0 do
      local key = redis.call('SPOP', root .. 'b:' .. token)
      if not key then break end
      local entry = find(key)
      if entry and entry.lease == token then
        drop(key, token)
        left = left - 1
      end
    end
    if left <= 0 then return {'swept', '1'} end
    redis.call('ZREM', root .. 'leases', token)
  end
end
return {'swept', '0'}
`;

/** ARGV: root, generation, key to continue after or empty, most keys, most bytes → `page`, last key, then key, revision, value of each */
const PAGE = `${PRELUDE}
local from = ARGV[3] == '' and '-' or '(' .. ARGV[3]
local keys = redis.call('ZRANGE', root .. 'keys', from, '+', 'BYLEX', 'LIMIT', 0, tonumber(ARGV[4]))
local reply, bytes = {'page', ''}, tonumber(ARGV[5])
for _, key in ipairs(keys) do
  local entry = find(key)
  reply[2] = key
  if entry and entry.isLive then
    reply[#reply + 1] = key
    reply[#reply + 1] = entry.revision
    reply[#reply + 1] = entry.value
    bytes = bytes - #key - #entry.value
  end
  if bytes <= 0 then break end
end
return reply
`;

/** ARGV: root, generation → `at`, number of the last change */
const POSITION = `${PRELUDE}
return {'at', redis.call('HGET', epoch, 'number')}
`;

/** KEYS[2] log · ARGV: root, generation, expected last, value → `appended`, sequence or `conflict`, last */
const APPEND = `${PRELUDE}
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local last = newest and string.match(newest[1], '^%d+') or '0'
if last ~= ARGV[3] then return {'conflict', last} end
local sequence = string.format('%.0f', tonumber(last) + 1)
redis.call('XADD', KEYS[2], sequence .. '-0', 'v', ARGV[4])
return {'appended', sequence}
`;

export const REDIS_SCRIPTS = { FOUND, GET, CAS, REMOVE, GRANT, RENEW, SWEEP, PAGE, POSITION, APPEND } as const;

export type RedisScript = keyof typeof REDIS_SCRIPTS;
