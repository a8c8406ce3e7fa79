#!/usr/bin/env python3
"""The entry for HttpArena (examples/arena), profile by profile, with curl, http.client,
bare sockets, websockets and grpcio.

usage: arena.py ARENA

Makes data and a certificate as the arena mounts them, and starts the program itself. What
is tried is what the arena's rules say, with numbers that change from run to run.
"""

import atexit
import gzip
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import websockets.sync.client
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from websockets.exceptions import InvalidStatus

from checks import PATIENCE, check, equal, finish

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "arena"
FOLDER = Path(tempfile.mkdtemp(prefix="arena-"))
TRIED = set()
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def start(program):
    """The program, and where it listens: plain, HTTP/2 by TLS, HTTP/1.1 by TLS, HTTP/2 without."""
    subprocess.run([sys.executable, EXAMPLE / "sample_data.py", FOLDER], check=True)
    # As the arena's own: of a common name and nothing else.
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2", "-subj", "/CN=localhost"]
        + ["-keyout", FOLDER / "key", "-out", FOLDER / "crt"],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    ports = {name: "0" for name in ["PORT", "H2PORT", "H1TLS_PORT", "H2C_PORT"]}
    where = {"DATA_DIR": FOLDER, "TLS_CERT": FOLDER / "crt", "TLS_KEY": FOLDER / "key", "HOST": "127.0.0.1"}
    process = subprocess.Popen([program], env=os.environ | ports | where, stdout=subprocess.PIPE, text=True)
    atexit.register(process.kill)
    found = []
    for line in process.stdout:
        found += [int(port) for port in re.findall(r"https?://127\.0\.0\.1:(\d+)$", line.strip())]
        if len(found) == 4:
            return process, found
    raise AssertionError(f"it ended and had said {found}")


PROCESS, (PLAIN, SECURE, SECURE1, CLEAR2) = start(sys.argv[1])
ITEMS = json.loads((FOLDER / "dataset.json").read_text())
HTTP2 = "--http2-prior-knowledge"


def tries(*profiles):
    """A check of what these profiles ask for."""

    def register(function):
        TRIED.update(profiles)
        return check(f"arena {' and '.join(profiles)}: {function.__doc__.rstrip('.')}")(function)

    return register


def curl(path, port=PLAIN, *options):
    """The status, the version, the fields and the body, as curl has them."""
    scheme = "https" if port in (SECURE, SECURE1) else "http"
    out = FOLDER / "body"
    out.unlink(missing_ok=True)
    command = ["curl", "--silent", "--show-error", "--insecure", "--noproxy", "*", "--max-time", str(int(PATIENCE))]
    command += ["--resolve", f"localhost:{port}:127.0.0.1", "-o", out, "-D", "-", "-w", "%{http_code} %{http_version}"]
    done = subprocess.run([*command, *options, f"{scheme}://localhost:{port}{path}"], capture_output=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr.decode())
    *head, last = done.stdout.decode().splitlines()
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head) if value}
    status, version = last.split()
    return int(status), version, fields, out.read_bytes() if out.exists() else b""


def says(expected, path, port=PLAIN, *options, kind="text/plain"):
    """An answer of 200 with this text; the version it came by."""
    status, version, fields, body = curl(path, port, *options)
    equal((status, body.decode()), (200, str(expected)), path)
    equal(fields["content-type"].split(";")[0], kind, path)
    return version


def numbers():
    return random.randrange(100, 1000), random.randrange(100, 1000)


