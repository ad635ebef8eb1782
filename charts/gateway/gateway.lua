-- Who sends a request, and for what: runs in Envoy, on every request, before it is forwarded.
--
-- The key is checked before the body is read. The body is read by a scan of its outermost object. Two
-- parsers that disagree about a request (a key that appears twice, an escaped name) would be a way
-- around any rule, so such bodies are rejected. Whether a request may leave is not decided here, but by
-- the routes of envoy.yaml, from the headers that are set here.

local body = dofile("/etc/gateway/body.lua")

local KEYS = "/etc/gateway-keys/"
local REREAD_SECONDS = 5

local rules -- of envoy.yaml: copied once, and read by all requests
local team_of, entry_of, read_at = {}, {}, -math.huge

local function key_in(entry)
  local file = io.open(KEYS .. entry, "rb")
  local key = file and file:read("*a"):match("^%s*(.-)%s*$") or ""
  if file then
    file:close()
  end
  return key ~= "" and key
end

-- The keys of the mounted Secret: one file for each team, by the team's name, and during a rotation a
-- second one, NAME.next. They are read again every few seconds, so that a withdrawn key stops working
-- without a restart. The next key is read first: the kubelet replaces all files at once, possibly between
-- two reads. When the next key takes the place of the current one, it is then found in at least one file.
local function read_keys(handle)
  local now = os.time()
  if now - read_at < REREAD_SECONDS then
    return
  end
  team_of, entry_of, read_at = {}, {}, now
  for _, team in ipairs(rules.names) do
    for _, entry in ipairs({ "next", "current" }) do
      local key = key_in(entry == "next" and team .. ".next" or team)
      if key and team_of[key] and team_of[key] ~= team then
        handle:logErr("teams " .. team_of[key] .. " and " .. team .. " have the same key")
      elseif key then
        team_of[key], entry_of[key] = team, entry
      end
    end
  end
end

local function refuse(handle, status, message)
  -- The rate limit service says when its limits start again; a place in flight may be free at any moment.
  handle:respond({ [":status"] = tostring(status), ["retry-after"] = status == 429 and "1" or nil }, message)
end

-- A number of 32 bits for the beginning of a prompt: the same beginning goes to the same replica,
-- whose cache knows it.
local function hash(text)
  local sum = 5381
  for at = 1, #text do
    sum = (sum * 33 + text:byte(at)) % 4294967296
  end
  return sum
end

-- Requests in flight, by team: sets of coroutines, and how many were added since the last count. Envoy
-- keeps a request's coroutine until its stream has ended, in whatever way, and does not notify the script.
-- So the garbage collector shows which have ended. It runs at the limit only, for half a millisecond per 500.
local in_flight = {}

-- Counts a request of a team; returns false, and counts nothing, if the team is at its limit.
local function begins(name, most)
  local own = in_flight[name]
  if not own then
    own = { streams = setmetatable({}, { __mode = "k" }), count = 0 }
    in_flight[name] = own
  end
  if own.count >= most then
    collectgarbage()
    own.count = 0
    for _ in pairs(own.streams) do
      own.count = own.count + 1
    end
    if own.count >= most then
      return false
    end
  end
  own.streams[coroutine.running()] = true
  own.count = own.count + 1
  return true
end

local function whole_number(text)
  return text and #text < 16 and text:match("^%d+$") and tonumber(text)
end

-- Returns the body to forward, or nil and the reason.
local function checked(text, path, team)
  local found, why = body.members(text)
  if not found then
    return nil, why
  end
  local function value(name)
    local member = found[name]
    return member and text:sub(member.from, member.to)
  end
  for _, member in ipairs(found) do
    if not rules.parameters[member.name] then
      return nil, "unsupported parameter: " .. member.name
    end
  end
  local changed = {}
  local answers = 1
  for _, name in ipairs({ "n", "best_of" }) do
    local each = value(name)
    if each and each ~= "null" then
      answers = math.max(answers, whole_number(each) or math.huge)
    end
    if answers > rules.answers then
      return nil, name .. " must be at most " .. rules.answers
    end
  end
  answers = answers * body.prompts(value("prompt") or "", rules.answers)
  if answers > rules.answers then
    return nil, "the number of prompts times n must be at most " .. rules.answers
  end
  local limit = team.output
  local longest, asked = limit or rules.longest, nil
  for _, name in ipairs(rules.lengths) do
    local length = value(name)
    if length and length ~= "null" then
      local number = whole_number(length)
      -- Engines read 0 as "no limit".
      if not number or number < 1 or number > longest then
        return nil, name .. " must be a whole number from 1 to " .. longest
      end
      -- A length under a name that this path ignores does not limit anything.
      if path.lengths[name] then
        asked = math.max(asked or 0, number)
      end
    end
  end
  if path.output ~= "" and not asked and limit then
    asked = limit
    changed[path.output] = tostring(limit)
  end
  if value("store") and value("store") ~= "false" and value("store") ~= "null" then
    return nil, "store must be false: replicas do not keep answers"
  end
  local stream = value("stream") or "false"
  if stream ~= "true" and stream ~= "false" and stream ~= "null" then -- engines read 1 as true
    return nil, "stream must be true or false"
  end
  local streams = stream == "true"
  local wants_usage = (value("stream_options") or ""):match('"include_usage"%s*:%s*true')
  if streams and path.stream_options then
    changed.stream_options = '{"include_usage":true}'
  end
  local model = (value("model") or ""):match('^"([^"\\]*)"$')
  if not model then
    return nil, "the body does not name a model"
  end
  local beginning = (value("system") or "") .. (value("instructions") or "")
    .. (value("messages") or value("prompt") or value("input") or value("query") or "")
  local sent = body.edited(text, found, changed)
  return {
    text = sent,
    model = model,
    prefix = hash(model .. beginning:sub(1, rules.beginning)),
    output = (asked or 0) * answers,
    hides_usage = streams and path.stream_options and not wants_usage,
  }
