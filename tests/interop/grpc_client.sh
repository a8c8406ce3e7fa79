#!/usr/bin/env bash
# Our gRPC client's interop cases: against the showcase, or against grpcio.
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
cases grpcio "http://127.0.0.1:$port" -client_compressed_unary -client_compressed_streaming