def bare(*pieces):
    """The answer to bytes that are sent piece by piece, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", PLAIN), PATIENCE) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            peer.sendall(piece.encode())
        answer = b""
        while got := peer.recv(65536):
            answer += got
    return answer


@tries("baseline", "limited-conn")
def _():
    """Sums of the query and of the body."""
    a, b = numbers()
    equal(says(a + b, f"/baseline11?a={a}&b={b}"), "1.1")
    for body in numbers():
        text = ["-X", "POST", "-H", "Content-Type: text/plain", "-d", str(body)]
        says(a + b + body, f"/baseline11?a={a}&b={b}", PLAIN, *text)
        says(a + b + body, f"/baseline11?a={a}&b={b}", PLAIN, *text, "-H", "Transfer-Encoding: chunked")
    equal(curl("/baseline11?a=1")[0], 400, "without b")
    equal(curl(f"/baseline11?a=1&b={2**63}")[0], 400, "more than it can hold")


@tries("baseline")
def _():
    """A request in pieces."""
    a, b = numbers()
    head = f"POST /baseline11?a={a}&b={b} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    for cut in (7, 20, len(head) - 2, len(head)):
        answer = bare(head[:cut], head[cut:], "2", "0")
        equal(answer.split(b"\r\n\r\n")[1].decode(), str(a + b + 20), f"cut at {cut}")


@tries("limited-conn")
def _():
    """Ten requests on a connection, then the next connection."""
    for _ in range(20):
        connection = http.client.HTTPConnection("127.0.0.1", PLAIN, timeout=PATIENCE)
        for _ in range(10):
            a, b = numbers()
            connection.request("GET", f"/baseline11?a={a}&b={b}")
            equal(connection.getresponse().read().decode(), str(a + b))
        connection.close()


@tries("pipelined")
def _():
    """16 requests, then 16 answers."""
    says("ok", "/pipeline")
    one = "GET /pipeline HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = one.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
    answer = bare(one * 15 + last)
    equal(answer.count(b"HTTP/1.1 200 OK\r\n"), 16)
    equal(answer.count(b"\r\n\r\nok"), 16)


def items(port, *options, pairs=((12, 3), (22, 7), (31, 2), (50, 5))):
    """Items with their totals; the fields of the last answer."""
    for count, m in (*pairs, (random.randrange(1, 51), random.randrange(2, 50))):
        status, version, fields, body = curl(f"/json/{count}?m={m}", port, *options)
        equal((status, fields["content-type"].split(";")[0]), (200, "application/json"))
        wanted = [item | {"total": item["price"] * item["quantity"] * m} for item in ITEMS[:count]]
        equal(json.loads(body), {"items": wanted, "count": count}, f"{count} by {m}")
    return version, fields


@tries("json")
def _():
    """Items with their totals."""
    equal(items(PLAIN)[0], "1.1")
    equal(len(json.loads(curl("/json/51?m=1")[3])["items"]), 50, "as many as there are")
    for path in ("/json/x?m=1", "/json/-1?m=1", "/json/1", "/json/1?m=x", f"/json/1?m={2**62}"):
        equal(curl(path)[0], 400, path)


@tries("json-comp")
def _():
    """The same compressed, for those who take it."""
    _, fields = items(PLAIN, "--compressed", "-H", "Accept-Encoding: gzip, br", pairs=((25, 3), (40, 7), (50, 2)))
    raw = curl("/json/50?m=1", PLAIN, "-H", "Accept-Encoding: gzip, br")
    equal(raw[2]["content-encoding"], "gzip")
    plain = curl("/json/50?m=1")
    equal("content-encoding" in plain[2], False, "without Accept-Encoding")
    equal(gzip.decompress(raw[3]), plain[3])
    assert len(raw[3]) < len(plain[3]) / 3, f"{len(raw[3])} of {len(plain[3])} bytes"


@tries("json-tls")
def _():
    """Over TLS, where only HTTP/1.1 is spoken."""
    equal(items(SECURE1, "--http2", pairs=((7, 2), (23, 11), (50, 1)))[0], "1.1")


@tries("json-h2c")
def _():
    """Over HTTP/2 without TLS."""
    equal(items(CLEAR2, HTTP2)[0], "2")


@tries("upload")
def _():
    """The length of what was sent."""
    path = FOLDER / "upload"
    for size in (0, 17, 48, 500 << 10, 2 << 20, 10 << 20, 20 << 20):
        path.write_bytes(random.randbytes(size))
        kind = ["-H", "Content-Type: application/octet-stream", "-X", "POST", "--data-binary", f"@{path}"]
        says(size, "/upload", PLAIN, *kind)
    says(20 << 20, "/upload", PLAIN, *kind, "-H", "Transfer-Encoding: chunked")


def static(port, version, *options):
    """All files, plain and compressed."""
    names = [it.name for it in (FOLDER / "static").iterdir() if it.suffix not in (".gz", ".br")]
    equal(len(names), 20)
    types = {"css": "text/css", "js": "text/javascript", "json": "application/json", "html": "text/html"}
    types |= {"woff2": "font/woff2", "svg": "image/svg+xml", "webp": "image/webp"}
    taken = "Accept-Encoding: br;q=1, gzip;q=0.8"
    for name in names:
        content = (FOLDER / "static" / name).read_bytes()
        status, spoken, fields, body = curl(f"/static/{name}", port, *options)
        equal((status, spoken, "content-encoding" in fields), (200, version, False), name)
        equal(fields["content-type"].split(";")[0], types[name.rsplit(".")[-1]], name)
        equal(body, content, name)
        fields, body = curl(f"/static/{name}", port, *options, "--compressed", "-H", taken)[2:]
        kept = (FOLDER / "static" / f"{name}.br").exists()
        equal(fields.get("content-encoding"), "br" if kept else None, name)
        equal(body, content, name)
    equal(curl("/static/nonexistent.txt", port, *options)[0], 404)
    equal(curl("/static/../dataset.json", port, *options, "--path-as-is")[0], 404)


@tries("static")
def _():
    """Files, as they are and compressed beforehand."""
    static(PLAIN, "1.1")


@tries("static-h2")
def _():
    """Files over HTTP/2."""
    static(SECURE, "2", "--http2")


@tries("baseline-h2")
def _():
    """Sums over HTTP/2 by TLS."""
    a, b = numbers()
    equal(says(a + b, f"/baseline2?a={a}&b={b}", SECURE, "--http2"), "2")


@tries("baseline-h2c")
def _():
    """Sums over HTTP/2 without TLS, where HTTP/1.1 is refused."""
    a, b = numbers()
    equal(says(a + b, f"/baseline2?a={a}&b={b}", CLEAR2, HTTP2), "2")
    equal(curl(f"/baseline2?a={a}&b={b}", CLEAR2, "--http1.1")[0], 505)
    equal(curl(f"/baseline2?a={a}&b={b}", CLEAR2, "--http2")[0], 505, "by an upgrade")


@tries("baseline-h2", "baseline-h2c", "json-h2c")
def _():
    """Many streams at a time with h2load."""
    for url in (f"https://127.0.0.1:{SECURE}/baseline2?a=1&b=1", f"http://127.0.0.1:{CLEAR2}/json/50?m=6"):
        load = ["h2load", "-n", "2000", "-c", "8", "-m", "100", url]
        said = subprocess.run(load, capture_output=True, text=True, check=True).stdout
        equal(re.search(r"(\d+) succeeded, (\d+) failed", said).groups(), ("2000", "0"))
        equal(re.search(r"status codes: (\d+) 2xx", said).group(1), "2000")


def messages():
    """The classes of benchmark.proto's messages."""
    file = descriptor_pb2.FileDescriptorProto(name="benchmark.proto", package="benchmark", syntax="proto3")
    for name, fields in {"SumRequest": "a b", "StreamRequest": "a b count", "SumReply": "result"}.items():
        message = file.message_type.add(name=name)
        for number, field in enumerate(fields.split(), 1):
            message.field.add(name=field, number=number, type=5, label=1)  # optional int32
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file) if hasattr(pool, "Add") else pool.AddSerializedFile(file.SerializeToString())
    names = ["SumRequest", "StreamRequest", "SumReply"]
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(f"benchmark.{name}")) for name in names]


