--- `moontide completion`: a completion script for a shell. The one command that
--- loads all the others.

local report = require "moontide.report"

local completion = { name = "completion", summary = "print a completion script for a shell" }

completion.description = "Prints a completion script. Load it with `eval \"$(moontide completion bash)\"` in "
  .. "~/.bashrc, the same with zsh in ~/.zshrc, or `moontide completion fish | source` in config.fish."

function completion.options(command)
  command:argument("shell", "bash, zsh or fish"):argname("SHELL"):choices { "bash", "zsh", "fish" }
end

local writers = { bash = "get_bash_complete", zsh = "get_zsh_complete", fish = "get_fish_complete" }

function completion.run(app, args)
  local commandline = require "moontide.commandline"
  commandline.learn(app.args)
  local parser = commandline.whole()
  local text = parser[writers[args.shell]](parser):gsub("%s+$", "")
  if report.is_json() then return report.json { shell = args.shell, script = text } end
  report.out(text)
end

return completion
