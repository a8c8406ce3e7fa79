#!/usr/bin/env bash
# What testssl.sh finds about the showcase: nothing above "low", but for what stands in
# testssl.allowed.
#
# usage: testssl.sh https://HOST:PORT CERTIFICATES
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
base=${1:?usage: testssl.sh https://HOST:PORT CERTIFICATES}
certificates=${2:?usage: testssl.sh https://HOST:PORT CERTIFICATES}
reports=$here/.env/reports
found=$reports/testssl.json
rm -f "$found"
mkdir -p "$reports"
# Its name is that of the certificate; no look outside this machine.
address=localhost:${base##*:}
timeout 500 testssl --quiet --color 0 --warnings off --ip 127.0.0.1 --nodns min --add-ca "$certificates/ca.pem" \
    --protocols --std --server-defaults --vulnerable --jsonfile "$found" "https://$address/plaintext" \
    >"$reports/testssl.txt" 2>&1
[ -s "$found" ] || { echo 'FAIL testssl: it has reported nothing'; tail -5 "$reports/testssl.txt" >&2; exit 1; }
exec python3 - "$found" "$here/testssl.allowed" <<'PYTHON'
import json, sys

found = json.load(open(sys.argv[1]))
allowed = [line.split("#")[0].split() for line in open(sys.argv[2])]
allowed = {row[0] for row in allowed if row}
failed = 0
for one in found:
    if one["severity"] in ("OK", "INFO", "LOW", "WARN"):  # WARN: of the program itself
        continue
    if one["id"] in allowed:
        continue
    failed += 1
    print("FAIL testssl %s: %s, %s" % (one["id"], one["severity"], one["finding"]))
unused = allowed - {one["id"] for one in found if one["severity"] not in ("OK", "INFO", "LOW", "WARN")}
for name in sorted(unused):
    failed += 1
    print("FAIL testssl %s: is allowed, and not found" % name)
good = [one for one in found if one["severity"] == "OK"]
# It says so if it has not come to an end.
whole = {"TLS1_2", "TLS1_3", "heartbleed", "ROBOT", "secure_renego", "BREACH", "cert_chain_of_trust"}
missing = whole - {one["id"].split(" ")[0] for one in found}
if missing:
    failed += 1
    print("FAIL testssl: it has not looked at %s" % ", ".join(sorted(missing)))
if not failed:
    print("ok testssl: %d findings, %d of them good, none above low but %s" % (len(found), len(good), ", ".join(sorted(allowed)) or "none"))
sys.exit(failed > 0)
PYTHON
