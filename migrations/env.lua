-- The environment of the migrations beside this file. Every key is optional.
return {
  -- url = "postgresql://app@db.example/app",   -- default: $DATABASE_URL
  lock_timeout = "5s",                          -- do not queue behind a long transaction
}