SumRequest, StreamRequest, SumReply = messages()


def channels():
    """Channels to the port without TLS and to that with it."""
    options = [("grpc.enable_http_proxy", 0), ("grpc.ssl_target_name_override", "localhost")]
    yield grpc.insecure_channel(f"127.0.0.1:{PLAIN}", options)
    trusted = grpc.ssl_channel_credentials((FOLDER / "crt").read_bytes())
    yield grpc.secure_channel(f"127.0.0.1:{SECURE}", trusted, options)


def method(channel, kind, name, request):
    path = f"/benchmark.BenchmarkService/{name}"
    return getattr(channel, kind)(path, request.SerializeToString, SumReply.FromString)


@tries("unary-grpc", "unary-grpc-tls")
def _():
    """Sums."""
    for channel in channels():
        with channel, ThreadPoolExecutor(16) as pool:
            get = method(channel, "unary_unary", "GetSum", SumRequest)
            pairs = [numbers() for _ in range(200)]
            sums = pool.map(lambda pair: get(SumRequest(a=pair[0], b=pair[1]), timeout=PATIENCE).result, pairs)
            equal(list(sums), [a + b for a, b in pairs])


@tries("stream-grpc", "stream-grpc-tls")
def _():
    """5,000 sums of one call."""
    for channel in channels():
        with channel:
            stream = method(channel, "unary_stream", "StreamSum", StreamRequest)
            for count, sent in ((5000, 5000), (1, 1), (0, 1), (-3, 1)):
                a, b = numbers()
                replies = stream(StreamRequest(a=a, b=b, count=count), timeout=PATIENCE)
                equal([it.result for it in replies], list(range(a + b, a + b + sent)))


@tries("echo-ws")
def _():
    """Each message comes back."""
    url = f"ws://127.0.0.1:{PLAIN}/ws"
    for _ in range(2):
        with websockets.sync.client.connect(url, proxy=None, open_timeout=PATIENCE) as socket:
            sent = ["hello", f"arena {random.random()}", random.randbytes(256), "x" * 70_000]
            for message in sent:
                socket.send(message)
            equal([socket.recv(PATIENCE) for _ in sent], sent)
    equal(400 <= curl("/ws")[0] < 500, True, "without an upgrade")
    try:
        websockets.sync.client.connect(f"{url}/other", proxy=None, open_timeout=PATIENCE)
    except InvalidStatus as error:
        equal(error.response.status_code, 404)
    else:
        raise AssertionError("another path was upgraded")


@check("arena: each profile of meta.json was tried, and no other")
def _():
    equal(sorted(json.loads((EXAMPLE / "meta.json").read_text())["tests"]), sorted(TRIED))


@check("arena: the README names each route and each profile")
def _():
    text = (EXAMPLE / "README.md").read_text()
    for name in TRIED:
        assert f"`{name}`" in text, name


@check("arena: a wrong port is named")
def _():
    done = subprocess.run([sys.argv[1]], env=os.environ | {"PORT": "none"}, capture_output=True, text=True, check=False)
    equal((done.returncode, done.stderr), (1, "arena: PORT=none: not a port\n"))


@check("arena: it ends by SIGTERM")
def _():
    PROCESS.send_signal(signal.SIGTERM)
    equal(PROCESS.wait(PATIENCE), 0)


finish()
