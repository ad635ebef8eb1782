-- Reads and edits the outermost members of a JSON object, and nothing below them.
--
-- It rejects what another parser might read differently, such as a name that appears twice or has an
-- escape. Otherwise a rule would be applied to a value that nobody uses.

local MOST_MEMBERS = 100 -- of a body: there are half as many parameters
local MOST_DEPTH = 500
local MOST_STEPS = 500000 -- of a scan: about 50 ms, which block the gateway

-- Returns the end of the string whose first quote is at `at`, and the steps that took.
local function after_string(text, at)
  local steps, quote = 0, at
  repeat
    quote = text:find('"', quote + 1, true)
    if not quote then
      return nil
    end
    steps = steps + 1
    local before = quote - 1
    while text:byte(before) == 92 do
      before = before - 1
    end
  until (quote - before) % 2 == 1
  return quote + 1, steps
end

-- Returns the end of the value that begins at `at`; nil if it has no end, or takes too long.
local function after_value(text, at, left)
  local first = text:byte(at)
  if first ~= 34 and first ~= 91 and first ~= 123 then
    return text:match("^[%w.+-]+()", at), left
  end
  local depth = 0
  repeat
    at = text:find('["%[%]{}]', at)
    if not at or left <= 0 then
      return nil
    end
    local found, steps = text:byte(at), 1
    if found == 34 then
      at, steps = after_string(text, at)
      if not at then
        return nil
      end
    else
      depth = depth + ((found == 91 or found == 123) and 1 or -1)
      at = at + 1
    end
    left = left - steps
    if depth > MOST_DEPTH then
      return nil
    end
  until depth == 0
  return at, left
end

-- Returns the members of a JSON object as {name, from, to} in order and by name, or nil and why not.
local function members(text)
  local list, left = {}, MOST_STEPS
  local at = text:match("^[ \t\r\n]*{[ \t\r\n]*()")
  if not at then
    return nil, "the body is not a JSON object in UTF-8"
  end
  if text:byte(at) == 125 then
    return list
  end
  while true do
    local name, from = text:match('^"([%w_]+)"[ \t\r\n]*:[ \t\r\n]*()', at)
    if not name then
      return nil, "the body is not a JSON object with plain names"
    end
    if list[name] then
      return nil, name .. " appears twice"
    end
    local to
    to, left = after_value(text, from, left)
    if not to then
      return nil, name .. " is not closed, or has too many parts to check"
    end
    if #list == MOST_MEMBERS then
      return nil, "the body has more than " .. MOST_MEMBERS .. " parameters"
    end
    local member = { name = name, from = from, to = to - 1 }
    list[name], list[#list + 1] = member, member
    local mark
    mark, at = text:match("^[ \t\r\n]*([,}])[ \t\r\n]*()", to)
    if mark == "}" then
      return at > #text and list or nil, "the body continues after its JSON object"
    elseif not mark then
      return nil, "the body is not a JSON object"
    end
  end
end

-- Returns how many prompts a value holds: a string or a list of numbers is one. Counts up to `most` + 1.
local function prompts(text, most)
  local at, left, count, mark = text:match("^%[[ \t\r\n]*()"), MOST_STEPS, 0, nil
  if not at or not text:find('^["%[{]', at) then
    return 1
  end
  repeat
    at, left = after_value(text, at, left)
    if not at then
      return most + 1
    end
    count = count + 1
    mark, at = text:match("^[ \t\r\n]*([,%]])[ \t\r\n]*()", at)
  until mark ~= "," or count > most
  return mark and count or most + 1
end

-- Copies what envoy.yaml gives a script into a table that outlives the request.
local function copied(value)
  if type(value) ~= "table" and type(value) ~= "userdata" then
    return value
  end
  local copy = {}
  for name, entry in pairs(value) do
    copy[name] = copied(entry)
  end
  return copy
end

-- Returns the text with other values; a value of false removes its member, new ones come last.
local function edited(text, found, changed)
  local parts, kept = {}, {}
  for _, member in ipairs(found) do
    local value = changed[member.name]
    if value == nil then
      value = text:sub(member.from, member.to)
    end
    if value then
      parts[#parts + 1] = '"' .. member.name .. '":' .. value
    end
    kept[member.name] = true
  end
  for name, value in pairs(changed) do
    if value and not kept[name] then
      parts[#parts + 1] = '"' .. name .. '":' .. value
    end
  end
  return next(changed) == nil and text or "{" .. table.concat(parts, ",") .. "}"
end

return { members = members, edited = edited, copied = copied, prompts = prompts }
