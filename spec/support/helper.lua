--- Loaded by busted before the first spec. What is required here stays loaded
--- for the whole run; everything else is loaded afresh for each spec file.

require "moontide.op"   -- one registry of operations, as in the program
require "spec.support.server"
require "spec.support.tmp"
require "spec.support.versions"
