#!/usr/bin/env bash
# HTTP/2 with curl, nghttp and h2load, with prior knowledge on the plain port.
#
# usage: http2.sh http://HOST:PORT
set -uo pipefail
base=${1:?usage: http2.sh http://HOST:PORT}
base=${base%/}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

curl() { command curl --silent --show-error --max-time 30 --noproxy '*' --http2-prior-knowledge "$@"; }

# check NAME FUNCTION: the function fails by its status; what it printed says why.
check() {
    local why
    if why=$("$2" 2>&1); then
        printf 'ok http2 %s\n' "$1"
    else
        printf 'FAIL http2 %s: %s\n' "$1" "$(printf '%s' "$why" | tr '\r\n' '  ' | cut -c1-300)"
        failed=1
    fi
}
equal() { [ "$1" = "$2" ] || { printf '%q, not %q\n' "${1:0:200}" "${2:0:200}"; return 1; }; }
sum() { sha256sum | cut -d' ' -f1; }

head -c 5000000 /dev/urandom >"$work/five"
head -c 20971520 /dev/urandom >"$work/twenty"

simple() { equal "$(curl -w ' %{http_version} %{http_code}' "$base/plaintext")" 'Hello, World! 2 200'; }

errors() {
    equal "$(curl -w ' %{http_code}' "$base/nowhere")" '{"error":"Not Found"} 404' &&
        equal "$(curl -w ' %{http_code}' -X DELETE "$base/plaintext")" '{"error":"Method Not Allowed"} 405'
}

head_request() {
    local head
    head=$(curl -I "$base/plaintext" | tr -d '\r') || return 1
    equal "$(grep -ci '^content-length: 13$' <<<"$head")" 1 && equal "$(head -1 <<<"$head")" 'HTTP/2 200 '
}

# curl 7.88 cannot use such a connection twice.
many() {
    local got
    got=$(for n in $(seq 300); do printf '%s/bytes/%d\n' "$base" "$n"; done | xargs nghttp -n -s | awk '$4 == 200 || $5 == 200' | wc -l) || return 1
    equal "$got" 300
}

upload() { equal "$(curl -T "$work/five" "$base/echo" | sum)" "$(sum <"$work/five")"; }

# Without a length, and larger than what is collected.
long_upload() { equal "$(curl -T - "$base/echo" <"$work/twenty" | sum)" "$(sum <"$work/twenty")"; }

expect() {
    equal "$(curl -H 'Expect: 100-continue' --data-binary @"$work/five" "$base/echo" | sum)" "$(sum <"$work/five")"
}

events() {
    curl -N --max-time 3 "$base/sse/ticks" >"$work/ticks"
    [ "$(grep -c '^data: ' "$work/ticks")" -ge 2 ] || { cat "$work/ticks"; return 1; }
}

nghttp_many() {
    local got
    got=$(nghttp -n -s "$base/plaintext" "$base/json" "$base/bytes/1000000" | awk '$4 == 200 || $5 == 200' | wc -l) || return 1
    equal "$got" 3
}

nghttp_padding() { equal "$(nghttp -b 256 -d "$work/five" "$base/echo" | sum)" "$(sum <"$work/five")"; }

nghttp_small_windows() { equal "$(nghttp -w 10 -W 12 "$base/bytes/3000000" | wc -c)" 3000000; }

# It sends some 18 KB of fields, in HEADERS and CONTINUATION: more than is taken.
nghttp_continuation() { equal "$(nghttp -v --continuation "$base/plaintext" | grep -c ':status: 431')" 1; }

# load COUNT ARGUMENTS...: all of COUNT requests succeed.
load() {
    local count=$1 out
    shift
    out=$(h2load -n "$count" "$@") || return 1
    grep -q "^requests: $count total, $count started, $count done, $count succeeded, 0 failed, 0 errored, 0 timeout" <<<"$out" || {
        grep '^requests' <<<"$out"
        return 1
    }
}
load_many() { load 20000 -c 10 -m 100 "$base/plaintext"; }
load_large() { load 400 -c 4 -m 20 "$base/bytes/200000"; }
load_upload() { load 40 -c 4 -m 5 -d "$work/five" "$base/echo"; }

check 'curl, a request' simple
check 'curl, errors' errors
check 'curl, HEAD' head_request
check 'nghttp, 300 at once' many
check 'curl, 5 MB there and back' upload
check 'curl, 20 MiB of unknown length there and back' long_upload
check 'curl, Expect: 100-continue' expect
check 'curl, events' events
check 'nghttp, three at once' nghttp_many
check 'nghttp, padded frames' nghttp_padding
check 'nghttp, windows of 1 and 4 KiB' nghttp_small_windows
check 'nghttp, more fields than are taken' nghttp_continuation
check 'h2load, 20,000 requests' load_many
check 'h2load, 400 replies of 200 KB' load_large
check 'h2load, 40 uploads of 5 MB' load_upload
exit "$failed"
