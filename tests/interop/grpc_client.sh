#!/usr/bin/env bash
# Our gRPC client's interop cases: against the showcase, or against grpcio, also through
# tinyproxy and microsocks.
#
# usage: grpc_client.sh PROGRAM [[--ca FILE] http[s]://HOST:PORT]
#   PROGRAM              grpc_interop_client of the package interop-clients
#   http[s]://HOST:PORT  the showcase; without it, grpc_server.py is started
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$(realpath "${1:?usage: grpc_client.sh PROGRAM [[--ca FILE] http[s]://HOST:PORT]}")

# cases NAME ARGUMENTS...: runs them, and puts the name into what it prints.
cases() {
    local name=$1
    shift
    timeout 300 "$program" "$@" | sed -E "s/^(ok|FAIL) /\1 grpc client to $name: /"
}

if [ $# -gt 1 ]; then
    cases showcase "${@:2}"
    exit
fi
# The server ends when its input does, whatever becomes of this script.
coproc SERVER { exec python "$here/grpc_server.py" 127.0.0.1:0; }
read -r -t 60 port <&"${SERVER[0]}" || { echo 'FAIL grpc client to grpcio: its server does not start'; exit 1; }
# A server on grpcio is not told whether a message was compressed.
known=(-client_compressed_unary -client_compressed_streaming)
cases grpcio "http://127.0.0.1:$port" "${known[@]}"

# Through proxies that the environment names, which ask for a password.
work=$(mktemp -d)
trap 'kill "${proxies[@]}" 2>/dev/null; rm -rf "$work"' EXIT
free_port() { python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
http=$(free_port) socks=$(free_port)
printf '%s\n' "Port $http" 'Listen 127.0.0.1' 'Timeout 60' 'LogLevel Error' 'BasicAuth user secret' >"$work/tinyproxy.conf"
tinyproxy -d -c "$work/tinyproxy.conf" >"$work/log" 2>&1 &
proxies=($!)
microsocks -i 127.0.0.1 -p "$socks" -u user -P secret >>"$work/log" 2>&1 &
proxies+=($!)
for port_of in "$http" "$socks"; do
    for _ in {1..300}; do
        (: >"/dev/tcp/127.0.0.1/$port_of") 2>/dev/null && break
        sleep 0.1
    done
done
unset no_proxy NO_PROXY
for proxy in "http://user:secret@127.0.0.1:$http" "socks5h://user:secret@127.0.0.1:$socks"; do
    name="grpcio through ${proxy%%:*}"
    http_proxy=$proxy cases "$name" "http://127.0.0.1:$port" "${known[@]}"
    # Nothing goes past a proxy that refuses.
    if http_proxy=${proxy/secret/wrong} cases refused --fail-fast "http://127.0.0.1:$port" empty_unary >"$work/refused"; then
        echo "FAIL grpc client to $name: a wrong password was accepted"
    else
        echo "ok grpc client to $name: a wrong password is refused"
    fi
done
