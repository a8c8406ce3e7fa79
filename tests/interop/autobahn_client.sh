#!/usr/bin/env bash
# Lets the Autobahn WebSocket test suite drive a client of ours.
#
# usage: autobahn_client.sh PROGRAM [CASES]
#   PROGRAM   it, built: websocket_client (the machines alone) or websocket_blocking_client
#             (client::WebSocket) of the package interop-clients
#   CASES     ids or patterns, by default sections 1 to 7, 9 (messages of up to
#             16 MiB) and 10, and three cases of each group of 12 and 13 (compression)
#             for a program that offers it
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$(realpath "${1:?usage: autobahn_client.sh PROGRAM [CASES]}")
cases='1.*,2.*,3.*,4.*,5.*,6.*,7.*,9.*,10.*'
case $program in
    *blocking*) cases=$cases$(printf ',%s' {12.{1..5},13.{1..7}}.{1,4,11}) ;;
esac
cases=${2:-$cases}

"$here/autobahn/setup.sh"
reports=$here/.env/reports/autobahn-client
rm -rf "$reports"
mkdir -p "$reports"
status=0
timeout 1700 "$here/.env/autobahn/bin/python" "$here/autobahn/serve.py" \
    "$reports" "$cases" "$program" 2>"$reports/log.txt" || status=$?
[ "$status" -le 1 ] || { echo "FAIL autobahn client: the suite ended with $status"; tail -20 "$reports/log.txt" >&2; }
exit "$status"
