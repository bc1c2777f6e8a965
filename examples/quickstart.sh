#!/bin/sh
# From a fresh clone to migrations on a running PostgreSQL: installs the missing Debian packages, builds, starts a
# private server and runs the environment in migrations/. Running it again is fine.
set -eu
cd "$(dirname "$0")/.."

sh .ci/packages build server

build=build/release
quietly() {
  "$@" >build/quickstart.log 2>&1 </dev/null || {
    cat build/quickstart.log >&2
    echo "could not build moontide; the command was: $*" >&2
    exit 1
  }
}

mkdir -p build
[ -x "$build/moontide" ] || echo "Building $build/moontide ..." >&2
[ -f "$build/CMakeCache.txt" ] || quietly cmake --preset release
quietly cmake --build "$build" --parallel 2

moontide=$PWD/$build/moontide
unset DATABASE_URL DATABASE_URL_DIRECT MOONTIDE_CONFIG

# Shows a command as one would type it, then runs it.
run() {
  echo
  echo "\$ moontide $*"
  "$moontide" "$@"
}

run dev start
DATABASE_URL=$("$moontide" dev url)
export DATABASE_URL

run upgrade head
run current
run history
run dev psql -c '\dt'
run downgrade -2
run upgrade head
run status

cat <<END

Everything works. To go on in this folder:

  export PATH="$PWD/$build:\$PATH"
  export DATABASE_URL="\$(moontide dev url)"
  moontide revision -m "add a column"    # writes a file into migrations/versions: edit it, then
  moontide upgrade head
  moontide dev psql                      # look at the database
  moontide dev stop                      # stop the private server
END
