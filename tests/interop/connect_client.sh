#!/usr/bin/env bash
# Our channel's interop cases by Connect and gRPC-Web: against the showcase, or by Connect
# against connect-node.
#
# usage: connect_client.sh PROGRAM [http://HOST:PORT]
#   PROGRAM           grpc_interop_client of the package interop-clients
#   http://HOST:PORT  the showcase; without it, connect_server.mjs is started
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$(realpath "${1:?usage: connect_client.sh PROGRAM [http://HOST:PORT]}")

# cases NAME ARGUMENTS...: runs them, and puts the name into what it prints.
cases() {
    local name=$1
    shift
    timeout 300 "$program" "$@" | sed -E "s#^(ok|FAIL) #\\1 connect client to $name: #"
}

# Those without streams that flow both ways.
http1=(empty_unary large_unary client_streaming server_streaming unimplemented_method
    unimplemented_service cancel_after_begin concurrent_large_unary unary_with_a_callback)

if [ $# -gt 1 ]; then
    packed=(client_compressed_unary client_compressed_streaming server_compressed_unary
        server_compressed_streaming)
    for protocol in connect grpc-web; do
        cases "showcase, $protocol, HTTP/2" --$protocol "$2"
        cases "showcase, $protocol, HTTP/1.1" --$protocol --http1 "$2" "${http1[@]}" "${packed[@]}"
    done
    exit
fi
# The server ends when its input does, whatever becomes of this script.
coproc SERVER { exec node "$here/connect_server.mjs"; }
read -r -t 60 one two <&"${SERVER[0]}" || { echo 'FAIL connect client to connect-node: its server does not start'; exit 1; }
# It is not told whether a message was compressed, and is not asked to compress one.
packed=(-client_compressed_unary -client_compressed_streaming -server_compressed_unary
    -server_compressed_streaming -compressed_ping_pong)
cases 'connect-node, HTTP/2' --connect "http://127.0.0.1:$two" "${packed[@]}"
cases 'connect-node, HTTP/1.1' --connect --http1 "http://127.0.0.1:$one" "${http1[@]}"
