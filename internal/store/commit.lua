-- One commit: compare versions, and apply the groups that match. No rule of the domain lives here.
--
-- KEYS  1 change stream, 2 meta, then those that the plan points to
-- ARGV  1 plan, 2 the commit's version, 3 MAXLEN of the change stream, 4 dictionary of boards, 5 owners, then the values that the plan points to
-- plan  (MessagePack, places in KEYS and ARGV from 1)
--   1 fences  key of each
--   2 checks  of each group: document (0: none), expected version, fence (0: none), its expected version, hash, first and last field to be absent
--   3 ops     kind, key, first and last value, group
--   4 sets    key, first and last member to remove, first and last of (score, member) to add
--   5 documents: key and value before the first, count     6 values before the first group's blob
-- owners (only read if a group fails)  of each set: the group of each removed member, the group of each added pair
-- Answers {id of the change entry or false, id of the one before or false, {group, status, what is there}...}; a group not in it was applied.
local call, unpack = redis.call, unpack
local version = ARGV[2]
local plan = cmsgpack.unpack(ARGV[1])
local fences, checks, ops, sets, docs, blobs = plan[1], plan[2], plan[3], plan[4], plan[5], plan[6]
local STALE, EXISTS, FENCED, ALREADY = 2, 3, 4, 5
local CHUNK = 1000 -- unpack puts its values on Lua's stack, which takes some thousands
local NAMES = {'SET', 'DEL', 'HSET', 'HDEL', 'ZADD', 'ZREM', 'XADD'}

local answer = {false, false}
local failed = {}

local function fail(group, status, what)
  failed[group] = true
  answer[#answer + 1] = {group, status, what}
end

local function present(key, first, last)
  local found = false
  for from = first, last, CHUNK do
    local values = call('HMGET', key, unpack(ARGV, from, math.min(from + CHUNK - 1, last)))
    for i = 1, #values do
      if values[i] then
        found = found or {}
        found[#found + 1] = from - first + i
        found[#found + 1] = values[i]
      end
    end
  end
  return found
end

local fence = {}
for i = 1, #fences do fence[i] = call('GETRANGE', KEYS[fences[i]], '0', '7') end

local groups = #checks / 7
for group = 1, groups do
  local c = group * 7 - 6
  local doc, guard = checks[c], checks[c + 2]
  local now = doc ~= 0 and call('GETRANGE', KEYS[doc], '0', '7')
  if now == version then
    fail(group, ALREADY, false)
  elseif guard ~= 0 and fence[guard] ~= ARGV[checks[c + 3]] then
    fail(group, FENCED, call('GET', KEYS[fences[guard]]))
  elseif now and now ~= ARGV[checks[c + 1]] then
    fail(group, STALE, call('GET', KEYS[doc]))
  elseif checks[c + 4] ~= 0 then
    local found = present(KEYS[checks[c + 4]], checks[c + 5], checks[c + 6])
    if found then fail(group, EXISTS, found) end
  end
end

local some = next(failed) ~= nil
if #answer - 2 == groups then return answer end

local function run(name, key, values, first, last)
  for from = first, last, CHUNK do
    call(name, key, unpack(values, from, math.min(from + CHUNK - 1, last)))
  end
end

for o = 1, #ops, 5 do
  if not failed[ops[o + 4]] then
    local kind, key = ops[o], KEYS[ops[o + 1]]
    if kind == 2 then
      call('DEL', key)
    elseif kind == 7 then
      call('XADD', key, '*', unpack(ARGV, ops[o + 2], ops[o + 3]))
    else
      run(NAMES[kind], key, ARGV, ops[o + 2], ops[o + 3])
    end
  end
end

-- The values between first and last whose group holds; each owner has width values.
local function kept(owners, first, width)
  local out, n = {}, 0
  for i = 1, #owners do
    if not failed[owners[i]] then
      for j = 0, width - 1 do
        n = n + 1
        out[n] = ARGV[first + (i - 1) * width + j]
      end
    end
  end
  return out, n
end

local owners = some and cmsgpack.unpack(ARGV[5])
for s = 1, #sets, 5 do
  local key = KEYS[sets[s]]
  if some then
    local set = (s - 1) / 5 * 2
    local rem, nrem = kept(owners[set + 1], sets[s + 1], 1)
    local add, nadd = kept(owners[set + 2], sets[s + 3], 2)
    run('ZREM', key, rem, 1, nrem)
    run('ZADD', key, add, 1, nadd)
  else
    run('ZREM', key, ARGV, sets[s + 1], sets[s + 2])
    run('ZADD', key, ARGV, sets[s + 3], sets[s + 4])
  end
end

local blob
if some then
  local out = {}
  for group = 1, groups do
    if not failed[group] then out[#out + 1] = ARGV[blobs + group] end
  end
  blob = table.concat(out)
else
  blob = table.concat(ARGV, '', blobs + 1, blobs + groups)
end
local prev = call('HGET', KEYS[2], 'last') or '0-0'
local id = call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'v', version, 'p', prev, 'k', ARGV[4], 'g', blob)
call('HSET', KEYS[2], 'last', id)

-- Versions last: if a command above fails, the documents still say that the commit was not done.
local words, n, doc = {}, 0, 0
for group = 1, groups do
  if checks[group * 7 - 6] ~= 0 then
    doc = doc + 1
    if not failed[group] then
      words[n + 1], words[n + 2] = KEYS[docs[1] + doc], ARGV[docs[2] + doc]
      n = n + 2
      if n == CHUNK then
        call('MSET', unpack(words, 1, n))
        n = 0
      end
    end
  end
end
if n > 0 then call('MSET', unpack(words, 1, n)) end

answer[1], answer[2] = id, prev
return answer
