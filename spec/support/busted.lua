-- Runs busted in the interpreter of the shipped binary:
--     moontide lua spec/support/busted.lua [busted arguments]
require "busted.runner" { standalone = false }
