-- One commit: compare versions, and apply the groups that match. No rule of the domain lives here.
--
-- Each string that is an argument of its own costs the server as much as a small command, and most commits are many groups of one form. So values come packed
-- (MessagePack), the plan says the form of a run of groups once, and the script walks keys and values from their first to their last.
--
-- KEYS  1 change stream, 2 meta, 3 outbox, fences, documents, then of each group the hash that its fields must be absent in and its writes' keys, then sorted sets
-- ARGV  1 plan, 2 the commit's version, 3 MAXLEN of the change stream, 4 dictionary of boards, 5 values of the groups, 6 what followers learn of the groups,
--       7 owners, then the chunks of sorted sets
-- plan  (arrays)
--   1 number of fences        2 guards: fence, version it must have        3 number of documents
--   4 runs: number of groups, their form        5 sets: of each the number of chunks to remove and to add        6 MAXLEN of the outbox
-- form  1 whether there is a document (0, 1)   2 guard (0: none)   3 number of fields to be absent (0: no hash)   4 number of keys beside the document
--       5 number of values: expected version of the document, fields to be absent, arguments of writes, the document's new value, '' to delete it
--       6… writes: kind, key, first and last argument as places among those of the group; of kind 9, events, their number instead of a key
-- chunk   members, or score and member in turn: at most CHUNK values after one another, no array
-- owners  (only read if a group fails)  lengths of the groups in ARGV[6], then of each chunk the group of each member
-- Answers {id of the change entry or false, id of the one before or false, {group, status, what is there}...}; a group not in it was applied.
local call, unpack, msgpack = redis.call, unpack, cmsgpack.unpack
local version = ARGV[2]
local plan, values = msgpack(ARGV[1]), msgpack(ARGV[5])
local fences, guards, documents, runs, sets, keep = plan[1], plan[2], plan[3], plan[4], plan[5], plan[6]
local FIXED_KEYS, FIXED_ARGS = 3, 7
local STALE, EXISTS, FENCED, ALREADY = 2, 3, 4, 5
local HSET = 3
local CHUNK = 1000 -- unpack puts its values on Lua's stack, which takes some thousands
local NAMES = {'SET', 'DEL', 'HSET', 'HDEL', 'ZADD', 'ZREM', 'XADD', 'XDEL'}

local answer = {false, false}
local failed = {}

