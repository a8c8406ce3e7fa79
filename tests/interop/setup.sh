#!/usr/bin/env bash
# Installs the stock clients that ./run drives against the showcase, and the servers that
# our clients are driven against.
#
# Safe to run again: what is already there, in the pinned version, is left alone.
# Everything lands in .env/ and node_modules/ beside this file, except Debian
# packages, which are installed only where a program is missing:
#   curl      tested with 7.88.1
#   chromium  tested with 156
#   firefox-esr
#             tested with 153.8
#   openssl   tested with 3.0.19
#   testssl.sh
#             tested with 3.0.8
#   nginx     tested with 1.22.1 (Debian's nginx-light has HTTP/2 and gRPC, too)
#   tinyproxy tested with 1.11.1
#   microsocks
#             tested with 1.0.3
#   squid     tested with 5.7
#   haproxy   tested with 2.6.12
#   nghttp2   tested with 1.52 (nghttp and h2load)
#   systemd   tested with 252 (systemd-socket-activate alone; it need not run)
#   redis     tested with 7.0.15 (redis-server, redis-cli)
#   python3   tested with 3.11 (3.11 or newer)
#   nodejs    tested with 20.20.2 (where Debian's is older than 20, NODE below is added)
# Environment: WITHOUT_BROWSER=1 leaves chromium and firefox-esr out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

NODE=20.20.2

say() { printf 'setup: %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }
node_is_new_enough() { have "$1" && [ "$("$1" -p 'process.versions.node.split(".")[0]')" -ge 20 ]; }
# Debian keeps venv apart from python3: the module is there, its pip is not.
python_can_make_environments() { have python3 && python3 -c 'import venv, ensurepip' 2>/dev/null; }

packages=()
have curl || packages+=(curl ca-certificates)
python_can_make_environments || packages+=(python3 python3-venv)
have node || packages+=(nodejs)
have npm || packages+=(npm)
have openssl || packages+=(openssl)
have testssl || packages+=(testssl.sh)
have nginx || packages+=(nginx-light)
have tinyproxy || packages+=(tinyproxy-bin)
have microsocks || packages+=(microsocks)
have squid || packages+=(squid)
have haproxy || packages+=(haproxy)
have redis-server || packages+=(redis-server redis-tools)
have nghttp || packages+=(nghttp2-client)
have systemd-socket-activate || packages+=(systemd)
if [ -z "${WITHOUT_BROWSER:-}" ]; then
    have chromium || packages+=(chromium)
    have firefox-esr || packages+=(firefox-esr)
fi
if [ ${#packages[@]} -gt 0 ]; then
    say "Debian packages: ${packages[*]}"
    root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

# The stamps hold what was installed, so that a changed pin installs again.
mkdir -p .env/bin
wanted=$(cat requirements.txt)
if [ "$(cat .env/python.stamp 2>/dev/null)" != "$wanted" ]; then
    say "Python clients"
    rm -rf .env/python
    python3 -m venv .env/python
    .env/python/bin/pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
    .env/python/bin/pip check >/dev/null
    printf '%s\n' "$wanted" >.env/python.stamp
fi

if ! node_is_new_enough node && ! node_is_new_enough .env/bin/node; then
    say "Node.js $NODE"
    npm install --silent --no-save --no-package-lock --prefix .env/node "node@$NODE"
    ln -sfn ../node/node_modules/node/bin/node .env/bin/node
fi
wanted=$(cat package.json package-lock.json)
if [ "$(cat .env/npm.stamp 2>/dev/null)" != "$wanted" ]; then
    say "Node.js clients"
    npm ci --silent --ignore-scripts
    printf '%s\n' "$wanted" >.env/npm.stamp
fi

autobahn/setup.sh
say "ready"
