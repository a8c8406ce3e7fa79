#!/usr/bin/env bash
# Drives the Autobahn WebSocket test suite against the showcase's echo.
#
# usage: autobahn.sh http://HOST:PORT [CASES]
#   CASES   ids or patterns, by default sections 1 to 7 and 10 (framing, pings, reserved
#           bits, opcodes, fragmentation, UTF-8, closing, segmentation), and of 12 and 13
#           (compression, a thousand messages a case) three cases of each group: messages
#           of 16 and of 1,024 bytes, and fragmented ones
# Environment: AUTOBAHN_LARGE=1 adds section 9, messages of up to 16 MiB, and all of 12 and
# 13, which take six minutes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
base=${1:?usage: autobahn.sh http://HOST:PORT [CASES]}
cases='1.*,2.*,3.*,4.*,5.*,6.*,7.*,10.*'
if [ -n "${AUTOBAHN_LARGE:-}" ]; then
    cases="$cases,9.*,12.*,13.*"
else
    cases=$cases$(printf ',%s' {12.{1..5},13.{1..7}}.{1,4,11})
fi
cases=${2:-$cases}

"$here/autobahn/setup.sh"
reports=$here/.env/reports/autobahn
rm -rf "$reports"
mkdir -p "$reports"
status=0
timeout 3500 "$here/.env/autobahn/bin/python" "$here/autobahn/drive.py" \
    "ws${base#http}/ws/echo" "$reports" "$cases" 2>"$reports/log.txt" || status=$?
[ "$status" -le 1 ] || { echo "FAIL autobahn: the suite ended with $status"; tail -20 "$reports/log.txt" >&2; }
exit "$status"
