#!/bin/sh
# Searches for inputs that break a reader, with libFuzzer (Debian: clang libclang-rt-14-dev).
#   sh spec/fuzz/run.sh SECONDS [TARGET...]     the seconds are shared by the targets
# What breaks one is kept in build/fuzz, and what was learnt in build/fuzz/corpus, for the next run.
set -eu
cd "$(dirname "$0")/../.."

seconds=${1:?usage: sh spec/fuzz/run.sh SECONDS [TARGET...]}
shift
[ $# -gt 0 ] || set -- $(ls spec/fuzz/corpus)
each=$((seconds / $#))
[ "$each" -gt 0 ] || each=1

mkdir -p build
{
  cmake -S . -B build/fuzz -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug -DMOONTIDE_SANITIZE=ON &&
  cmake --build build/fuzz --parallel 2 --target spec-fuzz
} >build/fuzz.log 2>&1 || { cat build/fuzz.log >&2; exit 1; }

failed=
for target; do
  mkdir -p "build/fuzz/corpus/$target"
  echo "== $target, $each s"
  MOONTIDE_LUA_PATH=$PWD/lua MOONTIDE_FUZZ_TARGET=$target ASAN_OPTIONS=detect_leaks=0 \
    build/fuzz/spec/spec-fuzz -max_total_time="$each" -timeout=2 -rss_limit_mb=1024 -max_len=4096 -verbosity=0 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/$target-" \
    "build/fuzz/corpus/$target" "spec/fuzz/corpus/$target" 2>"build/fuzz/$target.log" ||
    { failed="$failed $target"; cat "build/fuzz/$target.log" >&2; }
  grep number_of_executed "build/fuzz/$target.log" || true
done
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
