#!/usr/bin/env bash
# Connect with curl: the lines of docs/connect.md, and what is beside them.
#
# usage: connect.sh http://HOST:PORT
set -uo pipefail
base=${1:?usage: connect.sh http://HOST:PORT}
base=${base%/}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
users=$base/user_service.UserService
json='Content-Type: application/json'
failed=0

curl() { command curl --silent --show-error --max-time 120 --noproxy '*' "$@"; }

# check NAME FUNCTION: the function fails by its status; what it printed says why.
check() {
    local why
    if why=$("$2" 2>&1); then
        printf 'ok connect with curl: %s\n' "$1"
    else
        printf 'FAIL connect with curl: %s: %s\n' "$1" "$(printf '%s' "$why" | tr '\r\n' '  ' | cut -c1-300)"
        failed=1
    fi
}
equal() { [ "$1" = "$2" ] || { printf '%q, not %q\n' "${1:0:200}" "${2:0:200}"; return 1; }; }
status() { curl -o /dev/null -w '%{http_code}' "$@"; }

user() {
    local email made
    email=$RANDOM$RANDOM$RANDOM@example.com
    made=$(curl "$@" -H "$json" -d "{\"name\": \"Grüße\", \"email\": \"$email\"}" "$users/CreateUser") || return 1
    id=$(printf '%s' "$made" | sed -E 's/.*"id":"([^"]*)".*/\1/')
    [ -n "$id" ] && [ "${#id}" -lt 40 ] || { printf 'no id in %s\n' "$made"; return 1; }
}

# of --http1.1, and of --http2-prior-knowledge
over() {
    local id out
    user "$1" || return 1
    out=$(curl "$1" -H "$json" -d "{\"id\": \"$id\"}" "$users/GetUser") || return 1
    case $out in *'"name":"Grüße"'*) ;; *) printf '%s\n' "$out"; return 1 ;; esac
    equal "$(curl "$1" -G -d connect=v1 -d encoding=json --data-urlencode "message={\"id\": \"$id\"}" "$users/GetUser")" "$out" || return 1
    equal "$(curl "$1" --compressed -H "$json" -d "{\"id\": \"$id\"}" "$users/GetUser")" "$out" || return 1
    equal "$(printf '{"id": "%s"}' "$id" | gzip | curl "$1" -H "$json" -H 'Content-Encoding: gzip' --data-binary @- "$users/GetUser")" "$out"
}
http1() { over --http1.1; }
http2() { over --http2-prior-knowledge; }

errors() {
    local body
    body=$(curl -H "$json" -d '{"id": "nobody"}' "$users/GetUser") || return 1
    case $body in '{"code":"not_found","message":"'*) ;; *) printf '%s\n' "$body"; return 1 ;; esac
    equal "$(status -H "$json" -d '{"id": "nobody"}' "$users/GetUser")" 404 || return 1
    equal "$(status -H "$json" -d '{' "$users/GetUser")" 400 || return 1
    equal "$(status -H 'Content-Type: text/plain' -d '{}' "$users/GetUser")" 415 || return 1
    equal "$(status "$users/CreateUser")" 405 || return 1
    equal "$(status -H "$json" -d '{}' "$users/Nothing")" 404
}

# An envelope in front, and the last one behind.
stream() {
    printf '\0\0\0\0\x13{"page_size": 2   }' |
        curl -H 'Content-Type: application/connect+json' --data-binary @- "$users/ListUsers" |
        tr -d '\0' | grep -c '"id".*"id".*{}$' >/dev/null
}

# The lines of the documentation as they stand there, but for the address.
documented() {
    local lines out one='"name":"Ada"'
    lines=$(sed -n '/^## With curl/,/^## JSON/p' "$root/docs/connect.md" |
        sed -n '/^```sh/,/^```/{/^```/!p}' | sed "s|http://127.0.0.1:8080|$base|")
    case $lines in *CreateUser*ListUsers*) ;; *) printf 'the lines are elsewhere\n'; return 1 ;; esac
    out=$(eval "$lines") || { printf '%s\n' "$out"; return 1; }
    case $out in
        *"$one"*'{"code":"not_found","message":'*"$one"*'"id"'*'{}') ;;
        *) printf '%s\n' "$out"; return 1 ;;
    esac
}

check 'the lines of the documentation' documented
check 'HTTP/1.1' http1
check 'HTTP/2' http2
check 'errors' errors
check "a server's stream" stream
exit "$failed"
