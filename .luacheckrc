std = "lua54"
max_line_length = 120
codes = true
self = false -- a method may ignore its object: transports and sinks are interchangeable
files["spec"] = { std = "+busted" }
