--- Every kind of database object, in the order their operations are listed.
--- Loading a file registers its operations; this list is the only other place to edit for a new kind.

local files = {
}

for _, name in ipairs(files) do require("moontide.object." .. name) end

return files