local function fail(group, status, what)
  failed[group] = true
  answer[#answer + 1] = {group, status, what}
end

local function present(key, first, last)
  if first == last then
    return call('HEXISTS', key, values[first]) == 1 and {1, call('HGET', key, values[first])}
  end
  local found = false
  for from = first, last, CHUNK do
    local there = call('HMGET', key, unpack(values, from, math.min(from + CHUNK - 1, last)))
    for i = 1, #there do
      if there[i] then
        found = found or {}
        found[#found + 1] = from - first + i
        found[#found + 1] = there[i]
      end
    end
  end
  return found
end

-- Most groups set one field of a hash that must not be there: a record in the log, by its id. Then HSETNX, after all other checks of the group, is check and write
-- in one, for two thirds of what HEXISTS and, when all groups were checked, HSET cost. The field is the group's second value, behind the version.
local function is_record(form)
  return form[1] == 1 and form[3] == 1 and form[6] == HSET and form[8] == 2 and form[9] == 3
end

local holds = {}
for i = 1, #guards, 2 do
  holds[#holds + 1] = call('GETRANGE', KEYS[FIXED_KEYS + guards[i]], '0', '7') == guards[i + 1]
end

local versions = {}
for from = FIXED_KEYS + fences + 1, FIXED_KEYS + fences + documents, CHUNK do
  local to = math.min(from + CHUNK - 1, FIXED_KEYS + fences + documents)
  local docs = call('MGET', unpack(KEYS, from, to))
  for i = 1, to - from + 1 do versions[from + i - 1] = docs[i] and string.sub(docs[i], 1, 8) or '' end
end
local groups, doc, key, value = 0, FIXED_KEYS + fences, FIXED_KEYS + fences + documents, 0
for r = 1, #runs, 2 do
  local form = runs[r + 1]
  local guarded, guard, absent, keys, count = form[1], form[2], form[3], form[4], form[5]
  local record = is_record(form)
  for group = groups + 1, groups + runs[r] do
    doc = doc + guarded
    local now = guarded == 1 and versions[doc]
    if now == version then
      fail(group, ALREADY, false)
    elseif guard ~= 0 and not holds[guard] then
      fail(group, FENCED, call('GET', KEYS[FIXED_KEYS + guards[guard * 2 - 1]]))
    elseif now and now ~= values[value + 1] then
      fail(group, STALE, call('GET', KEYS[doc]))
    elseif record then
      local field = values[value + 2]
      if call('HSETNX', KEYS[key + 1], field, values[value + 3]) == 0 then
        fail(group, EXISTS, {1, call('HGET', KEYS[key + 1], field)})
      end
    elseif absent ~= 0 then
      local found = present(KEYS[key + 1], value + guarded + 1, value + guarded + absent)
      if found then fail(group, EXISTS, found) end
    end
    key, value = key + keys, value + count
  end
  groups = groups + runs[r]
end

local some = next(failed) ~= nil
if #answer - 2 == groups then return answer end

local function run(name, target, list, first, last)
  for from = first, last, CHUNK do
    call(name, target, unpack(list, from, math.min(from + CHUNK - 1, last)))
  end
end

-- Events of a group are one entry of the outbox. Its id is that of its last event, and the ids before it are those of the others. So the id that the server would give does for one
-- event only; else it is made here, of the server's time and behind the last one that was given.
local ms, seq, prefix
local function ids(count)
  if not ms then
    if count == 1 then return '*' end
    local time, there = call('TIME'), redis.pcall('XINFO', 'STREAM', KEYS[3])
    ms, seq = time[1] * 1000 + math.floor(time[2] / 1000), -1
    for i = 1, #there, 2 do -- none: there is no stream yet
      if there[i] == 'last-generated-id' then
        local before, number = string.match(there[i + 1], '(%d+)-(%d+)')
        if tonumber(before) >= ms then ms, seq = tonumber(before), tonumber(number) end
      end
    end
    prefix = string.format('%.0f-', ms)
  end
  seq = seq + count
  return prefix .. string.format('%.0f', seq)
end

local words, n, gone, group = {}, 0, {}, 0
doc, key, value = FIXED_KEYS + fences, FIXED_KEYS + fences + documents, 0
for r = 1, #runs, 2 do
  local form = runs[r + 1]
  local guarded, keys, count, last = form[1], form[4], form[5], #form
  local begin = is_record(form) and 10 or 6 -- the first write is done
  for _ = 1, runs[r] do
    group, doc = group + 1, doc + guarded
    if not failed[group] then
      for o = begin, last, 4 do
        local kind, target, from, to = form[o], KEYS[key + form[o + 1]], value + form[o + 2], value + form[o + 3]
        if kind == 2 then
          call('UNLINK', target) -- a board of a million rows is freed beside, not while everybody waits
        elseif kind == 7 then
          if target == KEYS[3] then ms = nil end
          call('XADD', target, unpack(values, from, to))
        elseif kind == 9 then
          call('XADD', KEYS[3], 'MAXLEN', '~', keep, ids(form[o + 1]), 'o', values[from], 'u', values[from + 1], 'e', values[to])
        else
          run(NAMES[kind], target, values, from, to)
        end
      end
      if guarded == 1 and values[value + count] == '' then
        gone[#gone + 1] = KEYS[doc]
      elseif guarded == 1 then
        words[n + 1], words[n + 2] = KEYS[doc], values[value + count]
        n = n + 2
      end
    end
    key, value = key + keys, value + count
  end
end

-- A chunk without what is of failed groups; each owner has width values.
local owners = some and msgpack(ARGV[7])
local function kept(chunk, width)
  local all, out = {msgpack(ARGV[FIXED_ARGS + chunk])}, {}
  for i, owner in ipairs(owners[1 + chunk]) do
    if not failed[owner] then
      for j = (i - 1) * width + 1, i * width do out[#out + 1] = all[j] end
    end
  end
  return out
end

local chunk = 0
local function change(name, target, width, chunks)
  for _ = 1, chunks do
    chunk = chunk + 1
    if some then
      local list = kept(chunk, width)
      run(name, target, list, 1, #list)
    else
      call(name, target, msgpack(ARGV[FIXED_ARGS + chunk]))
    end
  end
end

for s = 1, #sets, 2 do
  key = key + 1
  change('ZREM', KEYS[key], 1, sets[s])
  change('ZADD', KEYS[key], 2, sets[s + 1])
end

local blob = ARGV[6]
if some then
  local out, from = {}, 1
  for g, length in ipairs(owners[1]) do
    if not failed[g] then out[#out + 1] = string.sub(blob, from, from + length - 1) end
    from = from + length
  end
  blob = table.concat(out)
end
local prev = call('HGET', KEYS[2], 'last') or '0-0'
local id = call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'v', version, 'p', prev, 'k', ARGV[4], 'g', blob)
call('HSET', KEYS[2], 'last', id)

-- Versions last: if a command above fails, the documents still say that the commit was not done.
for i = 1, #gone do call('DEL', gone[i]) end
for from = 1, n, CHUNK do
  call('MSET', unpack(words, from, math.min(from + CHUNK - 1, n)))
end

answer[1], answer[2] = id, prev
return answer
