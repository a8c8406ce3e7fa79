#!/usr/bin/env bash
# HTTP/1.1 with curl.
#
# usage: curl.sh http://HOST:PORT, or https://HOST:PORT with SSL_CERT_FILE
set -uo pipefail
base=${1:?usage: curl.sh http://HOST:PORT}
base=${base%/}
address=${base#*://}
# By https curl would choose HTTP/2.
secure=()
[ "$base" = "http://$address" ] || secure=(--http1.1 --cacert "${SSL_CERT_FILE:?}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

curl() { command curl --silent --show-error --max-time 120 --noproxy '*' "${secure[@]}" "$@"; }

# check NAME FUNCTION: the function fails by its status; what it printed says why.
check() {
    local why
    if why=$("$2" 2>&1); then
        printf 'ok curl %s\n' "$1"
    else
        printf 'FAIL curl %s: %s\n' "$1" "$(printf '%s' "$why" | tr '\r\n' '  ' | cut -c1-300)"
        failed=1
    fi
}
equal() { [ "$1" = "$2" ] || { printf '%q, not %q\n' "${1:0:200}" "${2:0:200}"; return 1; }; }
sum() { sha256sum | cut -d' ' -f1; }

head -c 5000000 /dev/urandom >"$work/five"
head -c 20971520 /dev/urandom >"$work/twenty"

simple() { equal "$(curl "$base/plaintext")" 'Hello, World!'; }

reuse() {
    local connects
    connects=$(curl -o /dev/null -o /dev/null -o /dev/null -w '%{num_connects} ' \
        "$base/plaintext" "$base/json" "$base/bytes/100000") || return 1
    equal "$connects" '1 0 0 '
}

next() {
    local out
    out=$(curl -w '|%{http_code} %{num_connects}|' "$base/plaintext" \
        --next --silent --max-time 120 -w '|%{http_code} %{num_connects}|' -d 'a=b' "$base/echo" \
        --next --silent --max-time 120 -w '|%{http_code} %{num_connects}|' -X DELETE "$base/plaintext" \
        --next --silent --max-time 120 -w '|%{http_code} %{num_connects}|' -I -o /dev/null "$base/json") || return 1
    equal "$out" 'Hello, World!|200 1|a=b|200 0|{"error":"Method Not Allowed"}|405 0||200 0|'
}

parallel() {
    local got
    got=$(curl --parallel --parallel-max 40 "$base/bytes/[1-200]" -o "$work/part#1" && cat "$work"/part* | wc -c) || return 1
    equal "$got" 20100
}

upload() { equal "$(curl -T "$work/five" "$base/echo" | sum)" "$(sum <"$work/five")"; }

chunked_upload() {
    local got
    got=$(cat "$work/five" | curl -T - -D "$work/fields" "$base/echo" | sum) || return 1
    equal "$got" "$(sum <"$work/five")"
}

streamed_upload() { equal "$(curl -T "$work/twenty" "$base/echo" | sum)" "$(sum <"$work/twenty")"; }
streamed_chunked_upload() { equal "$(cat "$work/twenty" | curl -T - "$base/echo" | sum)" "$(sum <"$work/twenty")"; }

slow_upload() {
    equal "$({ printf one; sleep 0.5; printf two; sleep 0.5; printf three; } | curl -T - "$base/echo")" onetwothree
}

expect_wanted() {
    curl -v -H 'Expect: 100-continue' --data-binary "@$work/five" -o "$work/out" "$base/echo" 2>"$work/trace" || return 1
    cmp "$work/five" "$work/out" || return 1
    grep -q '^< HTTP/1.1 100 Continue' "$work/trace" || { echo 'no 100 Continue'; return 1; }
    grep -q '^< HTTP/1.1 200 ' "$work/trace" || { echo 'no 200'; return 1; }
}

expect_refused() {
    curl -v -H 'Expect: 100-continue' --data-binary "@$work/five" -o "$work/out" "$base/plaintext" 2>"$work/trace" || return 1
    grep -q '^< HTTP/1.1 405 ' "$work/trace" || { echo 'no 405'; return 1; }
    ! grep -q ' 100 Continue' "$work/trace" || { echo '100 Continue for a body that nobody wants'; return 1; }
}

expect_unknown() { equal "$(curl -o /dev/null -w '%{http_code}' -H 'Expect: wonders' -d x "$base/echo")" 417; }

codings() {
    local coding plain
    plain=$(curl "$base/items" | sum) || return 1
    for coding in gzip br zstd; do
        equal "$(curl -D "$work/head" -H "Accept-Encoding: $coding" --compressed "$base/items" | sum)" "$plain" || return 1
        grep -qi "^content-encoding: $coding" "$work/head" || { cat "$work/head"; return 1; }
    done
}

# The second event is seen although the stream goes on.
coded_events() {
    local coding reader
    for coding in gzip br zstd; do
        (exec curl -sN --max-time 120 --noproxy '*' "${secure[@]}" -H "Accept-Encoding: $coding" --compressed \
            "$base/sse/ticks" >"$work/events") &
        reader=$!
        for _ in $(seq 600); do
            grep -q '^id: 2' "$work/events" && break
            sleep 0.1
        done
        kill "$reader" 2>/dev/null
        wait "$reader" 2>/dev/null
        grep -q '^id: 1$' "$work/events" && grep -q '^id: 2$' "$work/events" || { echo "$coding: $(cat "$work/events")"; return 1; }
    done
}

http10() {
    equal "$(curl --http1.0 -w ' %{http_code}' "$base/plaintext")" 'Hello, World! 200' || return 1
    equal "$(curl --http1.0 --data-binary "@$work/five" "$base/echo" | sum)" "$(sum <"$work/five")"
}

http2_offered() { equal "$(curl --http2 -w ' %{http_version}' "$base/plaintext")" 'Hello, World! 1.1'; }

asterisk() {
    local out
    out=$(curl -i -X OPTIONS --request-target '*' "$base/") || return 1
    grep -qE '^HTTP/1.1 20[04] ' <<<"$out" || { echo "$out"; return 1; }
}

options() {
    curl -i -X OPTIONS "$base/plaintext" | tr -d '\r' | grep -i '^allow:' | grep GET | grep -q HEAD || { echo 'no Allow'; return 1; }
}

head_only() {
    local out
    out=$(curl -I "$base/bytes/12345" | tr -d '\r') || return 1
    grep -qi '^content-length: 12345$' <<<"$out" || { echo "$out"; return 1; }
}

# curl as the client of a proxy asks with the absolute form.
absolute() { equal "$(curl --noproxy '' -x "$base" 'http://showcase.example/plaintext')" 'Hello, World!'; }

# curl sends no trailers and does not pipeline by itself: its telnet carries both.
# raw END: sends its input and waits until what came back ends in END.
raw() {
    local client
    rm -f "$work/wire" "$work/out"
    mkfifo "$work/wire"
    exec 3<>"$work/wire" # never at its end, which would stop curl
    cat >&3
    command curl -sN --noproxy '*' "telnet://$address" <"$work/wire" >"$work/out" 2>/dev/null &
    client=$!
    for _ in $(seq 1200); do
        [[ $(<"$work/out") == *"$1" ]] && break
        sleep 0.05
    done
    kill "$client"
    wait "$client" 2>/dev/null
    exec 3>&-
    tr -d '\r' <"$work/out"
}

trailers() {
    local out
    out=$(printf 'POST /echo HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Sum: 11\r\nX-Other: "a, b"\r\n\r\n' | raw 'hello world')
    grep -q '^HTTP/1.1 200 ' <<<"$out" && equal "$(tail -1 <<<"$out")" 'hello world'
}

pipelined() {
    local out
    out=$( {
        for n in 1 2 3 4 5; do printf 'GET /plaintext?%s HTTP/1.1\r\nHost: a\r\n\r\n' "$n"; done
        printf 'PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nfour'
        printf 'GET /json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    } | raw 'World!"}' )
    equal "$(grep -c 'HTTP/1.1 200 ' <<<"$out")" 7 || return 1
    equal "$(grep -o 'Hello, World!HTTP\|fourHTTP\|{"message":"Hello, World!"}$' <<<"$out" | tr '\n' ' ')" \
        'Hello, World!HTTP Hello, World!HTTP Hello, World!HTTP Hello, World!HTTP Hello, World!HTTP fourHTTP {"message":"Hello, World!"} '
}

events() {
    local out
    # Ends with the second id: what curl writes after that goes nowhere.
    out=$(curl -N -H 'Last-Event-ID: 41' "$base/sse/ticks" 2>/dev/null | grep -m 2 '^id:')
    equal "$(tr -d ' \r\n' <<<"$out")" 'id:42id:43'
}

graphql() {
    local url=$base/graphql user='{ user(id: "1") { name } }' ada='{"data":{"user":{"name":"Ada Lovelace"}}}'
    equal "$(curl --json '{"query": "{ user(id: 1) { name } }"}' "$url")" "$ada" || return 1
    equal "$(curl -G --data-urlencode "query=$user" "$url")" "$ada" || return 1
    equal "$(curl -N -G -H 'Accept: text/event-stream' --data-urlencode "query=$user" "$url" | tr '\n' ' ')" \
        "event: next data: $ada  event: complete data:   " || return 1
    equal "$(curl -G -D - -o /dev/null -w '%{http_code}' --data-urlencode 'query=mutation { createPost }' "$url" |
        grep -iE '^(allow|405)' | tr -d '\r\n' | tr A-Z a-z)" 'allow: post405' || return 1
    equal "$(curl -o /dev/null -w '%{http_code}' -d "query=$user" "$url")" 415
}

range_of_names() { equal "$(curl --path-as-is -o /dev/null -w '%{http_code}' "$base/../plaintext")" 404; }

bad_host() { equal "$(curl -o /dev/null -w '%{http_code}' -H 'Host: a b' "$base/plaintext")" 400; }
no_host() { equal "$(curl -o /dev/null -w '%{http_code}' -H 'Host:' "$base/plaintext")" 400; }

check 'a plain GET' simple
check 'one connection for three transfers' reuse
check 'one connection for four methods' next
check '200 transfers, 40 at once' parallel
check 'upload with Content-Length' upload
check 'chunked upload' chunked_upload
check 'upload of 20 MiB, streamed' streamed_upload
check 'chunked upload of 20 MiB, streamed' streamed_chunked_upload
check 'slow chunked upload' slow_upload
check 'Expect: 100-continue is answered' expect_wanted
check 'Expect: 100-continue is refused early' expect_refused
check 'Expect: wonders is 417' expect_unknown
check 'HTTP/1.0' http10
check 'OPTIONS *' asterisk
check 'OPTIONS of a path' options
check 'HEAD' head_only
check 'event stream from Last-Event-ID' events
check 'GraphQL' graphql
check 'dots in a path lead nowhere' range_of_names
check 'replies in gzip, br and zstd' codings
check 'events in gzip, br and zstd are seen one by one' coded_events
check 'an invalid Host is 400' bad_host
check 'a missing Host is 400' no_host
if [ ${#secure[@]} -eq 0 ]; then
    check 'an offer of HTTP/2 is declined' http2_offered
    check 'absolute form' absolute
    check 'trailers' trailers
    check 'pipelined requests' pipelined
fi
exit "$failed"
