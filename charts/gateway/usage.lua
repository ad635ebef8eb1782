-- What an answer has used: runs in Envoy, in the listeners in front of the own replicas and of the API.
--
-- Who answers pays: the sums are dynamic metadata ("gateway": tokens, units) that the rate limit
-- filter adds to the team's budgets when the request ends, however it ends. Text is never kept: of a
-- stream, the first part and the last few, and those only while it runs.

local body = dofile("/etc/gateway/body.lua")

local EVERY = 16 -- parts of a stream after which its sum is brought up to date; the first ones each do
local PARTS = 4 -- that are looked at when a stream ends: the usage is in the last ones

local MOST = 1e9 -- that Envoy adds to a budget for one request

local rules
local owed = {} -- by team: what is less than a unit of its budget, in billionths of a dollar

-- Returns what an answer says that it used; nil where it says nothing. The last one counts, and no text
-- of a model can look like it: within a JSON string a quote has a backslash before it. Each text is
-- passed once, whatever is in it: a pattern that begins anywhere, or looks for the closing brace, may begin
-- from each byte, and hold the gateway for minutes.
local function used(text)
  local usage = text:match('^.*"usage"%s*:%s*{(.*)')
  local function of(name)
    local number = usage and tonumber(usage:match('"' .. name .. '"%s*:%s*(%d+)'))
    return number and math.min(number, MOST)
  end
  -- Anthropic's form leaves out of the input what was read from or written to a cache.
  local read, written = of("cache_read_input_tokens") or 0, of("cache_creation_input_tokens") or 0
  local input = of("prompt_tokens") or of("input_tokens")
  input = input and input + read + written
  local output = of("completion_tokens") or of("output_tokens")
  if not input and not output then
    input = of("total_tokens")
  end
  if not input and not output then
    return nil
  end
  return { input = input or 0, output = output or 0, cached = of("cached_tokens") or read }
end

-- Returns nothing for a whole line of a stream that tells the usage alone.
local function without_usage(line)
  local is_whole = line:find("\n", 1, true) and line:find("^data: ")
  return is_whole and line:find('"choices":%s*%[%]') and "" or nil
end

-- Returns billionths of a dollar, at the prices of the model that was asked for.
local function price(usage, model)
  local each, cached = rules.models[model], math.min(usage.cached, usage.input)
  return (usage.input - cached) * each.input + cached * each.cached + usage.output * each.output
end

-- Says what a request has used so far; once only for good, because a rest of a unit is kept.
local function tell(handle, who, usage, is_final)
  local team, nano = who.team, math.floor(price(usage, who.model) + 0.5)
  local metadata, unit = handle:streamInfo():dynamicMetadata(), rules.units[team] or 1
  local due = nano + (is_final and owed[team] or 0)
  local units = is_final and math.floor(due / unit) or math.ceil(due / unit)
  if is_final then
    owed[team] = due - units * unit
  end
  metadata:set("gateway", "tokens", usage.input + usage.output)
  metadata:set("gateway", "input", usage.input)
  metadata:set("gateway", "output", usage.output)
  metadata:set("gateway", "nano", nano)
  metadata:set("gateway", "units", math.min(units, MOST))
end

-- Gives the request the form that the API takes: its own name of the model, and only what it knows.
local function rewrite(handle, api)
  local sent = handle:body(true)
  local text = sent:getBytes(0, sent:length())
  local found = body.members(text)
  local changed = { model = '"' .. api.model .. '"' }
  for _, name in ipairs(rules.dropped) do
    if found[name] then
      changed[name] = false
    end
  end
  for old, new in pairs(api.renamed) do
    if found[old] and not found[new] then
      changed[new], changed[old] = text:sub(found[old].from, found[old].to), false
    end
  end
  handle:headers():replace("content-length", tostring(sent:setBytes(body.edited(text, found, changed))))
end

function envoy_on_request(handle)
  rules = rules or body.copied(handle:filterContext())
  local headers, metadata = handle:headers(), handle:streamInfo():dynamicMetadata()
  local who = { team = headers:get("x-team"), model = headers:get("x-model") }
  -- Four bytes a token, until the answer tells.
  local input = math.ceil((tonumber(headers:get("content-length")) or 0) / 4)
  metadata:set("gateway", "team", who.team)
  metadata:set("gateway", "model", who.model)
  metadata:set("gateway", "route", headers:get("x-destination"))
  metadata:set("gateway", "estimate", input)
  if headers:get("x-limited") then
    metadata:set("gateway", "limited", headers:get("x-limited"))
    metadata:set("gateway", "month", headers:get("x-month"))
  end
  metadata:set("gateway", "hides_usage", headers:get("x-hides-usage") == "1")
  if rules.reserve then
    -- Whatever comes of it, the API works for it, and bills.
    tell(handle, who, { input = input, output = tonumber(headers:get("x-output")) or 0, cached = 0 })
    rewrite(handle, rules.models[who.model])
  else
    tell(handle, who, { input = 0, output = 0, cached = 0 })
  end
  handle:headers():replace("x-counted", "1")
  handle:clearRouteCache()
end

function envoy_on_response(handle)
  local known = handle:streamInfo():dynamicMetadata():get("gateway")
  if not known then
    return
  end
  local status = handle:headers():get(":status")
  if status ~= "200" then
    -- An error is not billed; a time-out is, for what was asked.
    if status ~= "504" then
      tell(handle, known, { input = 0, output = 0, cached = 0 })
    end
    if status == "401" or status == "403" then
      -- The gateway's own key is wrong, and the client's is not; what is said of it is nobody's business.
      handle:headers():replace(":status", "502")
      local said = handle:body(true)
      local length = said:setBytes('{"error":{"message":"the model does not take the gateway\'s key","type":"gateway","code":502}}')
      handle:headers():replace("content-length", tostring(length))
    end
    return
  end
  local streams = (handle:headers():get("content-type") or ""):find("text/event-stream", 1, true) == 1
  if known.hides_usage then
    handle:headers():remove("content-length")
  end
  local so_far = { input = known.estimate, output = 0, cached = 0 }
  if streams or not rules.reserve then
    tell(handle, known, so_far)
  end
  local first, parts, count, events = nil, {}, 0, 0
  for chunk in handle:bodyChunks() do
    local length = chunk:length()
    if length > 0 then
      local text = chunk:getBytes(0, length)
      first = first or text
      count = count + 1
      parts[count % PARTS] = text
      if streams then
        -- Several events may come as one part. One is a token, as far as anybody can tell.
        for _ in text:gmatch("data: ?{") do
          events = events + 1
        end
        if count % EVERY == 0 or count < EVERY then
          so_far.output = events
          tell(handle, known, so_far)
        end
      end
      if known.hides_usage and text:find('"choices":%s*%[%]') then
        chunk:setBytes((text:gsub("[^\n]*\n?[\r\n]*", without_usage)))
      end
    end
  end
  local last = {}
  for back = PARTS - 1, 0, -1 do
    last[#last + 1] = count > back and parts[(count - back) % PARTS] or nil
  end
  so_far.output = events
  tell(handle, known, used(table.concat(last)) or used(first or "") or so_far, true)
end
