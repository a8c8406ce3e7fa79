#!/usr/bin/env python3
"""A server behind nginx and haproxy: what it sees of its clients, by fields of HTTP and by the
PROXY protocol, versions 1 and 2, and by both.

usage: proxies.py SERVER CERTIFICATES      the program proxied_server, a folder of certificates.sh

Starts all three. Clients come from 127.0.0.5, nginx from 127.0.0.2, haproxy from 127.0.0.3.
"""

import atexit
import http.client
import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

import websockets.exceptions
import websockets.sync.client

from checks import PATIENCE, check, equal, eventually, finish

SERVER, CERTIFICATES = sys.argv[1], pathlib.Path(sys.argv[2])
CLIENT, NGINX, HAPROXY = "127.0.0.5", "127.0.0.2", "127.0.0.3"
WORK = pathlib.Path(tempfile.mkdtemp())
PROCESSES = []
LINES = []


@atexit.register
def clear_up():
    for process in PROCESSES:
        process.kill()
        process.wait()
    shutil.rmtree(WORK, ignore_errors=True)


def free_port():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


def start(name, *command, **options):
    log = open(WORK / f"{name}.log", "w")
    options = {"stdout": log, "stderr": log} | options
    process = subprocess.Popen(command, **options)
    PROCESSES.append(process)
    return process


def opened(port):
    def answers():
        with socket.socket() as made:
            return made.connect_ex(("127.0.0.1", port)) == 0

    eventually(answers, f"port {port}")


def start_server():
    process = start("server", SERVER, stdout=subprocess.PIPE, text=True, bufsize=1)
    places = {}
    while len(places) < 4:
        name, place = process.stdout.readline().split()
        places[name] = place
    threading.Thread(target=lambda: LINES.extend(process.stdout), daemon=True).start()
    return places


PLACES = start_server()
PORTS = {name: free_port() for name in ["nginx", "nginx_tls", "nginx_rfc", "nginx_both", "haproxy", "haproxy_tls",
                                        "haproxy_h2", "haproxy_rfc", "v1", "v2", "v1_nginx", "v2_nginx"]}

SERVERS = "\n".join(
    f"""    server {{
        listen 127.0.0.1:{PORTS[name]}{" ssl" if name == "nginx_tls" else ""};
        ssl_certificate {CERTIFICATES}/server.pem; ssl_certificate_key {CERTIFICATES}/server.key;
        location / {{
            proxy_pass http://{place}; proxy_http_version 1.1; proxy_bind {NGINX}; proxy_buffering off;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
            proxy_set_header Host inner.example;
            {fields}
        }}
    }}"""
    for name, place, fields in [
        (name, place, "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
         "proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;")
        for name, place in [("nginx", PLACES["fields"]), ("nginx_tls", PLACES["fields"]),
                            ("nginx_both", f"127.0.0.1:{PORTS['v2_nginx']}")]
    ] + [
        ("nginx_rfc", PLACES["forwarded"],
         'proxy_set_header Forwarded "$http_forwarded, for=\\"$remote_addr:$remote_port\\";proto=$scheme;host=\\"$http_host\\"";'),
    ]
)
(WORK / "nginx.conf").write_text(f"""
daemon off; master_process off; error_log {WORK}/nginx.log; pid {WORK}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {WORK}/body; proxy_temp_path {WORK}/proxy; fastcgi_temp_path {WORK}/fastcgi;
    uwsgi_temp_path {WORK}/uwsgi; scgi_temp_path {WORK}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
{SERVERS}
}}
""")
(WORK / "haproxy.pem").write_bytes((CERTIFICATES / "server.pem").read_bytes() + (CERTIFICATES / "server.key").read_bytes())
(WORK / "haproxy.cfg").write_text(f"""
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
frontend fields
    bind 127.0.0.1:{PORTS["haproxy"]}
    bind 127.0.0.1:{PORTS["haproxy_tls"]} ssl crt {WORK}/haproxy.pem
    option forwardfor
    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
    http-request del-header X-Forwarded-Host
    default_backend fields
backend fields
    server one {PLACES["fields"]} source {HAPROXY}
frontend h2
    bind 127.0.0.1:{PORTS["haproxy_h2"]}
    option forwardfor
    http-request set-header X-Forwarded-Proto http
    http-request del-header X-Forwarded-Host
    default_backend h2
backend h2
    server one {PLACES["fields"]} source {HAPROXY} proto h2
frontend rfc
    bind 127.0.0.1:{PORTS["haproxy_rfc"]}
    http-request add-header Forwarded for=%[src];proto=http
    default_backend rfc
backend rfc
    server one {PLACES["forwarded"]} source {HAPROXY}
listen v1
    mode tcp
    bind 127.0.0.1:{PORTS["v1"]}
    server one {PLACES["header"]} source {HAPROXY} send-proxy
listen v2
    mode tcp
    bind 127.0.0.1:{PORTS["v2"]}
    server one {PLACES["header"]} source {HAPROXY} send-proxy-v2
listen v1_nginx
    mode tcp
    bind 127.0.0.1:{PORTS["v1_nginx"]}
    server one {PLACES["combined"]} source {HAPROXY} send-proxy
listen v2_nginx
    mode tcp
    bind 127.0.0.1:{PORTS["v2_nginx"]}
    server one {PLACES["combined"]} source {HAPROXY} send-proxy-v2
""")
start("nginx", "nginx", "-p", str(WORK), "-c", str(WORK / "nginx.conf"))
start("haproxy", "haproxy", "-db", "-f", str(WORK / "haproxy.cfg"))
for port in PORTS.values():
    opened(port)

