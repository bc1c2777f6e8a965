#!/bin/sh
# PostgreSQL clusters for the specs: create, start, stop, kill, and the watch
# that cleans up after the spec process, however that one ended.
#   cluster.sh create DIR            initdb (a copy of DIR/../template)
#   cluster.sh start DIR [setting]   settings as name=value
#   cluster.sh stop DIR [mode]       smart, fast or immediate
#   cluster.sh kill DIR              like a power failure
#   cluster.sh watch ROOT PID        when the process is gone: stop what runs in ROOT, remove ROOT
#   cluster.sh bin                   where the server binaries are
#   cluster.sh owner                 the user that servers run as
#   cluster.sh as COMMAND...         run a command as that user
set -eu

fail() { echo "cluster.sh: $*" >&2; exit 1; }

bin() {
  for dir in "${MOONTIDE_PGBIN:-}" \
             "$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n | tail -n 1)" \
             "$(dirname "$(command -v initdb 2>/dev/null || echo /none/initdb)")"; do
    if [ -n "$dir" ] && [ -x "$dir/initdb" ]; then echo "$dir"; return; fi
  done
  fail "no PostgreSQL server binaries found; install the package postgresql or set MOONTIDE_PGBIN"
}

# The server refuses to run as root: a system user takes its place.
owner() {
  if [ "$(id -u)" -ne 0 ]; then id -un
  elif id postgres >/dev/null 2>&1; then echo postgres
  else echo nobody; fi
}

as_owner() {
  if [ "$(id -u)" -ne 0 ]; then "$@"; return; fi
  user=$(owner)
  HOME=/tmp setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
}

make_template() {
  [ -d "$1/template" ] && return
  rm -rf "$1/template.new"
  mkdir "$1/template.new"
  [ "$(id -u)" -ne 0 ] || chown "$(owner)" "$1/template.new"
  (cd "$1/template.new" && as_owner "$(bin)/initdb" -D "$1/template.new" -U postgres -A trust -E UTF8 \
    --locale=C.UTF-8 --no-sync >"$1/initdb.log" 2>&1) || { cat "$1/initdb.log" >&2; exit 1; }
  mv "$1/template.new" "$1/template"
}

create() {
  make_template "$(dirname "$1")"
  cp -a "$(dirname "$1")/template" "$1"
}

start() {
  dir=$1; shift
  options="-c listen_addresses='' -c unix_socket_directories='$dir' -c fsync=off -c synchronous_commit=off \
    -c full_page_writes=off -c max_connections=60 -c shared_buffers=32MB"
  for setting in "$@"; do options="$options -c '$(printf %s "$setting" | sed "s/'/'\\\\''/g")'"; done
  cd "$dir"
  as_owner "$(bin)/pg_ctl" start -D "$dir" -w -t 60 -s -l "$dir/server.log" -o "$options" </dev/null \
    || { tail -n 5 "$dir/server.log" >&2; exit 1; }
}

stop() {
  cd "$1"
  as_owner "$(bin)/pg_ctl" stop -D "$1" -w -t 60 -s -m "${2:-fast}"
}

running() {
  kill -0 "$1" 2>/dev/null && [ "$(ps -o stat= -p "$1" | cut -c1)" != Z ]
}

# The lock files go too: where nobody reaps the dead postmaster, the next one takes them for a living one's.
kill_all() {
  postmaster=$(head -n 1 "$1/postmaster.pid")
  kill -STOP "$postmaster"                 # no child may be replaced or told to clean up
  processes="$(ps -o pid= --ppid "$postmaster") $postmaster"
  # shellcheck disable=SC2086
  kill -KILL $processes 2>/dev/null || true
  for process in $processes; do while running "$process"; do sleep 0.05; done; done
  rm -f "$1/postmaster.pid" "$1"/.s.PGSQL.*.lock
}

watch() {
  root=$1 parent=$2
  cd /
  while running "$parent"; do sleep 1; done
  find "$root" -name postmaster.pid | while read -r pidfile; do
    stop "$(dirname "$pidfile")" immediate || kill_all "$(dirname "$pidfile")"
  done
  rm -rf "$root"
}

case ${1:-} in
  create) create "$2" ;;
  start) shift; start "$@" ;;
  stop) stop "$2" "${3:-fast}" ;;
  kill) kill_all "$2" ;;
  watch) set +e; watch "$2" "$3" ;;
  bin) bin ;;
  owner) owner ;;
  as) shift; as_owner "$@" ;;
  *) fail "unknown verb \"${1:-}\"" ;;
esac
