#!/usr/bin/env python3
"""The files of a directory with requests, httpx, http.client and bare sockets.

usage: files.py http://HOST:PORT DIRECTORY

The showcase serves DIRECTORY below /static; the files are made here.
"""

import concurrent.futures
import email.parser
import email.utils
import gzip
import hashlib
import http.client
import os
import random
import ssl
import sys
import time
import urllib.parse

import httpx
import requests

from checks import check, equal, eventually, finish
from wire import Peer, request

BASE = sys.argv[1].rstrip("/")
DIRECTORY = sys.argv[2]
STATIC = BASE + "/static"
MIB = 1 << 20
# A day that is long over, so that entity tags are strong.
PAST = 1_600_000_000

LARGE = random.Random(4).randbytes(24 * MIB + 12_345)
TEXT = "".join(f"line {number}, as good as any other\n" for number in range(4000)).encode()


def put(name, content, modified=PAST):
    path = os.path.join(DIRECTORY, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fresh = path + "~"
    with open(fresh, "wb") as file:
        file.write(content)
    os.utime(fresh, (modified, modified))
    os.rename(fresh, path)
    return path


put("large.bin", LARGE)
put("text.txt", TEXT)
put("text.txt.gz", gzip.compress(TEXT, mtime=0))
put("empty.css", b"")
put("a page.html", b"<p>space")
put("caf\u00e9/index.html", b"<p>coffee")
put("nothing/other.html", b"<p>other")
put(".secret", b"secret")
for name, target in {"out": "/etc/passwd", "up": "..", "inside": "text.txt"}.items():
    link = os.path.join(DIRECTORY, name)
    if not os.path.islink(link):
        os.symlink(target, link)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def plain(url, **fields):
    """GET without the fields that requests adds."""
    session = requests.Session()
    session.headers.clear()
    return session.get(STATIC + url, headers={name.replace("_", "-"): value for name, value in fields.items()}, timeout=30)


@check("files of every size come in whole", 60)
def whole():
    for name, content, kind in [
        ("/large.bin", LARGE, "application/octet-stream"),
        ("/text.txt", TEXT, "text/plain; charset=utf-8"),
        ("/empty.css", b"", "text/css; charset=utf-8"),
        ("/a%20page.html", b"<p>space", "text/html; charset=utf-8"),
    ]:
        answer = plain(name, Accept_Encoding="identity")
        equal(answer.status_code, 200, name)
        equal(digest(answer.content), digest(content), name)
        equal(answer.headers["content-type"], kind, name)
        equal(answer.headers["content-length"], str(len(content)), name)
        equal(answer.headers["accept-ranges"], "bytes")
        equal(email.utils.parsedate_to_datetime(answer.headers["last-modified"]).timestamp(), PAST, name)


@check("files HEAD says what GET says")
def head():
    for name in ["/large.bin", "/text.txt", "/empty.css"]:
        got, told = plain(name), requests.head(STATIC + name, headers={"Accept-Encoding": None}, timeout=10)
        equal(told.status_code, 200, name)
        for field in ["content-length", "content-type", "etag", "last-modified", "accept-ranges", "cache-control", "vary"]:
            equal(told.headers.get(field), got.headers.get(field), f"{name} {field}")


@check("files over one connection, short and long, in any order", 60)
def one_connection():
    url = urllib.parse.urlsplit(BASE)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    connection = kinds[url.scheme](url.hostname, url.port, timeout=30)
    connection.connect()
    local = connection.sock.getsockname()
    for name, content in [("text.txt", TEXT), ("large.bin", LARGE), ("empty.css", b""), ("large.bin", LARGE), ("text.txt", TEXT)]:
        connection.request("GET", "/static/" + name)
        equal(digest(connection.getresponse().read()), digest(content), name)
        equal(connection.sock.getsockname(), local, "the connection")
    connection.close()


@check("files pipelined behind each other", 60)
def pipelined():
    names = [("text.txt", TEXT), ("large.bin", LARGE), ("empty.css", b""), ("text.txt", TEXT), ("large.bin", LARGE)]
    with Peer(BASE, 30) as peer:
        peer.send(b"".join(request("GET", f"/static/{name}") for name, _ in names))
        for name, content in names:
            answer = peer.answer()
            equal((answer.status, digest(answer.body)), (200, digest(content)), name)


@check("files one range")
def one_range():
    size = len(LARGE)
    for spec, first, last in [
        ("0-0", 0, 0),
        ("1000-2999", 1000, 2999),
        (f"{size - 10}-", size - 10, size - 1),
        ("-7", size - 7, size - 1),
        (f"5-{10 * size}", 5, size - 1),
    ]:
        answer = plain("/large.bin", Range=f"bytes={spec}")
        equal(answer.status_code, 206, spec)
        equal(answer.headers["content-range"], f"bytes {first}-{last}/{size}", spec)
        equal(digest(answer.content), digest(LARGE[first : last + 1]), spec)


@check("files several ranges")
def several_ranges():
    size = len(LARGE)
    wanted = [(0, 99), (5_000_000, 6_999_999), (size - 50, size - 1)]
    answer = plain("/large.bin", Range="bytes=0-99, 5000000-6999999,-50")
    equal(answer.status_code, 206, "status")
    # The standard library reads it as what it says it is.
    text = b"Content-Type: " + answer.headers["content-type"].encode() + b"\r\n\r\n" + answer.content
    message = email.parser.BytesParser().parsebytes(text)
    parts = message.get_payload()
    equal(len(parts), len(wanted), "parts")
    for part, (first, last) in zip(parts, wanted):
        equal(part["content-range"], f"bytes {first}-{last}/{size}", "content-range")
        equal(part["content-type"], "application/octet-stream", "content-type")
    # As it decodes text, the bytes are compared by hand.
    boundary = message.get_boundary().encode()
    bodies = [part.split(b"\r\n\r\n", 1)[1] for part in answer.content.split(b"\r\n--" + boundary)[1:-1]]
    equal([digest(body) for body in bodies], [digest(LARGE[first : last + 1]) for first, last in wanted], "bytes")


@check("files ranges that cannot be had")
def unsatisfiable():
    for spec in [f"{len(TEXT)}-", "-0", "999999999-"]:
        answer = plain("/text.txt", Range=f"bytes={spec}", Accept_Encoding="identity")
        equal((answer.status_code, answer.headers["content-range"]), (416, f"bytes */{len(TEXT)}"), spec)
    for spec in ["bytes=2-1", "lines=0-1", "bytes=0-,0-,0-", "bytes=x"]:
        answer = plain("/text.txt", Range=spec, Accept_Encoding="identity")
        equal((answer.status_code, len(answer.content)), (200, len(TEXT)), spec)


@check("files a download that broke off is resumed", 60)
def resumed():
    with Peer(BASE, 30) as peer:
        peer.send(request("GET", "/static/large.bin"))
        answer = peer.head()
        got = peer.take(7 * MIB)
        peer.kill()
    tag = answer.field("etag")
    rest = plain("/large.bin", Range=f"bytes={len(got)}-", If_Range=tag)
    equal(rest.status_code, 206, "status")
    equal(digest(got + rest.content), digest(LARGE), "both together")
    # Had it changed meanwhile, all of it would come.
    other = plain("/large.bin", Range=f"bytes={len(got)}-", If_Range='"other"')
    equal((other.status_code, len(other.content)), (200, len(LARGE)), "another file")


@check("files a browser's reloads")
def reloads():
    put("app.js", b"let version = 1;")
    browser = requests.Session()
    browser.headers.update({"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Accept": "*/*"})
    first = browser.get(STATIC + "/app.js", timeout=10)
    equal((first.status_code, first.headers["cache-control"]), (200, "no-cache"), "first")
    known = {"If-None-Match": first.headers["etag"], "If-Modified-Since": first.headers["last-modified"]}
    for _ in range(3):
        again = browser.get(STATIC + "/app.js", headers=known, timeout=10)
        equal((again.status_code, again.content), (304, b""), "reload")
        equal(again.headers["etag"], first.headers["etag"], "etag")
        assert "content-length" not in again.headers and "content-type" not in again.headers, again.headers
    # A new version, of the same length and the same second.
    path = put("app.js", b"let version = 2;")
    os.utime(path, ns=(PAST * 10**9 + 1, PAST * 10**9 + 1))
    changed = browser.get(STATIC + "/app.js", headers=known, timeout=10)
    equal((changed.status_code, changed.content), (200, b"let version = 2;"), "after the change")


@check("files conditions in their order")
def conditions():
    tag = plain("/large.bin").headers["etag"]
    before, same = (email.utils.formatdate(PAST + shift, usegmt=True) for shift in (-1, 0))
    for status, fields in [
        (304, {"If-None-Match": f'"x", W/{tag}'}),
        (304, {"If-None-Match": "*"}),
        (206, {"If-None-Match": '"x"', "If-Modified-Since": same}),
        (304, {"If-Modified-Since": same}),
        (206, {"If-Modified-Since": before}),
        (206, {"If-Match": tag, "If-Unmodified-Since": before}),
        (412, {"If-Match": f"W/{tag}"}),
        (412, {"If-Unmodified-Since": before}),
        (206, {"If-Range": same}),
        (200, {"If-Range": before}),
    ]:
        answer = requests.get(STATIC + "/large.bin", headers={**fields, "Range": "bytes=0-9"}, timeout=30)
        equal(answer.status_code, status, str(fields))


@check("files that were compressed beforehand")
def compressed():
    raw = plain("/text.txt", Accept_Encoding="gzip")
    equal((raw.headers["content-encoding"], raw.headers["vary"]), ("gzip", "Accept-Encoding"), "fields")
    equal(digest(raw.content), digest(TEXT), "what requests made of it")
    assert int(raw.headers["content-length"]) < len(TEXT) / 4, raw.headers["content-length"]
    equal(digest(httpx.get(STATIC + "/text.txt").content), digest(TEXT), "httpx")
    bare = plain("/text.txt", Accept_Encoding="gzip;q=0")
    assert "content-encoding" not in bare.headers and bare.headers["etag"] != raw.headers["etag"], bare.headers


@check("files of a folder")
def folders():
    answer = httpx.get(STATIC + "/caf%C3%A9", follow_redirects=True)
    equal((answer.status_code, answer.text, len(answer.history)), (200, "<p>coffee", 1), "the index")
    equal(answer.url.path, "/static/caf\u00e9/", "where it led")
    for path in ["/nothing", "/nothing/", "/text.txt/"]:
        equal(plain(path).status_code, 404, path)


@check("files no path leads out")
def no_escape():
    here = os.path.basename(os.path.abspath(DIRECTORY))
    for path in [
        "/static/../page", "/static/../../../../../../etc/passwd", "/static/..%2f..%2f..%2fetc%2fpasswd",
        "/static/%2e%2e/%2e%2e/etc/passwd", "/static/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/static//etc/passwd",
        "/static/%2fetc/passwd", "/static/..%5c..%5cetc%5cpasswd", "/static/text.txt%00.html", "/static/out",
        f"/static/up/{here}/text.txt", "/static/./text.txt", "/static/nothing/../text.txt", "/static/.secret",
        "/static/%2esecret", "/static/%252e%252e/etc/passwd",
    ]:
        with Peer(BASE) as peer:
            peer.send(request("GET", path))
            answer = peer.answer()
            equal(answer.status, 404, path)
            assert b"root:" not in answer.body and b"secret" not in answer.body, path
    equal(digest(plain("/inside", Accept_Encoding="identity").content), digest(TEXT), "a link that stays inside")


@check("files methods that change nothing")
def methods():
    for method in ["POST", "PUT", "DELETE", "PATCH"]:
        answer = requests.request(method, STATIC + "/text.txt", timeout=10)
        equal((answer.status_code, answer.headers["allow"]), (405, "GET, HEAD, OPTIONS"), method)


@check("files a slow reader and a fast one", 60)
def slow():
    with Peer(BASE, 30) as peer:
        peer.send(request("GET", "/static/large.bin"))
        peer.head()
        got = hashlib.sha256(peer.take(100_000))
        left = len(LARGE) - 100_000
        for _ in range(3):
            # Its socket is full by now; others go past it.
            equal(digest(plain("/large.bin").content), digest(LARGE), "the fast one")
            piece = peer.take(MIB)
            left -= len(piece)
            got.update(piece)
        got.update(peer.take(left))
        equal(got.hexdigest(), digest(LARGE), "the slow one")


@check("files 16 readers at once", 90)
def crowd():
    def read(number):
        name, content = [("/large.bin", LARGE), ("/text.txt", TEXT)][number % 2]
        return digest(plain(name, Accept_Encoding="identity").content) == digest(content)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(read, range(48)))


