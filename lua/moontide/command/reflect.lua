--- `moontide reflect`: the database as a model file.

local report = require "moontide.report"

local reflect = { name = "reflect", summary = "print the database as a model file" }

reflect.description = "Prints every schema, extension, type, sequence, table, view, function, trigger and policy as "
  .. "declarations, each after what it needs. What a model cannot say is listed at the end by kind and name. The "
  .. "database is read in one round trip, whatever its size, and nothing in it is changed."

function reflect.options(command)
  command:option("-o --output", "write to this file instead; one that exists is kept"):argname("FILE")
end

local function write(path, text)
  if require("lfs").symlinkattributes(path, "mode") then
    require("moontide.fault").raise("file", ('file "%s" already exists'):format(path),
      { hint = "It was left as it is." })
  end
  require("moontide.runtime.sys").write(path, text .. "\n")
  report.info(("Generating %s ...  done"):format(path))
end

local function document(set)
  local json = require "moontide.json"
  local objects, unmodelled = {}, {}
  for i, item in ipairs(require("moontide.fact.text").declarations(set)) do
    objects[i] = { kind = item.kind, object = item.key, source = item.source }
  end
  for i, item in ipairs(set.unmodelled) do unmodelled[i] = { kind = item.kind, name = item.name } end
  return { objects = json.array(objects), not_modelled = json.array(unmodelled) }
end

function reflect.run(app, args)
  local db <close> = require("moontide.connecting").connect(app:config())
  local set = require("moontide.reading").included(db, app:config())
  if args.output then write(args.output, require("moontide.fact.text").file(set)) end
  if report.is_json() then
    report.json(document(set))
  elseif not args.output then
    report.out(require("moontide.fact.text").file(set))
  end
end

return reflect