TRUST = ssl.create_default_context(cafile=str(CERTIFICATES / "ca.pem"))
SPOOFED = {
    "X-Forwarded-For": "203.0.113.1, 127.0.0.2",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": 'for=203.0.113.1;host=evil.example;proto=https, for="',
}


def connection(name):
    """From the client's address."""
    port, source = PORTS[name], (CLIENT, 0)
    if name.endswith("_tls"):
        return http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, source_address=source, context=TRUST)
    return http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE, source_address=source)


def ask(name, method="GET", path="/who", fields=None, host="a.example"):
    made = connection(name)
    made.request(method, path, headers={"Host": host} | (fields or {}))
    answer = made.getresponse()
    body = answer.read()
    made.close()
    return answer, body


def who(name, **more):
    answer, body = ask(name, **more)
    equal(answer.status, 200, name)
    told = json.loads(body)
    return answer, told


def is_client(told, name=""):
    equal(told["peer"].rsplit(":", 1)[0], CLIENT, f"{name} peer")


# How each way is seen: the proxy, the scheme, whether the client's port is told.
WAYS = {
    "nginx": (NGINX, "http", False),
    "nginx_tls": (NGINX, "https", False),
    "nginx_rfc": (NGINX, "http", True),
    "haproxy": (HAPROXY, "http", False),
    "haproxy_tls": (HAPROXY, "https", False),
    "haproxy_h2": (HAPROXY, "http", False),
    "haproxy_rfc": (HAPROXY, "http", False),
    "v1": (None, "http", True),
    "v2": (None, "http", True),
    "nginx_both": (NGINX, "http", False),
}


@check("address, scheme and host are the client's by every way, and spoofed fields change nothing")
def everyway():
    for name, (proxy, scheme, port) in WAYS.items():
        for fields in [{}, SPOOFED]:
            _, told = who(name, fields=fields)
            is_client(told, name)
            equal(told["peer"].endswith(":0"), not port, f"{name} port")
            equal(told["proxy"] and told["proxy"].split(":")[0], proxy, f"{name} proxy")
            equal((told["scheme"], told["host"], told["base"]), (scheme, "a.example", f"{scheme}://a.example"), name)


@check("what a client writes without a proxy is not believed")
def direct():
    for name in ["fields", "forwarded"]:
        host, port = PLACES[name].split(":")
        made = http.client.HTTPConnection(host, int(port), timeout=PATIENCE, source_address=(CLIENT, 0))
        made.request("GET", "/who", headers={"Host": "a.example"} | SPOOFED)
        told = json.loads(made.getresponse().read())
        made.close()
        is_client(told, name)
        equal((told["scheme"], told["host"], told["proxy"]), ("http", "a.example", None), name)


