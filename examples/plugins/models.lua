-- What the kind of the plugin "search" declares; env.lua includes nothing else.

model.text_search_configuration("names", {
  mappings = { asciiword = { "simple" }, word = { "simple" }, numword = { "simple" } },
})
