---@meta moontide.runtime.sys

--- What Lua's own library cannot ask of the operating system. Faults are tables { kind, message }.
local sys = {}

---@class moontide.RunOptions
---@field cwd? string                          the folder to run in
---@field env? table<string, string|false>     added to our environment; false takes a variable away
---@field uid? integer                         become this user first, with the groups of a login
---@field gid? integer
---@field input? string                        standard input; otherwise a captured program reads nothing
---@field capture? boolean                     default true; false leaves it our standard streams
---@field foreground? boolean                  it has the terminal, and Ctrl-C; nothing is captured
---@field timeout? number                      seconds until it is ended and a "timeout" fault raised

--- What a program and those of its children that it waited for took.
---@class moontide.Usage
---@field user number     seconds of processor time
---@field system number   the same, inside the kernel
---@field maxrss integer  KiB of memory at the peak; never less than our own at the start, which the kernel counts in

---@class moontide.Ran
---@field status? integer  exit code
---@field signal? integer  what ended it, when it did not exit by itself
---@field stdout? string   when captured
---@field stderr? string
---@field usage moontide.Usage

---@class moontide.User
---@field name string
---@field uid integer
---@field gid integer
---@field home string

--- All bytes of a file.
---@param path string
---@return string? bytes
---@return string? message
---@return integer? errno
function sys.read(path) end

--- Write a file so that it has either its old content or all of the new one. Raises a "file" fault.
---@param path string
---@param bytes string
---@param options? { mode?: integer }  default: the mode of the file that is replaced, else 0644 less the umask
function sys.write(path, bytes, options) end

--- Run a program, found in PATH, without a shell, until it ends. What it leaves in the background is not waited for.
--- Raises "timeout" or "interrupted" after having ended the program and what it started.
---@param argv string[]
---@param options? moontide.RunOptions
---@return moontide.Ran?   nil when it could not be started
---@return string? message
function sys.run(argv, options) end

--- A program that runs beside us. It is ended when it is closed or collected.
---@class moontide.Process
local Process = {} -- luacheck: ignore 241

--- What it has written since the last time; nil behind the end of a stream.
---@return string? output
---@return string? errors
function Process:read() end

--- How it ended, or nil while it runs. What it has written last may still be unread.
---@return { status?: integer, signal?: integer }?
function Process:ended() end

--- Ask it to end (SIGTERM), without waiting.
function Process:terminate() end

--- End it if it still runs: SIGTERM, and SIGKILL after five seconds.
function Process:close() end

--- Start a program, found in PATH, without a shell, its output captured and its standard input empty.
---@param argv string[]
---@param options? { cwd?: string, env?: table<string, string|false>, uid?: integer, gid?: integer }
---@return moontide.Process?   nil when it could not be started
---@return string? message
function sys.spawn(argv, options) end

--- Sleep until one of the processes has written something or ended, or the time is up. Raises "interrupted".
---@param processes moontide.Process[]
---@param seconds? number
function sys.attend(processes, seconds) end

--- Raises a "file" fault.
---@param path string
---@param uid integer
---@param gid integer
function sys.chown(path, uid, gid) end

--- Raises a "file" fault.
---@param path string
---@param mode integer
function sys.chmod(path, mode) end

--- The absolute path, without links.
---@param path string
---@return string?
---@return string? message
---@return integer? errno
function sys.realpath(path) end

--- Make a folder that only we can enter. Raises a "file" fault.
---@param prefix string  six random characters follow it
---@return string path
function sys.mkdtemp(prefix) end

---@return table<string, string>
function sys.environ() end

---@return integer
function sys.pid() end

--- The user this process acts as.
---@return integer
function sys.uid() end

---@param user string|integer  name or number
---@return moontide.User?
function sys.user(user) end

---@return string
function sys.hostname() end

---@param fd integer
---@return boolean
function sys.isatty(fd) end

--- Columns of a terminal, nil when it is none.
---@param fd integer
---@return integer?
function sys.width(fd) end

--- A line of standard input without its end, after a prompt on standard error; nil at the end of the input.
--- Ctrl-C raises "interrupted"; asking again makes the next Ctrl-C a first one.
---@param prompt? string
---@return string?
function sys.readline(prompt) end

--- Seconds that only go forward.
---@return number
function sys.clock() end

--- Seconds since 1970.
---@return number
function sys.time() end

--- Wait. Ctrl-C raises "interrupted".
---@param seconds number
function sys.sleep(seconds) end

--- Whether Ctrl-C was pressed and nothing has reacted to it yet.
---@return boolean
function sys.interrupted() end

--- Unpredictable bytes.
---@param count integer  at most 256
---@return string
function sys.random(count) end

return sys
