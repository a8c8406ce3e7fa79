#!/usr/bin/env bash
# Our blocking HTTP client against httpbin, nginx, haproxy, Node.js and Python's http.server,
# through tinyproxy, squid and microsocks, and against servers that close connections as a
# request comes.
#
# usage: http_client.sh PROGRAM CERTIFICATES [SUITE...]
#   PROGRAM        http_client_cases of the package interop-clients
#   CERTIFICATES   the folder that certificates.sh has filled
#   SUITE          only these; all by default
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$(realpath "${1:?usage: http_client.sh PROGRAM CERTIFICATES [SUITE...]}")
certificates=$(realpath "${2:?usage: http_client.sh PROGRAM CERTIFICATES [SUITE...]}")
shift 2
wanted=" $* "
export SSL_CERT_FILE=$certificates/ca.pem
work=$(mktemp -d)
chmod 755 "$work" # for workers of other users
processes=()
end() {
    [ ${#processes[@]} -eq 0 ] || { kill "${processes[@]}" && wait "${processes[@]}"; } 2>/dev/null
    rm -rf "$work"
}
trap end EXIT
failed=0

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# opened NAME PORT: waits until somebody listens there.
opened() {
    local _
    for _ in $(seq 600); do
        (exec 4<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null && return 0
        sleep 0.05
    done
    printf 'FAIL http client to %s: the server does not start: %s\n' "$1" "$(tail -c 300 "$work/$1.log" | tr '\n' ' ')"
    exit 1
}
is_wanted() { [ "$wanted" = '  ' ] || [[ $wanted == *" $1 "* ]]; }

# cases SUITE URL...: runs it.
cases() {
    timeout 120 "$program" --ca "$certificates/ca.pem" "$@" >"$work/out" 2>"$work/err" || failed=1
    cat "$work/out"
    grep -q '^ok' "$work/out" && [ ! -s "$work/err" ] && return 0
    printf 'FAIL http client to %s: %s\n' "$1" "$(tail -c 300 "$work/err" | tr '\n' ' ')"
    failed=1
}

start_nginx() {
    local plain secure few name settings
    local -A http2=([steady]='' [narrow]='http2_max_concurrent_streams 4;' [leaving]='keepalive_requests 20;' [resting]='keepalive_timeout 1s;')
    plain=$(free_port) secure=$(free_port) few=$(free_port)
    mkdir "$work/www"
    printf 'hello\n' >"$work/www/hello"
    seq 30000 >"$work/www/large.txt"
    cat >"$work/nginx.conf" <<NGINX
daemon off; master_process off; error_log $work/nginx.log; pid $work/nginx.pid;
events { worker_connections 2000; }
http {
    access_log off; keepalive_requests 100000; root $work/www; error_page 405 =200 \$uri;
    types { text/plain txt; }
    gzip on; gzip_types text/plain; gzip_http_version 1.0;
    client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
    server { listen $plain; keepalive_timeout 1s; }
    server {
        listen 127.0.0.1:$secure ssl; listen 127.0.0.2:$secure ssl;
        ssl_certificate $certificates/server.pem; ssl_certificate_key $certificates/server.key;
    }
    server { listen 127.0.0.1:$few; keepalive_requests 3; }
NGINX
    shared=()
    for name in steady narrow leaving resting; do
        settings=${http2[$name]} http2[$name]=$(free_port)
        shared+=("https://localhost:${http2[$name]}")
        cat >>"$work/nginx.conf" <<NGINX
    server {
        listen 127.0.0.1:${http2[$name]} ssl http2; $settings
        ssl_certificate $certificates/server.pem; ssl_certificate_key $certificates/server.key;
    }
NGINX
    done
    printf '}\n' >>"$work/nginx.conf"
    nginx -p "$work" -c "$work/nginx.conf" 2>/dev/null &
    processes+=($!)
    opened nginx "$plain"
    nginx=("http://127.0.0.1:$plain" "https://localhost:$secure" "http://127.0.0.1:$few" "$certificates/unknown.pem")
}

start_haproxy() {
    local plain secure
    plain=$(free_port) secure=$(free_port)
    cat "$certificates"/server.{pem,key} >"$work/haproxy.pem"
    cat >"$work/haproxy.cfg" <<HAPROXY
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
    timeout http-keep-alive 1s
frontend both
    http-request deny if { path /refused }
    bind 127.0.0.1:$plain
    bind 127.0.0.1:$secure ssl crt $work/haproxy.pem alpn h2,http/1.1
    default_backend nginx
backend nginx
    server nginx ${nginx[0]#http://}
HAPROXY
    haproxy -db -f "$work/haproxy.cfg" >"$work/haproxy.log" 2>&1 &
    processes+=($!)
    opened haproxy "$plain"
    haproxy=("http://127.0.0.1:$plain" "https://localhost:$secure")
}

start_squid() {
    local http helper
    http=$(free_port)
    helper=$(ls /usr/lib/squid*/basic_ncsa_auth /usr/libexec/squid/basic_ncsa_auth 2>/dev/null | head -1)
    printf 'user:%s\n' "$(openssl passwd -apr1 secret)" >"$work/squid.users"
    touch "$work/squid.log" && chmod 666 "$work/squid.log"
    cat >"$work/squid.conf" <<SQUID
http_port 127.0.0.1:$http
visible_hostname localhost
auth_param basic program $helper $work/squid.users
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
cache_log $work/squid.log
access_log none
pid_filename none
netdb_filename none
coredump_dir $work
shutdown_lifetime 0 seconds
SQUID
    squid -N -f "$work/squid.conf" >/dev/null 2>&1 &
    processes+=($!)
    opened squid "$http"
    proxies[0]="http://user:secret@127.0.0.1:$http"
}

start_proxies() {
    local http socks
    http=$(free_port) socks=$(free_port)
    printf '%s\n' "Port $http" 'Listen 127.0.0.1' 'Timeout 60' 'MaxClients 50' 'LogLevel Error' \
        'BasicAuth user secret' >"$work/tinyproxy.conf"
    tinyproxy -d -c "$work/tinyproxy.conf" >"$work/tinyproxy.log" 2>&1 &
    processes+=($!)
    opened tinyproxy "$http"
    microsocks -i 127.0.0.1 -p "$socks" -u user -P secret >"$work/microsocks.log" 2>&1 &
    processes+=($!)
    opened microsocks "$socks"
    proxies=("http://user:secret@127.0.0.1:$http" "socks5://user:secret@127.0.0.1:$socks")
}

if is_wanted httpbin; then
    port=$(free_port)
    gunicorn --bind "127.0.0.1:$port" --bind "unix:$work/httpbin.socket" --worker-class gthread --threads 8 --keep-alive 30 --worker-tmp-dir "$work" \
        --no-control-socket httpbin:app >"$work/httpbin.log" 2>&1 &
    processes+=($!)
    opened httpbin "$port"
    cases httpbin "http://127.0.0.1:$port" "$work/httpbin.socket"
fi
if is_wanted node || is_wanted race || is_wanted http2; then
    # It ends when its input does, whatever becomes of this script.
    coproc NODE { exec node "$here/http_client.mjs" "$certificates"/server.{pem,key} 2>"$work/node.log"; }
    read -r -t 60 steady hasty secure <&"${NODE[0]}" || { printf 'FAIL http client to node: the server does not start\n'; exit 1; }
    ! is_wanted node || cases node "http://127.0.0.1:$steady"
    ! is_wanted race || cases race "http://127.0.0.1:$hasty"
fi
start_nginx
! is_wanted http2 || cases http2 "${shared[@]}" "https://localhost:$secure"
! is_wanted nginx || cases nginx "${nginx[@]}"
if is_wanted proxies; then
    start_proxies
    cases proxies "${nginx[@]:0:2}" "${proxies[@]}"
    start_squid
    cases proxies "${nginx[@]:0:2}" "${proxies[@]}"
fi
if is_wanted haproxy; then
    start_haproxy
    cases haproxy "${haproxy[@]}"
fi
if is_wanted python; then
    port=$(free_port)
    python3 -m http.server "$port" --bind 127.0.0.1 --directory "$work/www" >"$work/python.log" 2>&1 &
    processes+=($!)
    opened python "$port"
    cases python "http://127.0.0.1:$port"
fi
! is_wanted leaks || cases leaks "${nginx[@]}"
exit "$failed"
