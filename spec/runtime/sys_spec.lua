local lfs = require "lfs"
local sys = require "moontide.runtime.sys"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local function entries(folder)
  local names = {}
  for name in lfs.dir(folder) do
    if name ~= "." and name ~= ".." then names[#names + 1] = name end
  end
  return names
end

local function mode(path)
  return shell.capture("stat -c %a " .. shell.quote(path))
end

local function kind_of(...)
  local ok, problem = pcall(...)
  assert.is_false(ok)
  return type(problem) == "table" and problem.kind or problem, problem.message
end

-- Running: neither gone nor dead and waiting for whoever adopted it.
local function alive(pid)
  local status = shell.read(("/proc/%d/status"):format(pid))
  return status ~= nil and not status:find("State:%s*[ZX]")
end

describe("sys.read", function()
  it("answers all bytes of a file", function()
    local path = tmp.name("read")
    local bytes = ("a\0b\r\n\255"):rep(50000)
    shell.write(path, bytes)
    assert.equal(bytes, sys.read(path))
  end)

  it("answers an empty file, and files whose size nobody knows", function()
    assert.equal("", sys.read("/dev/null"))
    assert.truthy(sys.read("/proc/self/status"):find("^Name:"))
  end)

  it("answers nil, why and the number for what cannot be read", function()
    local text, message, number = sys.read("/nowhere/file")
    assert.is_nil(text)
    assert.equal("/nowhere/file: No such file or directory", message)
    assert.equal(2, number)
    assert.is_nil((sys.read(tmp.folder())))
  end)
end)

describe("sys.write", function()
  it("writes a new file with mode 0644, or the mode asked for", function()
    local folder = tmp.folder()
    sys.write(folder .. "/a", "one\0two")
    sys.write(folder .. "/b", "secret", { mode = tonumber("600", 8) })
    assert.equal("one\0two", shell.read(folder .. "/a"))
    assert.equal("644", mode(folder .. "/a"))
    assert.equal("600", mode(folder .. "/b"))
  end)

  it("replaces a file, keeps its mode, and leaves nothing else in the folder", function()
    local folder = tmp.folder()
    sys.write(folder .. "/a", ("long"):rep(10000))
    sys.chmod(folder .. "/a", tonumber("640", 8))
    sys.write(folder .. "/a", "short")
    assert.equal("short", shell.read(folder .. "/a"))
    assert.equal("640", mode(folder .. "/a"))
    assert.same({ "a" }, entries(folder))
  end)

  it("never changes the bytes that somebody has open", function()
    local path = tmp.name("open")
    sys.write(path, "old")
    local file <close> = io.open(path)
    sys.write(path, "new")
    assert.equal("old", file:read("a"))
  end)

  it("raises a file fault and cleans up when it cannot", function()
    local folder = tmp.folder()
    lfs.mkdir(folder .. "/taken")
    shell.write(folder .. "/taken/x", "")
    local kind, message = kind_of(sys.write, folder .. "/taken", "text")
    assert.equal("file", kind)
    assert.truthy(message:find('could not write "' .. folder .. '/taken": ', 1, true))
    assert.same({ "taken" }, entries(folder))
    assert.equal("file", (kind_of(sys.write, "/nowhere/file", "text")))
  end)

  it("writes into the current folder by a bare name", function()
    local here = lfs.currentdir()
    lfs.chdir(tmp.folder())
    sys.write("bare", "text")
    local text = shell.read("bare")
    lfs.chdir(here)
    assert.equal("text", text)
  end)
end)

describe("paths", function()
  it("are resolved through links", function()
    local folder = sys.realpath(tmp.folder())
    shell.write(folder .. "/file", "")
    lfs.link("file", folder .. "/link", true)
    assert.equal(folder .. "/file", sys.realpath(folder .. "/link"))
    assert.is_nil((sys.realpath(folder .. "/none")))
  end)

  it("of new folders are new each time, and private", function()
    local prefix = tmp.name("made-")
    local one, two = sys.mkdtemp(prefix), sys.mkdtemp(prefix)
    assert.not_equal(one, two)
    assert.equal(prefix, one:sub(1, #prefix))
    assert.equal("700", mode(one))
    assert.equal("file", (kind_of(sys.mkdtemp, "/nowhere/x")))
  end)

  it("can be given away by root only", function()
    local path = tmp.name("owned")
    shell.write(path, "")
    if sys.uid() ~= 0 then
      assert.equal("file", (kind_of(sys.chown, path, 0, 0)))
    else
      sys.chown(path, 65534, 65533)
      assert.equal("65534 65533", shell.capture("stat -c '%u %g' " .. path))
    end
  end)
end)

describe("sys.run", function()
  it("answers exit code and both outputs, without a shell in between", function()
    local ran = sys.run { "printf", "%s|", "a b", "$HOME", "*" }
    assert.same({ status = 0, stdout = "a b|$HOME|*|", stderr = "", usage = ran.usage }, ran)
    ran = sys.run { "sh", "-c", "echo out; echo err >&2; exit 3" }
    assert.same({ status = 3, stdout = "out\n", stderr = "err\n", usage = ran.usage }, ran)
  end)

  it("tells what the program took, with what it waited for", function()
    local small = sys.run({ "true" }).usage
    assert.is_true(small.user + small.system < 0.5)
    assert.is_true(small.maxrss > 0)
    local busy = [[i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done]]
    assert.is_true(sys.run({ "sh", "-c", busy }).usage.user > 0.02)
    local large = sys.run { "sh", "-c", "dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null; true" }
    assert.is_true(large.usage.maxrss > 64 * 1024)
  end)

  it("moves megabytes in, out and to stderr at once", function()
    local input = ("0123456789abcdef"):rep(200000)
    local ran = sys.run({ "sh", "-c", "tee /dev/stderr" }, { input = input })
    assert.equal(0, ran.status)
    assert.is_true(ran.stdout == input and ran.stderr == input)
  end)

  it("does not mind a program that reads no input", function()
    assert.equal(0, sys.run({ "true" }, { input = ("x"):rep(1000000) }).status)
    assert.equal("", sys.run({ "cat" }).stdout)
    assert.equal("", sys.run({ "cat" }, { input = "" }).stdout)
  end)

  it("answers nil and why for what cannot be started", function()
    local ran, message = sys.run { "no-such-program" }
    assert.is_nil(ran)
    assert.equal('could not run "no-such-program": No such file or directory', message)
    assert.equal('could not enter the folder for "true": No such file or directory',
      select(2, sys.run({ "true" }, { cwd = "/nowhere" })))
    local path = tmp.name("plain")
    shell.write(path, "text")
    assert.equal(('could not run "%s": Permission denied'):format(path), select(2, sys.run { path }))
  end)

  it("tells a signal from an exit code", function()
    local ran = sys.run { "sh", "-c", "kill -TERM $$" }
    assert.equal(15, ran.signal)
    assert.is_nil(ran.status)
  end)

  it("gives the child default signals", function()
    assert.equal(13, sys.run({ "sh", "-c", "kill -PIPE $$" }).signal)
    assert.equal(2, sys.run({ "sh", "-c", "kill -INT $$" }).signal)
    assert.truthy(sys.run({ "cat", "/proc/self/status" }).stdout:find("SigBlk:%s0000000000000000"))
  end)

  it("adds to the environment, and takes from it", function()
    local ran = sys.run({ "sh", "-c", 'echo "$MT_A|${HOME-none}|${PATH:+some}"' },
      { env = { MT_A = "x y", HOME = false } })
    assert.equal("x y|none|some\n", ran.stdout)
  end)

  it("runs in another folder", function()
    local folder = sys.realpath(tmp.folder())
    assert.equal(folder .. "\n", sys.run({ "pwd" }, { cwd = folder }).stdout)
  end)

  it("hands no open file to the child", function()
    local file <close> = io.open("/dev/null")
    assert.truthy(file)
    assert.equal("0\n1\n2\n3\n", sys.run({ "ls", "/proc/self/fd" }).stdout)
  end)

  it("keeps no descriptor and no zombie", function()
    local function descriptors() return #entries("/proc/self/fd") end
    sys.run { "true" }
    local before = descriptors()
    for _ = 1, 20 do sys.run { "true" } sys.run { "no-such-program" } end
    assert.equal(before, descriptors())
    local children = sys.run({ "sh", "-c", "ps -o stat= --ppid " .. sys.pid() }).stdout
    assert.is_nil(children:find("Z"))
  end)

  it("ends the program and what it has started when the time is up", function()
    local path = tmp.name("pid")
    local start = sys.clock()
    local kind, message = kind_of(sys.run, { "sh", "-c", "sleep 60 & echo $! >" .. path .. "; wait" },
      { timeout = 0.3 })
    assert.equal("timeout", kind)
    assert.equal('"sh" took longer than it may', message)
    assert.is_true(sys.clock() - start < 4)
    assert.is_falsy(alive(tonumber(shell.read(path))))
  end)

  it("does not wait for what stays in the background with the pipes open", function()
    local start = sys.clock()
    local ran = sys.run { "sh", "-c", "echo started; sleep 3 & exit 0" }
    assert.equal("started\n", ran.stdout)
    assert.is_true(sys.clock() - start < 2)
  end)

  it("lets go of root's rights: user, group and groups", function()
    if sys.uid() ~= 0 then return pending("needs root") end
    local ran = sys.run({ "sh", "-c", "id -u; id -g; id -G" }, { uid = 65534, gid = 65534 })
    assert.equal("65534\n65534\n65534\n", ran.stdout)
    local me = sys.user(0)
    assert.equal("0\n", sys.run({ "id", "-u" }, { uid = me.uid, gid = me.gid }).stdout)
  end)

  it("says so when it may not change the user", function()
    if sys.uid() ~= 0 then
      assert.truthy(select(2, sys.run({ "id" }, { uid = 0, gid = 0 })):find("could not set the groups of", 1, true))
    end
  end)

  it("refuses a command that is none", function()
    assert.error_matches(function() sys.run {} end, "empty command")
    assert.error_matches(function() sys.run { "echo", 5 } end, "argument 2 of a command must be a string")
    assert.error_matches(function() sys.run({ "true" }, { cwd = {} }) end, "cwd must be a string")
  end)
end)

describe("users", function()
  it("are found by name and by number", function()
    local root = sys.user("root")
    assert.same({ name = "root", uid = 0, gid = 0, home = root.home }, root)
    assert.same(root, sys.user(0))
    assert.is_nil(sys.user("no such user"))
    assert.equal(tonumber(shell.capture("id -u")), sys.uid())
  end)

  it("sit at a machine with a name", function()
    assert.equal(shell.capture("uname -n"), sys.hostname())
  end)
end)

describe("the environment", function()
  it("comes as a table", function()
    local environment = sys.environ()
    assert.equal(os.getenv("PATH"), environment.PATH)
    assert.is_nil(environment[""])
  end)
end)

describe("the terminal", function()
  it("is not a file", function()
    local path = tmp.name("tty")
    shell.write(path, "")
    local file <close> = io.open(path)
    assert.truthy(file)
    assert.is_false(sys.isatty(999))
    assert.is_nil(sys.width(999))
  end)
end)

describe("clocks", function()
  it("go on while sleeping", function()
    local start, wall = sys.clock(), sys.time()
    sys.sleep(0.05)
    assert.is_true(sys.clock() - start >= 0.05)
    assert.is_true(sys.time() - wall >= 0.04)
    assert.is_true(math.abs(sys.time() - os.time()) < 2)
    sys.sleep(-1)
  end)
end)

describe("sys.random", function()
  it("answers as many bytes as asked for, different each time", function()
    assert.equal(16, #sys.random(16))
    assert.equal("", sys.random(0))
    assert.not_equal(sys.random(16), sys.random(16))
    assert.error_matches(function() sys.random(257) end, "must be 0 to 256")
  end)
end)

describe("sys.spawn", function()
  -- Everything that processes write, by number, until all have ended.
  local function attend_all(processes)
    local texts, results, left = {}, {}, #processes
    for i = 1, #processes do texts[i] = { "", "" } end
    while left > 0 do
      sys.attend(processes, 5)
      for i, process in ipairs(processes) do
        local ended = process:ended()
        local out, err = process:read()
        texts[i] = { texts[i][1] .. (out or ""), texts[i][2] .. (err or "") }
        if ended and not results[i] then results[i], left = ended, left - 1 end
      end
    end
    return texts, results
  end

  -- Each waits until all four are there.
  it("runs programs beside each other, each with its own output", function()
    local folder, processes = tmp.folder(), {}
    for i = 1, 4 do
      local text = ("cd %s; : > %d; for n in $(seq 500); do [ -e 1 ] && [ -e 2 ] && [ -e 3 ] && [ -e 4 ] && break; "
        .. "sleep 0.05; done; echo out %d; echo err %d >&2; [ $n -lt 500 ] && exit %d"):format(folder, i, i, i, i)
      processes[i] = assert(sys.spawn { "sh", "-c", text })
    end
    local texts, results = attend_all(processes)
    for i = 1, 4 do
      assert.same({ ("out %d\n"):format(i), ("err %d\n"):format(i) }, texts[i])
      assert.same({ status = i }, results[i])
    end
  end)

  it("takes more output than a pipe holds, and the environment of its options", function()
    local process = assert(sys.spawn({ "sh", "-c", "seq 100000; echo $SPOKEN" }, { env = { SPOKEN = "word" } }))
    local texts = attend_all { process }
    assert.equal(588895 + 5, #texts[1][1])
    assert.matches("\n100000\nword\n$", texts[1][1])
  end)

  it("says what could not be started", function()
    local process, message = sys.spawn { "no-such-program" }
    assert.is_nil(process)
    assert.equal('could not run "no-such-program": No such file or directory', message)
    assert.error_matches(function() sys.spawn {} end, "empty command")
  end)

  it("ends a process that is closed, terminated or forgotten", function()
    local process = assert(sys.spawn { "sleep", "60" })
    assert.is_nil(process:ended())
    process:terminate()
    repeat sys.attend({ process }, 5) until process:ended()
    assert.same({ signal = 15 }, process:ended())
    process:terminate()
    local file = tmp.name("alive")
    -- A signal to the group while the shell forks is lost on its trap, so it forks before it is ready to be told.
    local text = "trap 'echo over >" .. file .. "; exit' TERM; sleep 60 & echo ready; wait"
    local other = assert(sys.spawn { "sh", "-c", text })
    repeat sys.attend({ other }, 5) until other:read() == "ready\n"
    other:close()
    other:close()
    assert.equal("over\n", shell.read(file))
    assert.is_nil(other:read())
  end)

  it("wakes at the end of the time", function()
    local process <close> = assert(sys.spawn { "sleep", "60" })
    local start = sys.clock()
    sys.attend({ process }, 0.1)
    assert.is_true(sys.clock() - start >= 0.1 and sys.clock() - start < 2)
  end)
end)