end

-- Client headers that are forwarded. All others are dropped: ids, timeouts, routes, cookies.
local KEPT = { ["content-type"] = true, ["content-length"] = true, accept = true, te = true }
KEPT["transfer-encoding"], KEPT["x-stay-inside"], KEPT["x-request-id"] = true, true, true
KEPT["x-forwarded-proto"] = true

-- Seconds until the first of the next month (UTC), whose day 1 comes 0 to 30 days from tomorrow.
local function until_next_month(now)
  local day = 86400
  local next_day = (math.floor(now / day) + 1) * day
  while os.date("!%d", next_day) ~= "01" do
    next_day = next_day + day
  end
  return next_day - now
end

-- Keeps the mark that a request stays inside, unless its only value is "false". Routes cannot decide this:
-- Envoy matches the values of a repeated header one by one, so "true" with "false" counted as false.
local function mark(headers)
  local marks = headers:getNumValues("x-stay-inside")
  if marks == 1 and headers:get("x-stay-inside") == "false" then
    headers:remove("x-stay-inside")
  elseif marks > 0 then
    headers:replace("x-stay-inside", "true")
  end
end

local LIMIT_HEADERS = { "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset" }

-- Says when a used-up limit starts again. Envoy 1.39 puts that in another header, and the value is wrong
-- for a month, because months are counted under a longer period.
function envoy_on_response(handle)
  local headers = handle:headers()
  local seconds = tonumber(headers:get("x-ratelimit-reset") or "") -- tonumber() of nothing is an error
  for _, name in ipairs(LIMIT_HEADERS) do
    headers:remove(name)
  end
  if headers:get(":status") == "429" and seconds then
    headers:replace("retry-after", tostring(seconds > 86400 and until_next_month(os.time()) or seconds))
  end
end

-- The team that a checked token names: a string, or a list with exactly one team of the gateway.
local function team_in(claim)
  if type(claim) == "string" then
    return rules.teams[claim] and claim
  end
  local found
  for _, one in ipairs(type(claim) == "table" and claim or {}) do
    if type(one) == "string" and rules.teams[one] then
      if found then
        return nil
      end
      found = one
    end
  end
  return found
end

-- Returns the team of a request, or nil, the status and the reason. If there was a token, Envoy has
-- already checked and removed it.
local function who(handle, headers)
  local keys, tokens = headers:getNumValues("x-api-key"), headers:getNumValues("authorization")
  if rules.claim then
    local checked = handle:streamInfo():dynamicMetadata():get("envoy.filters.http.jwt_authn")
    if checked and checked.claims then
      if keys + tokens > 0 then
        return nil, 401, "send either a token or a key, not both"
      end
      local name = team_in(checked.claims[rules.claim])
      if name then
        return name, "token"
      end
      return nil, 403, "the token does not name a team of this gateway"
    end
  end
  read_keys(handle)
  local key = headers:get("x-api-key")
  if not rules.claim then
    key = (headers:get("authorization") or ""):match("^[Bb]earer +([^ ,]+) *$") or key
  end
  local name = key and keys + tokens == 1 and team_of[key]
  if not name then
    return nil, 401, rules.claim and "no valid token, and no team has this key" or "no team has this key"
  end
  return name, entry_of[key]
end

function envoy_on_request(handle)
  rules = rules or body.copied(handle:filterContext())
  local headers = handle:headers()
  mark(headers)
  local name, how, why = who(handle, headers)
  if not name then
    return refuse(handle, how, why)
  end
  local foreign = {}
  for header in pairs(headers) do
    if header:byte(1) ~= 58 and not KEPT[header] then
      foreign[#foreign + 1] = header
    end
  end
  for _, header in ipairs(foreign) do
    headers:remove(header)
  end
  local team = rules.teams[name]
  local address = (headers:get(":path") or ""):match("^[^?]*")
  if address == "" then -- CONNECT has none
    return refuse(handle, 404, "there is nothing at this address")
  end
  headers:replace(":path", address)
  headers:replace("x-team", name)
  local known = handle:streamInfo():dynamicMetadata()
  known:set("gateway", "team", name)
  known:set("gateway", "key", how)
  if team.limited then
    local month = os.date("!%m-%Y")
    headers:replace("x-limited", name)
    headers:replace("x-month", month)
    known:set("gateway", "limited", name)
    known:set("gateway", "month", month)
  end
  local path = rules.paths[address]
  if not path then -- a path without a body, such as the list of models
    return handle:clearRouteCache()
  end
  if not begins(name, team.in_flight) then
    return refuse(handle, 429, "the team has " .. team.in_flight .. " requests in flight, which is its limit")
  end
  local sent = handle:body(true)
  local request, why = checked(sent:getBytes(0, sent:length()), path, team)
  if not request then
    return refuse(handle, 400, why)
  end
  headers = handle:headers() -- the previous one is invalid after waiting for the body
  -- The replica or API gets the body as it was checked here, with its length.
  headers:replace("content-length", tostring(sent:setBytes(request.text)))
  headers:replace("content-type", "application/json")
  headers:remove("transfer-encoding")
  headers:replace("x-model", request.model)
  headers:replace("x-prefix", tostring(request.prefix))
  headers:replace("x-output", tostring(request.output))
  if request.hides_usage then
    headers:replace("x-hides-usage", "1")
  end
  handle:clearRouteCache()
end
