--- `moontide lua`: the embedded interpreter, run like the interpreter `lua`.

local console = require "moontide.console"
local fault = require "moontide.fault"

local function options(command)
  command:option("-e", "run this code instead of a file"):argname("CODE"):target("code")
  command:argument("script", "the file to run; - reads standard input"):args("?")
  command:argument("arguments", "what the script finds in arg"):args("*")
end

local function read(path)
  local file = path == "-" and io.stdin or io.open(path, "rb")
  if not file then fault.raise("file", ('could not read "%s"'):format(path)) end
  local text, message = file:read("a")
  if not text then fault.raise("file", ('could not read "%s": %s'):format(path, message)) end
  if path ~= "-" then file:close() end
  return (text:gsub("^#[^\n]*", ""))
end

local function usage()
  fault.raise("usage", "a script is required", { hint = "Give a file, or code with -e." })
end

-- The code, its chunk name, and the words that become its arguments.
local function source(args)
  local words = table.move(args.arguments or {}, 1, #(args.arguments or {}), 1, {})
  if args.code then
    if args.script then table.insert(words, 1, args.script) end
    words[0] = "-e"
    return args.code, "=(command line)", words
  end
  if not args.script then usage() end
  words[0] = args.script
  return read(args.script), args.script == "-" and "=stdin" or "@" .. args.script, words
end

-- "path:line: message" with its place apart.
local function script_fault(value)
  if fault.is(value) then return fault.of(value) end
  local where, message = tostring(value):match("^(%S-:%d+): (.*)$")
  return fault.new("script", message or tostring(value), { where = where })
end

local function explain(value)
  local problem = script_fault(value)
  problem.traceback = problem.traceback or debug.traceback("", 2):gsub("^%s+", "")
  return problem
end

local function load_script(text, name)
  local chunk, message = load(text, name, "t")
  if not chunk then error(script_fault(message), 0) end
  return chunk
end

local function run(app, args)
  local text, name, words = source(args)
  local chunk = load_script(text, name)
  _G.arg = words
  console.extend(_G, app)
  local ok, problem = xpcall(chunk, explain, table.unpack(words))
  if not ok then error(problem, 0) end
end

return {
  name = "lua",
  summary = "run a Lua script with op and the connection",
  description = "Runs a Lua script in the embedded interpreter, with the full standard libraries. The globals op, db,"
    .. " config, sql and null connect to the database of the environment when they are first used; operations"
    .. " take effect at once, op.transaction(fn) holds several together.",
  rest = true,
  options = options,
  run = run,
}
