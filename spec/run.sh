#!/bin/sh
# Installs what the specs need, builds, and runs them with busted inside the built binary.
#   sh spec/run.sh [busted arguments]         for example: sh spec/run.sh spec/unit --filter=graph
# Without arguments all of them, in two halves at once; the last line is the total.
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
specs() { "$MOONTIDE_BINARY" lua spec/support/busted.lua "$@" </dev/null; }

# half NAME SPECS...: what they print but the total, which stays in the log.
half() {
  log=$build.$1.log
  shift
  { specs "$@" 2>&1 || echo "specs failed"; } | tee "$log" | grep --line-buffered -Ev '^([0-9]+ passed, [0-9]+ failed|specs failed)$' || true
}

total() {
  cat "$@" | awk '/^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3; halves++ } /^specs failed$/ { bad = 1 }
    END { printf "%d passed, %d failed\n", passed, failed; exit bad || failed > 0 || halves != '$#' }'
}

if [ $# -gt 0 ]; then
  specs "$@"
else
  # Names of specs have no spaces.
  half one $(find spec -name '*_spec.lua' | grep -Ev '^spec/(pg|property)/' | sort) &
  half two spec/pg spec/property
  wait
  total "$build.one.log" "$build.two.log"
fi
