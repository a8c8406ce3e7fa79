#!/usr/bin/env bash
# Installs the Autobahn WebSocket test suite into ../.env/autobahn.
#
# Its only source is Python 2; convert.py turns that into Python 3 once, here.
# Needs python3 with venv.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
suite=autobahntestsuite==25.10.1
venv=$here/../.env/autobahn
stamp="$suite $(cat "$here/convert.py" "$here/setup.sh" | cksum)"
[ "$(cat "$venv/stamp" 2>/dev/null)" != "$stamp" ] || exit 0

echo "setup: Autobahn test suite"
rm -rf "$venv"
python3 -m venv "$venv"
pip() { "$venv/bin/pip" "$@" --quiet --disable-pip-version-check; }
# pyOpenSSL and what it needs are for wss.
pip install twisted==26.10.0 txaio==2.1.0 six==1.17.0 wsaccel==0.6.7 autobahn==0.10.9 setuptools==80.9.0 wheel==0.45.1 \
    pyOpenSSL==26.4.0 cryptography==50.0.2 service_identity==26.1.0
# The conversion needs lib2to3, which Python 3.13 no longer brings: fissix is its fork.
"$venv/bin/python" -W ignore -c 'import lib2to3' 2>/dev/null || pip install fissix==24.4.24
pip download --no-deps --no-binary :all: --no-build-isolation --dest "$venv/source" "$suite"
"$venv/bin/python" "$here/convert.py" "$venv/source/autobahntestsuite-25.10.1.tar.gz" "$venv/suite"
printf '%s\n' "$stamp" >"$venv/stamp"
