#!/bin/sh
# Measures moontide against psql, pg_dump and lua5.4, and prints one table in Markdown.
# In the column of aims, ">=" is said of ratios of speeds, where more is better; the others are ratios of times.
#   sh spec/bench/run.sh [names]     a part of a case's name is enough: sh spec/bench/run.sh startup history
# MOONTIDE_BINARY measures another binary than the release build, MOONTIDE_PROXY is the helper of the case `network`.
# Takes some minutes on a quiet machine.
set -eu
cd "$(dirname "$0")/../.."

sh .ci/packages build server
command -v lua5.4 >/dev/null || { echo "the interpreter lua5.4 is missing: apt-get install lua5.4" >&2; exit 1; }

build() {
  [ -f build/release/CMakeCache.txt ] || cmake --preset release
  cmake --build build/release --parallel 2 --target moontide spec-proxy
}

if [ -z "${MOONTIDE_BINARY:-}" ]; then
  mkdir -p build
  build >build/bench.log 2>&1 || { cat build/bench.log >&2; exit 1; }
  MOONTIDE_BINARY=$PWD/build/release/moontide
fi
MOONTIDE_PROXY=${MOONTIDE_PROXY:-$PWD/build/release/spec/spec-proxy}
export MOONTIDE_BINARY MOONTIDE_PROXY
exec env -u MOONTIDE_LUA_PATH "$MOONTIDE_BINARY" lua spec/bench/main.lua "$@" </dev/null
