#!/usr/bin/env bash
# TLS with openssl s_client and curl.
#
# usage: tls.sh https://HOST:PORT CERTIFICATES
#   CERTIFICATES   the folder that certificates.sh has filled
set -uo pipefail
base=${1:?usage: tls.sh https://HOST:PORT CERTIFICATES}
certificates=${2:?usage: tls.sh https://HOST:PORT CERTIFICATES}
base=${base%/}
address=${base#https://}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# check NAME FUNCTION: the function fails by its status; what it printed says why.
check() {
    local why
    if why=$("${@:2}" 2>&1); then
        printf 'ok tls %s\n' "$1"
    else
        printf 'FAIL tls %s: %s\n' "$1" "$(printf '%s' "$why" | tr '\r\n' '  ' | tail -c 300)"
        failed=1
    fi
}
equal() { [ "$1" = "$2" ] || { printf '%q, not %q\n' "${1:0:200}" "${2:0:200}"; return 1; }; }
# says WORDS FILE, silent WORDS FILE: whether a file has them.
says() { grep -q -- "$1" "$2" || { printf 'nothing of "%s" in: ' "$1"; tail -c 250 "$2"; return 1; }; }
silent() { ! grep -q -- "$1" "$2" || { grep -m1 -- "$1" "$2"; return 1; }; }

get='GET /plaintext HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'

client() {
    timeout 100 openssl s_client -connect "$address" -servername localhost -CAfile "$certificates/ca.pem" \
        -verify_return_error -verify_hostname localhost "$@"
}

# ask ARGUMENTS...: a request over a connection; all that openssl says is in $work/out.
ask() {
    # shellcheck disable=SC2059
    printf "$get" | client -ign_eof "$@" >"$work/out" 2>&1
    says 'Hello, World!' "$work/out"
}

# refused ARGUMENTS...: no connection comes about.
refused() {
    ! client "$@" </dev/null >"$work/out" 2>&1 || { echo 'it succeeded'; return 1; }
    silent 'Verify return code: [1-9]' "$work/out"
}

tls13() { ask -tls1_3 && says 'New, TLSv1.3, Cipher is TLS_' "$work/out" && says 'Verify return code: 0 (ok)' "$work/out"; }
tls12() { ask -tls1_2 && says 'New, TLSv1.2, Cipher is ECDHE-ECDSA-' "$work/out" && says 'Verify return code: 0 (ok)' "$work/out"; }
# OpenSSL offers these only at its lowest level.
old() { refused "$1" -cipher 'DEFAULT@SECLEVEL=0' && says 'alert protocol version' "$work/out"; }
no_suite() { refused -tls1_2 -cipher "$1" && says 'alert handshake failure' "$work/out"; }
suite() { ask -tls1_2 -cipher "$1" && says "Cipher is $1" "$work/out"; }
suite13() { ask -tls1_3 -ciphersuites "$1" && says "Cipher is $1" "$work/out"; }
group() { ask -tls1_3 -groups "$1" && says 'Server Temp Key: ' "$work/out"; }
extended() { ask -tls1_2 && says 'Extended master secret: yes' "$work/out"; }

# A second client with a session that was kept; the server may give it to any of its loops.
resumed() {
    local n
    for n in 1 2 3 4 5 6; do
        rm -f "$work/session"
        ask "$1" -sess_out "$work/session" && says "New, ${2}," "$work/out" || return 1
        ask "$1" -sess_in "$work/session" && says "Reused, ${2}," "$work/out" || return 1
    done
}

# A session that the server did not make is no reason to fail.
forged() {
    ask -tls1_3 -sess_out "$work/session" || return 1
    openssl sess_id -in "$work/session" -outform DER -out "$work/session.der" || return 1
    # The ticket is field 10 of OpenSSL's sessions.
    local at
    at=$(openssl asn1parse -inform DER -in "$work/session.der" | sed -n 's/^ *\([0-9]*\):d=1 .*cont \[ 10 \].*/\1/p')
    printf 'ticketticket' | dd of="$work/session.der" bs=1 seek=$((at + 40)) conv=notrunc status=none
    openssl sess_id -inform DER -in "$work/session.der" -out "$work/session" || return 1
    ask -tls1_3 -sess_in "$work/session" && says 'New, TLSv1.3,' "$work/out"
}

alpn() {
    client -alpn "$1" </dev/null >"$work/out" 2>&1 || { tail -c 200 "$work/out"; return 1; }
    says "ALPN protocol: $2" "$work/out"
}
alpn_none() { ask && says 'No ALPN negotiated' "$work/out"; }
alpn_unknown() { refused -alpn 'spdy/3' && says 'alert no application protocol' "$work/out"; }

# Requests behind a key update; `k` renews the client's key, `K` has the server renew its own.
# s_client takes such a letter only as the front of what it reads at a time.
key_update() {
    local peer n status=1
    rm -f "$work/wire" "$work/out"
    mkfifo "$work/wire"
    client -tls1_3 <"$work/wire" >"$work/out" 2>&1 &
    peer=$!
    exec 3>"$work/wire"
    for n in 1 2 3; do
        has "$((n - 1))" KEYUPDATE || break
        printf '%s\n' "$1" >&3
        has "$n" KEYUPDATE || break
        printf 'GET /bytes/20000 HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
        has "$n" 'HTTP/1.1 200 OK' || break
        [ "$n" -lt 3 ] || status=0
    done
    exec 3>&-
    wait "$peer"
    [ "$status" -eq 0 ] || tail -c 200 "$work/out"
    return "$status"
}
# has COUNT WORDS: waits until the output has so many lines with them, and the session is there.
has() {
    local _
    for _ in $(seq 1200); do
        [ "$(grep -a -c -- "$2" "$work/out")" -ge "$1" ] && grep -q 'Verify return code' "$work/out" && return 0
        sleep 0.05
    done
    echo "fewer than $1 lines with $2"
    return 1
}

renegotiation() {
    local peer
    rm -f "$work/wire" "$work/out"
    mkfifo "$work/wire"
    client -tls1_2 <"$work/wire" >"$work/out" 2>&1 &
    peer=$!
    exec 3>"$work/wire"
    has 0 . && printf 'R\n' >&3
    has 1 RENEGOTIATING
    # The end of s_client is what the refusal comes to.
    wait "$peer"
    exec 3>&-
    says 'Secure Renegotiation IS supported' "$work/out" && says 'no renegotiation' "$work/out"
}

not_asked() { ask -cert "$certificates/client.pem" -key "$certificates/client.key" && says 'No client certificate CA names sent' "$work/out"; }
other_name() {
    printf 'GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' |
        timeout 100 openssl s_client -connect "$address" -noservername -CAfile "$certificates/ca.pem" \
            -verify_return_error -verify_ip 127.0.0.1 -ign_eof >"$work/out" 2>&1
    says 'Hello, World!' "$work/out"
}
early() { refused -tls1_3 -sess_in "$work/session" -early_data /dev/null 2>/dev/null; ask -tls1_3 -sess_out "$work/session" && says 'Max Early Data: 0' "$work/out"; }

curl() { command curl --silent --show-error --max-time 120 --noproxy '*' --cacert "$certificates/ca.pem" "$@"; }
curl_get() { equal "$(curl -w ' %{http_version} %{ssl_verify_result}' "${@:2}" "$base/plaintext")" "Hello, World! $1 0"; }
curl_untrusted() {
    command curl --silent --noproxy '*' --cacert "$certificates/unknown.pem" "$base/plaintext"
    equal $? 60
}
curl_resumed() {
    curl -v -H 'Connection: close' -o /dev/null -o /dev/null "$@" "$base/plaintext" "$base/plaintext" 2>"$work/trace" || return 1
    says 're-using session ID\|reusing session ID' "$work/trace" || return 1
    # The second handshake has no certificates.
    equal "$(grep -c 'TLS handshake, Certificate (11)' "$work/trace")" 1
}
curl_large() { equal "$(curl "$@" "$base/bytes/50000000" | wc -c)" 50000000; }
curl_upload() { equal "$(curl "$@" --data-binary "@$work/ten" "$base/echo" | sha256sum)" "$(sha256sum <"$work/ten")"; }
curl_parallel() {
    equal "$(curl "$@" --parallel --parallel-max 30 "$base/bytes/[1-200]" -o "$work/part#1" && cat "$work"/part* | wc -c)" 20100
}
curl_plain() {
    local out
    out=$(command curl --silent --noproxy '*' --max-time 60 -i "http://$address/plaintext")
    grep -q '^HTTP/1.1 \(400\|30[178]\) ' <<<"$out" && grep -qi 'https' <<<"$out" || { echo "$out"; return 1; }
}

head -c 10000000 /dev/urandom >"$work/ten"

check 'openssl 1.3' tls13
check 'openssl 1.2' tls12
check 'openssl 1.1 is refused' old -tls1_1
check 'openssl 1.0 is refused' old -tls1
for one in ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305; do
    check "openssl 1.2 with $one" suite "$one"
done
for one in AES128-SHA ECDHE-ECDSA-AES128-SHA256 DHE-RSA-AES128-GCM-SHA256; do
    check "openssl 1.2 with $one is refused" no_suite "$one"
done
for one in TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256; do
    check "openssl 1.3 with $one" suite13 "$one"
done
for one in X25519 P-256 P-384; do check "openssl 1.3 with $one" group "$one"; done
# The first share is for a group that the server has not: it asks for another one.
check 'openssl 1.3, a second ClientHello' group P-521:P-256
check 'openssl 1.2, extended master secret' extended
check 'openssl 1.3 resumes' resumed -tls1_3 TLSv1.3
check 'openssl 1.2 resumes' resumed -tls1_2 TLSv1.2
check 'openssl, a ticket of nobody' forged
check 'openssl, early data is off' early
check 'openssl, ALPN h2' alpn h2,http/1.1 h2
check 'openssl, ALPN http/1.1' alpn http/1.1 http/1.1
check 'openssl, no ALPN is HTTP/1.1' alpn_none
check 'openssl, ALPN of something else is refused' alpn_unknown
check 'openssl, no server name' other_name
check "openssl, the client's key update" key_update k
check 'openssl, a key update of both sides' key_update K
check 'openssl, renegotiation is refused' renegotiation
check 'openssl, no client certificate is asked for' not_asked

check 'curl 1.3, HTTP/1.1' curl_get 1.1 --http1.1 --tlsv1.3
check 'curl 1.3, HTTP/2' curl_get 2 --http2 --tlsv1.3
check 'curl 1.2, HTTP/1.1' curl_get 1.1 --http1.1 --tls-max 1.2
check 'curl 1.2, HTTP/2' curl_get 2 --http2 --tls-max 1.2
check 'curl, HTTP/1.0' curl_get 1.1 --http1.0
check 'curl without ALPN' curl_get 1.1 --no-alpn
check 'curl, an authority that it does not know' curl_untrusted
check 'curl 1.3 resumes' curl_resumed --http1.1 --tlsv1.3
# curl switches tickets off there, and the server keeps the session.
check 'curl 1.2 resumes' curl_resumed --http1.1 --tls-max 1.2
for one in --http1.1 --http2; do
    check "curl $one, 50 MB" curl_large "$one"
    check "curl $one, 10 MB up and down" curl_upload "$one"
    check "curl $one, 200 transfers, 30 at a time" curl_parallel "$one"
done
check 'curl, http:// on the port of https://' curl_plain
exit "$failed"
