#!/usr/bin/env bash
# Our gRPC client by https: to grpcio, to nginx in front of it, and to openssl s_server.
#
# usage: tls_servers.sh PROGRAM CERTIFICATES
#   PROGRAM        grpc_interop_client of the package interop-clients
#   CERTIFICATES   the folder that certificates.sh has filled
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$(realpath "${1:?usage: tls_servers.sh PROGRAM CERTIFICATES}")
certificates=$(realpath "${2:?usage: tls_servers.sh PROGRAM CERTIFICATES}")
work=$(mktemp -d)
processes=()
end() {
    [ ${#processes[@]} -eq 0 ] || kill "${processes[@]}" 2>/dev/null
    rm -rf "$work"
}
trap end EXIT
failed=0

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# opened PORT: waits until somebody listens there.
opened() {
    local _
    for _ in $(seq 600); do
        (exec 4<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
        sleep 0.05
    done
    return 1
}

# cases NAME PORT CASE...: runs them, and puts the name into what it prints.
cases() {
    timeout 300 "$program" --ca "$certificates/ca.pem" "https://localhost:$2" "${@:3}" >"$work/out" 2>&1
    grep -q '^ok' "$work/out" || { printf 'FAIL grpc client by https to %s: %s\n' "$1" "$(tail -c 300 "$work/out" | tr '\n' ' ')"; failed=1; }
    sed -nE "s/^(ok|FAIL) /\1 grpc client by https to $1: /p" "$work/out"
    ! grep -q '^FAIL' "$work/out" || failed=1
}

# refused NAME PORT WORDS: no call succeeds, and the error says why.
refused() {
    timeout 100 "$program" --fail-fast --ca "${4:-$certificates/ca.pem}" "https://localhost:$2" empty_unary >"$work/out" 2>&1
    if grep -q '^FAIL' "$work/out" && grep -qi -- "$3" "$work/out"; then
        printf 'ok grpc client by https to %s: the error says why\n' "$1"
    else
        printf 'FAIL grpc client by https to %s: nothing of "%s" in %s\n' "$1" "$3" "$(tail -c 300 "$work/out" | tr '\n' ' ')"
        failed=1
    fi
}

# A server on grpcio is not told whether a message was compressed.
without='-client_compressed_unary -client_compressed_streaming'
coproc SERVER { exec python "$here/grpc_server.py" 127.0.0.1:0 "$certificates/server.pem" "$certificates/server.key"; }
read -r -t 60 grpcio <&"${SERVER[0]}" || { echo 'FAIL grpc client by https to grpcio: its server does not start'; exit 1; }
# shellcheck disable=SC2086
cases grpcio "$grpcio" $without

# nginx [VERSION] ends TLS, and goes on to grpcio by TLS of its own.
for version in TLSv1.2 TLSv1.3; do
    port=$(free_port)
    cat >"$work/nginx.conf" <<NGINX
daemon off; master_process off; error_log $work/nginx.log; pid $work/nginx.pid;
events { worker_connections 1000; }
http {
    access_log off; client_max_body_size 0; keepalive_requests 100000;
    client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
    server {
        listen 127.0.0.1:$port ssl http2;
        ssl_certificate $certificates/server.pem; ssl_certificate_key $certificates/server.key;
        ssl_protocols $version;
        location / { grpc_pass grpcs://127.0.0.1:$grpcio; grpc_read_timeout 100s; grpc_send_timeout 100s; }
    }
}
NGINX
    nginx -p "$work" -c "$work/nginx.conf" 2>/dev/null &
    processes+=($!)
    opened "$port" || { echo "FAIL grpc client by https to nginx: it does not start"; exit 1; }
    # shellcheck disable=SC2086
    cases "nginx, $version" "$port" $without
done

# server NAME ARGUMENTS...: an openssl s_server, which says what it is told of.
s_server() {
    port=$(free_port)
    openssl s_server -accept "127.0.0.1:$port" -cert "$certificates/server.pem" -key "$certificates/server.key" \
        -quiet -naccept 5 "$@" </dev/null >"$work/s_server" 2>&1 &
    processes+=($!)
    opened "$port"
}
s_server -alpn h2 -cert "$certificates/elsewhere.pem" -key "$certificates/elsewhere.key"
refused 'an openssl of another name' "$port" 'elsewhere.example'
s_server -alpn h2 -cert "$certificates/client.pem" -key "$certificates/client.key"
refused 'an openssl with the certificate of a client' "$port" 'client authentication'
s_server -alpn h2
refused 'an openssl of an authority that is not known' "$port" 'leads to no root' "$certificates/unknown.pem"
s_server
refused 'an openssl without HTTP/2' "$port" 'h2\|HTTP/2\|ALPN'
s_server -alpn h2 -Verify 1 -verify_return_error -tls1_2 -CAfile "$certificates/unknown.pem"
refused 'an openssl that demands a certificate' "$port" 'refuses the TLS connection'
s_server -alpn h2 -tls1_1 -cipher DEFAULT@SECLEVEL=0
refused 'an openssl of TLS 1.1' "$port" 'version'
exit "$failed"
