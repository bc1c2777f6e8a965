--- Create documents with embeddings.
--
-- Where the server has the vector extension the embedding is a vector with an index
-- for nearest neighbours; elsewhere it is a plain array, which stores the same
-- numbers. A script printed with --sql cannot ask the server: it takes the array,
-- or the vector with `-x vector=yes`.
--
-- Revision ID: 31d8a6b4f09c
-- Revises: c95b07f2e618
-- Create Date: 2026-02-10 11:00:00+00:00

revision = "31d8a6b4f09c"
down_revision = "c95b07f2e618"
branch_labels = "documents"
depends_on = nil

local function has_vector()
  if context.offline then return context.x.vector == "yes" end
  return op.scalar("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") > 0
end

function upgrade()
  local vector = has_vector()
  if vector then op.execute("CREATE EXTENSION IF NOT EXISTS vector") end
  op.create_table("documents", {
    { "id", "uuid", primary_key = true, default = sql "gen_random_uuid()" },
    { "owner_id", "bigint", nullable = false, references = { table = "users", on_delete = "cascade" }, index = true },
    { "title", "text", nullable = false },
    { "body", "text", nullable = false, default = "" },
    { "tags", "text[]", nullable = false, default = sql "'{}'" },
    { "embedding", vector and "vector(384)" or "real[]", comment = "Of title and body" },
  })
  op.create_index("ix_documents_tags", "documents", { "tags" }, { using = "gin" })
  if vector then
    op.create_index("ix_documents_embedding", "documents", { { "embedding", opclass = "vector_cosine_ops" } },
      { using = "hnsw" })
  end
end

-- The extension stays: other tables may use it, and it was perhaps there before.
function downgrade()
  op.drop_table("documents")
end
