#!/bin/sh
# Installs PGlite, a PostgreSQL that has pgvector and needs no compiler, for the specs of vectors.
#   sh spec/support/install-pglite.sh             install it
#   sh spec/support/install-pglite.sh where       the folder it is in
# It is taken from npm, runs on Node, and is kept outside of the source tree, in $MOONTIDE_PGLITE or a cache folder.
# What is there already is left alone.
set -eu

fail() { echo "install-pglite.sh: $*" >&2; exit 1; }

if [ -n "${MOONTIDE_PGLITE:-}" ]; then root=$MOONTIDE_PGLITE
elif [ "$(id -u)" -eq 0 ]; then root=/var/cache/moontide-pglite
else root=${XDG_CACHE_HOME:-$HOME/.cache}/moontide-pglite; fi

if [ "${1:-}" = where ]; then echo "$root"; exit; fi
[ ! -d "$root/node_modules/@electric-sql/pglite-pgvector" ] || exit 0
command -v npm >/dev/null || fail "npm is needed"
rm -rf "$root.new"
mkdir -p "$root.new"
(cd "$root.new" && echo '{}' >package.json &&
  npm install --silent --no-audit --no-fund --ignore-scripts @electric-sql/pglite-socket@0.2.17 \
    @electric-sql/pglite@0.5.14 @electric-sql/pglite-pgvector@0.0.15 </dev/null) || fail "could not install PGlite"
chmod -R a+rX "$root.new"
rm -rf "$root"
mv "$root.new" "$root"
echo "PGlite is in $root"