@check("files one that is cut short cuts the connection", 60)
def cut_short():
    path = put("sparse.bin", b"")
    # More than both sockets' buffers hold, whatever the system allows.
    os.truncate(path, 512 * MIB)
    with Peer(BASE, 30) as peer:
        peer.send(request("GET", "/static/sparse.bin") + request("GET", "/static/text.txt"))
        equal(peer.head().field("content-length"), str(512 * MIB), "announced")
        os.truncate(path, 1000)
        try:
            size = len(peer.kept)
            while data := peer.socket.recv(MIB):
                size += len(data)
            raise AssertionError(f"a clean end after {size} bytes")
        except (ConnectionResetError, ssl.SSLEOFError):  # TLS: without close_notify
            assert size < 512 * MIB, size
    equal(len(plain("/sparse.bin").content), 1000, "afterwards")
    os.remove(path)


@check("files a version that is renamed over another is never mixed with it", 60)
def replaced():
    versions = [bytes([letter]) * (3 * MIB) for letter in b"ab"]
    put("version.bin", versions[0], time.time() - 100)
    end = time.monotonic() + 3
    count = 0
    while time.monotonic() < end:
        count += 1
        with Peer(BASE, 30) as peer:
            peer.send(request("GET", "/static/version.bin"))
            answer = peer.head()
            start = peer.take(1)
            put("version.bin", versions[count % 2], time.time() - 100)
            rest = peer.take(int(answer.field("content-length")) - 1)
            assert start + rest in versions, "neither"
    assert count > 1


@check("files that nobody waits for are closed")
def closed():
    def open_connections():
        text = requests.get(BASE + "/metrics", timeout=10).text
        lines = [line for line in text.splitlines() if line.startswith("barewire_connections_active ")]
        return float(lines[0].split()[1])

    for _ in range(20):
        peer = Peer(BASE)
        peer.send(request("GET", "/static/large.bin"))
        peer.take(1000)
        peer.kill()
    eventually(lambda: open_connections() <= 1, "only the one that asks is left")


finish()