@check("fields of the client that the PROXY protocol names are not believed, nor is a header without a proxy")
def header_alone():
    for name in ["v1_nginx", "v2_nginx"]:
        _, told = who(name, fields=SPOOFED)
        is_client(told, name)
        equal((told["scheme"], told["host"], told["proxy"]), ("http", "a.example", None), name)
    host, port = PLACES["header"].split(":")
    with socket.create_connection((host, int(port)), PATIENCE, source_address=(CLIENT, 0)) as made:
        made.sendall(b"PROXY TCP4 203.0.113.1 203.0.113.2 1 2\r\nGET /who HTTP/1.1\r\nHost: a\r\n\r\n")
        equal(made.recv(12), b"HTTP/1.1 400", "an unread head")


@check("the guard by origin compares the host that the client asked for")
def origins():
    for name in WAYS:
        page = {"Origin": f"{WAYS[name][1]}://a.example"}
        answer, _ = ask(name, "POST", "/change", page)
        equal(answer.status, 200, f"{name} own page")
        for foreign in ["http://inner.example", "http://evil.example"]:
            answer, _ = ask(name, "POST", "/change", SPOOFED | {"Origin": foreign})
            equal(answer.status, 403, f"{name} {foreign}")


@check("WebSockets pass, from pages of the client's host alone")
def sockets():
    for name in WAYS:
        def dial(origin):
            made = socket.create_connection(("127.0.0.1", PORTS[name]), PATIENCE, source_address=(CLIENT, 0))
            secure = name.endswith("_tls")
            options = {"ssl": TRUST, "server_hostname": "127.0.0.1"} if secure else {}
            url = f"{'wss' if secure else 'ws'}://a.example/socket"
            return websockets.sync.client.connect(url, sock=made, origin=origin, proxy=None, **options)

        with dial(f"{WAYS[name][1]}://a.example") as session:
            session.send("who")
            is_client(json.loads(session.recv(PATIENCE)), name)
            session.send(b"\x00" * 100_000)
            equal(len(session.recv(PATIENCE)), 100_000, name)
        try:
            dial("http://inner.example")
            raise AssertionError(f"{name}: a foreign page is let in")
        except websockets.exceptions.InvalidStatus as refused:
            equal(refused.response.status_code, 403, name)


@check("event streams pass as they are written")
def events():
    for name in WAYS:
        made = connection(name)
        made.request("GET", "/events", headers={"Host": "a.example"})
        answer = made.getresponse()
        text = b""
        while text.count(b"\n\n") < 3:
            text += answer.read1()
        data = re.findall(rb"data: ?(.*)\n", text)
        is_client(json.loads(data[0]), name)
        equal(data[1:3], [b"1", b"2"], name)
        made.close()


@check("ids and traces come from proxies, and strangers' ids are replaced")
def ids():
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    fields = {"X-Request-Id": "abc-1", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    answer, told = who("nginx", fields=fields)
    equal((told["id"], answer.headers["X-Request-Id"]), ("abc-1", "abc-1"), "nginx")
    equal(told["trace"].split("-")[1], trace, "trace")
    answer, told = who("v1", fields=fields)
    equal(told["id"], answer.headers["X-Request-Id"], "v1")
    equal(len(told["id"]), 32, "v1 made anew")


@check("the access log names the client")
def logged():
    def lines():
        return [json.loads(line) for line in list(LINES)]

    eventually(lambda: any(it.get("id") == "abc-1" for it in lines()), "a line with an id")
    for line in lines():
        # 127.0.0.1: the look at whether a port answers, through a proxy in mode tcp.
        equal(line["client"] in [CLIENT, "127.0.0.1"], True, str(line))
    found = next(it for it in lines() if it.get("id") == "abc-1")
    equal((found["method"], found["route"], found["status"]), ("GET", "/who", 200))


finish()
