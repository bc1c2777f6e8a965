#!/bin/sh
# Splits the names of a million customers while somebody writes, is killed in the middle, and goes on.
#   DATABASE_URL=... sh examples/backfill/run.sh    an empty database; needs moontide and psql in the PATH
# ROWS=20000 makes it shorter, MOONTIDE_BINARY names another moontide. See README.md.
set -eu
cd "$(dirname "$0")"
: "${DATABASE_URL:?is to name an empty database}"
rows=${ROWS:-1000000}
moontide=${MOONTIDE_BINARY:-moontide}
unset MOONTIDE_CONFIG ROWS_PER_S

run() { echo; echo "\$ moontide $*"; "$moontide" -c . "$@"; }
ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -c "$1"; }

run upgrade 1a5c0e7d2b94
ask "INSERT INTO customers (full_name) SELECT 'First' || i || ' Last' || i FROM generate_series(1, $rows) i;
  ANALYZE customers"
echo "customers: $(ask 'SELECT count(*) FROM customers')"

# The application: it knows full_name only.
stop=$(mktemp)
write() {
  while [ -e "$stop" ]; do
    ask "INSERT INTO customers (full_name) VALUES ('New Customer');
      UPDATE customers SET full_name = 'Renamed Customer' WHERE id = (SELECT 1 + floor(random() * $rows)::bigint)"
  done
}
write &
writer=$!
upgrade=
trap 'rm -f "$stop"; [ -z "$upgrade" ] || kill -9 "$upgrade" 2>/dev/null || true' EXIT

echo
echo "\$ moontide upgrade 2b8f4d613ca7 &"
ROWS_PER_S=$((rows / 10)) "$moontide" -c . upgrade 2b8f4d613ca7 &
upgrade=$!
far() { ask "SELECT coalesce(sum(rows_changed), 0) FROM moontide.backfill_range" 2>/dev/null || echo 0; }
until [ "$(far)" -gt $((rows / 5)) ]; do
  kill -0 "$upgrade" 2>/dev/null || { echo "the upgrade ended before it could be killed" >&2; exit 1; }
  sleep 0.1
done
kill -9 "$upgrade"
wait "$upgrade" || echo "\$ kill -9: exit code $?"
upgrade=
run backfill list

run upgrade 3c91e2a7f058
rm -f "$stop"
wait "$writer"
echo
echo "customers: $(ask 'SELECT count(*) FROM customers')"
echo "written meanwhile: $(ask "SELECT count(*) > 0 FROM customers WHERE full_name = 'New Customer'")"
echo "names that are wrong: $(ask "SELECT count(*) FROM customers
  WHERE full_name IS DISTINCT FROM first_name || ' ' || last_name")"

run upgrade head --yes
run status
