#!/bin/sh
# Installs what the specs need, builds, and runs them with busted inside the built binary.
#   sh spec/run.sh [busted arguments]         for example: sh spec/run.sh spec/unit --filter=graph
# MOONTIDE_PRESET=debug runs them with the sanitizers; MOONTIDE_GOLDEN=1 rewrites the golden files.
set -eu
cd "$(dirname "$0")/.."

preset=${MOONTIDE_PRESET:-release}
build=build/$preset

sh .ci/packages build test

quietly() {
  "$@" >"$build.log" 2>&1 </dev/null || { cat "$build.log" >&2; echo "could not build: $*" >&2; exit 1; }
}

mkdir -p build
quietly cmake --preset "$preset"
quietly cmake --build "$build" --parallel 2 --target all spec-programs

MOONTIDE_BINARY=$PWD/$build/moontide
MOONTIDE_PROXY=$PWD/$build/spec/spec-proxy
export MOONTIDE_BINARY MOONTIDE_PROXY
exec "$MOONTIDE_BINARY" lua spec/support/busted.lua "$@" </dev/null
