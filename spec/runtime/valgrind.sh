#!/bin/sh
# Runs the specs of the PostgreSQL binding, or what is named, under valgrind; fails on any error and any leak.
#   sh spec/runtime/valgrind.sh [specs ...]
#   sh spec/runtime/valgrind.sh failalloc     every point where memory can run out, and every 25th under valgrind
# Builds build/valgrind, which has no sanitizers and frees its memory at the end; or MOONTIDE_BINARY is such a build.
set -eu
cd "$(dirname "$0")/../.."

if [ -z "${MOONTIDE_BINARY:-}" ]; then
  MOONTIDE_BINARY=$PWD/build/valgrind/moontide
  cmake -S . -B build/valgrind -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS=-DMOONTIDE_CLOSE_STATE >/dev/null
  cmake --build build/valgrind --parallel 2 --target all spec-programs >/dev/null
fi
MOONTIDE_FAILALLOC=${MOONTIDE_FAILALLOC:-${MOONTIDE_BINARY%/*}/spec/spec-failalloc}
export MOONTIDE_BINARY MOONTIDE_FAILALLOC

# The children that cancel a statement end without cleaning up, by design.
checked="valgrind --quiet --leak-check=full --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible
         --child-silent-after-fork=yes --error-exitcode=99"
busted="$MOONTIDE_BINARY lua spec/support/busted.lua"

if [ "${1:-}" = failalloc ]; then
  MOONTIDE_FAILALLOC_STEP=1 $busted spec/runtime/pg_failalloc_spec.lua
  wrapper=$(mktemp)
  trap 'rm -f "$wrapper"' EXIT
  printf '#!/bin/sh\nexec %s %s "$@"\n' "$(echo $checked)" "$MOONTIDE_FAILALLOC" >"$wrapper"
  chmod +x "$wrapper"
  MOONTIDE_FAILALLOC=$wrapper MOONTIDE_FAILALLOC_STEP=25 $busted spec/runtime/pg_failalloc_spec.lua
  exit
fi

[ $# -gt 0 ] || set -- spec/runtime/pg_connect_spec.lua spec/runtime/pg_exec_spec.lua spec/runtime/pg_pipeline_spec.lua \
  spec/runtime/pg_rows_spec.lua spec/runtime/pg_copy_spec.lua
exec $checked $busted "$@"
