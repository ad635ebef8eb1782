-- The usage of an answer: runs in Envoy, in the listeners in front of the own replicas and of the API.
--
-- The destination that answers is charged. The sums are dynamic metadata ("gateway": tokens, units) that
-- the rate limit filter adds to the team's budgets when the request ends, in whatever way. Text is never
-- kept, except the first part of a stream and its last few, while it runs.

local body = dofile("/etc/gateway/body.lua")

local EVERY = 16 -- the sum of a stream is updated every so many parts, and for each of the first ones
local PARTS = 4 -- kept for the end of a stream: the last ones have the usage

local MOST = 1e9 -- what one request adds to a budget

local rules
local owed = {} -- by team: the remainder below one unit of its budget, in billionths of a dollar

-- Returns the usage that an answer reports; nil if it reports none. The last one counts, and a model's
-- text cannot look like it, because a quote within a JSON string has a backslash before it. Each text is
-- scanned once, whatever it holds: a pattern without an anchor, or one that looks for the closing brace,
-- could start again at each byte, and block the gateway for minutes.
local function used(text)
  local usage = text:match('^.*"usage"%s*:%s*{(.*)')
  local function of(name)
    local number = usage and tonumber(usage:match('"' .. name .. '"%s*:%s*(%d+)'))
    return number and math.min(number, MOST)
  end
  -- Anthropic's input count leaves out tokens that were read from or written to a cache.
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

-- Returns an empty string for a whole line of a stream that has only the usage.
local function without_usage(line)
  local is_whole = line:find("\n", 1, true) and line:find("^data: ")
  return is_whole and line:find('"choices":%s*%[%]') and "" or nil
end

-- Returns billionths of a dollar, at the prices of the requested model.
local function price(usage, model)
  local each, cached = rules.models[model], math.min(usage.cached, usage.input)
  return (usage.input - cached) * each.input + cached * each.cached + usage.output * each.output
end

-- Records what a request has used so far. It is final once only, because it keeps the remainder of a unit.
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

-- Rewrites the request for the API: its own model name, and only parameters that it supports.
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
  -- Four bytes per token, until the answer reports it.
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
    -- Whatever the outcome, the API works on it and bills it.
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
    -- An error is not billed; a timeout is, for what was requested.
    if status ~= "504" then
      tell(handle, known, { input = 0, output = 0, cached = 0 })
    end
    if status == "401" or status == "403" then
      -- The gateway's own key is wrong, not the client's; the API's message is not passed on.
      handle:headers():replace(":status", "502")
      local said = handle:body(true)
      local length = said:setBytes('{"error":{"message":"the model rejected the gateway\'s key","type":"gateway","code":502}}')
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
        -- Several events may come as one part. Each counts as one token until the usage arrives.
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
