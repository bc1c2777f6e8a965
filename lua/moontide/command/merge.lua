--- `moontide merge`: write a revision that joins several heads.

local draft = require "moontide.draft"
local fault = require "moontide.fault"
local plan = require "moontide.plan"

local merge = { name = "merge", summary = "write a revision that joins several heads" }

merge.description = "Writes an empty revision that stands on all the given ones, such as `moontide merge heads`. "
  .. "It runs the post-write hooks as `moontide revision` does."

function merge.options(command)
  command:argument("revisions", "the revisions to join; heads for all heads"):args("+"):argname("REV")
  command:option("-m --message", "what the revision does"):argname("TEXT")
  command:option("--branch-label", "a name for the branch, repeatable"):argname("LABEL"):count("*")
  command:option("--rev-id", "the identifier, instead of a random one"):argname("ID")
  command:option("--version-path", "the version location to write to"):argname("DIR")
  command:flag("--splice", "allow revisions that are not heads")
end

local function refuse_single(down)
  fault.raise("revision", "nothing to merge", {
    detail = #down == 1 and ("There is one revision, %s."):format(down[1]) or "There are no revisions.",
    hint = "A merge joins two or more revisions; `moontide heads` lists the heads.",
  })
end

function merge.run(app, args)
  local script = app:script { check = true }
  local down = plan.parents(script.graph, args.revisions, { splice = args.splice })
  if #down < 2 then refuse_single(down) end
  local passed = draft.write(script, {
    id = args.rev_id, labels = args.branch_label, down = down, version_path = args.version_path,
    message = args.message or "merge " .. table.concat(down, " and "),
  })
  return passed and 0 or 1
end

return merge
