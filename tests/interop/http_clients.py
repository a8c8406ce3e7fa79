#!/usr/bin/env python3
"""HTTP/1.1 with requests, httpx, prometheus-client and bare sockets.

usage: http_clients.py http://HOST:PORT

The metrics count connections, so nobody else may use the server meanwhile.
"""

import asyncio
import email.utils
import json
import os
import re
import socket
import sys
import threading
import time

import httpx
import requests
from prometheus_client.parser import text_string_to_metric_families

from checks import PATIENCE, check, equal, eventually, finish
from wire import Peer, chunked, request

BASE = sys.argv[1].rstrip("/")
MIB = 1 << 20
GET = request("GET", "/plaintext")


def error_of(answer, status, words):
    """An error that the server made: JSON, said to be JSON."""
    equal(answer.status_code, status, "status")
    equal(answer.headers.get("content-type", "").split(";")[0], "application/json", "content-type")
    equal(answer.json(), {"error": words}, "body")


# Fixed answers.


@check("http the page is self-contained")
def page():
    answer = requests.get(BASE + "/")
    equal(answer.status_code, 200, "status")
    equal(answer.headers["content-type"].split(";")[0], "text/html", "content-type")
    text = answer.text
    assert re.match(r"\s*<!doctype html>", text, re.I), text[:60]
    outside = re.findall(r"""(?:\bsrc\s*=\s*|<link[^>]*\bhref\s*=\s*|@import\s+|url\(\s*)["']?(?:\w+:)?//[^"'\s>)]+""", text, re.I)
    equal(outside, [], "outside resources")


@check("http /plaintext")
def plaintext():
    answer = requests.get(BASE + "/plaintext")
    equal((answer.status_code, answer.content), (200, b"Hello, World!"))
    equal(answer.headers["content-type"].split(";")[0], "text/plain", "content-type")
    equal(answer.headers["content-length"], "13", "content-length")


@check("http /json")
def json_route():
    answer = requests.get(BASE + "/json")
    equal((answer.status_code, answer.content), (200, b'{"message":"Hello, World!"}'))
    equal(answer.headers["content-type"].split(";")[0], "application/json", "content-type")


@check("http Date is an IMF-fixdate and is now")
def date():
    for path in ("/plaintext", "/nothing-here"):
        asked = time.time()
        text = requests.get(BASE + path).headers["date"]
        assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", text), text
        stamp = email.utils.parsedate_to_datetime(text)
        equal(stamp.strftime("%a"), text[:3], "day of the week")
        assert asked - 2 < stamp.timestamp() < time.time() + 2, text


@check("http /bytes/n")
def bytes_route():
    for count in (0, 1, 13, 16384, 65536, MIB, 10_000_000):
        answer = requests.get(f"{BASE}/bytes/{count}")
        equal((answer.status_code, len(answer.content)), (200, count))
        equal(answer.headers.get("content-length", "0"), str(count), "content-length")


@check("http /bytes/n refuses what is no number")
def bytes_refused():
    for wrong in ("abc", "-1", "1x", "%31%00", "99999999999999999999999999"):
        answer = requests.get(f"{BASE}/bytes/{wrong}")
        assert 400 <= answer.status_code < 500, (wrong, answer.status_code)
        assert "error" in answer.json(), answer.text


@check("http a percent-encoded path finds its route")
def percent_encoded():
    equal(requests.get(BASE + "/bytes/%35").content.__len__(), 5)
    with Peer(BASE) as peer:
        peer.send(request("GET", "/%70laintext"))
        equal(peer.answer().body, b"Hello, World!")


@check("http a query does not change the route")
def query():
    equal(requests.get(BASE + "/plaintext", params={"a": "b c", "d": "ü&="}).content, b"Hello, World!")


# Errors.


@check("http 404 is JSON")
def not_found():
    for path in ("/nothing-here", "/plaintext/", "/plaintext/more", "/bytes", "/bytes/1/2"):
        error_of(requests.get(BASE + path), 404, "Not Found")


@check("http 405 is JSON with Allow")
def not_allowed():
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = requests.request(method, BASE + "/plaintext")
        error_of(answer, 405, "Method Not Allowed")
        allowed = {name.strip() for name in answer.headers["allow"].split(",")}
        assert {"GET", "HEAD"} <= allowed and method not in allowed, allowed
    answer = requests.get(BASE + "/api/broadcast")
    error_of(answer, 405, "Method Not Allowed")
    assert "POST" in answer.headers["allow"], answer.headers["allow"]


@check("http OPTIONS names the methods")
def options():
    for path, wanted in (("/plaintext", {"GET", "HEAD", "OPTIONS"}), ("/api/notify", {"POST", "OPTIONS"})):
        answer = requests.options(BASE + path)
        assert answer.status_code in (200, 204), answer.status_code
        allowed = {name.strip() for name in answer.headers["allow"].split(",")}
        assert wanted <= allowed, (path, allowed)


@check("http HEAD has the fields of GET and no body")
def head():
    for path in ("/plaintext", "/json", "/", "/bytes/1000", "/nothing-here"):
        asked, got = requests.head(BASE + path), requests.get(BASE + path)
        equal((asked.status_code, asked.content), (got.status_code, b""), path)
        for name in ("content-length", "content-type"):
            equal(asked.headers.get(name), got.headers.get(name), f"{path} {name}")
    with Peer(BASE) as peer:
        peer.send(request("HEAD", "/bytes/1000") + GET)
        equal(peer.answer("HEAD").status, 200)
        equal(peer.answer().body, b"Hello, World!")


# Echo.


@check("http echo, every method that may have a body")
def echo_methods():
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        body = os.urandom(100)
        answer = requests.request(method, BASE + "/echo", data=body)
        equal((answer.status_code, answer.content), (200, body), method)


@check("http echo without a body is an empty 200")
def echo_empty():
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = requests.request(method, BASE + "/echo")
        equal((answer.status_code, answer.content), (200, b""), method)
    equal(requests.post(BASE + "/echo", data=iter([])).content, b"", "an empty chunked body")


@check("http echo keeps the content type")
def echo_type():
    answer = requests.post(BASE + "/echo", json={"a": ["ü", 1]})
    equal(answer.json(), {"a": ["ü", 1]})
    equal(answer.headers["content-type"], "application/json")


@check("http echo of a generator, chunked (requests)")
def echo_chunked():
    parts = [os.urandom(size) for size in (1, 2, 1000, 65536, 3, 100_000)]
    answer = requests.post(BASE + "/echo", data=iter(parts))
    equal((answer.status_code, answer.content), (200, b"".join(parts)))


@check("http echo of a generator, chunked (httpx)")
def echo_chunked_httpx():
    parts = [os.urandom(size) for size in (5, 70_000, 1, 17)]
    with httpx.Client(timeout=PATIENCE) as client:
        for _ in range(5):
            answer = client.post(BASE + "/echo", content=iter(parts))
            equal((answer.status_code, answer.content), (200, b"".join(parts)))


@check("http echo of 1 MiB")
def echo_mib():
    body = os.urandom(MIB)
    for send in (body, iter([body[:300_000], body[300_000:]])):
        answer = requests.post(BASE + "/echo", data=send, headers={"content-type": "application/octet-stream"})
        equal((answer.status_code, answer.content), (200, body))


@check("http echo of 16 MiB is collected before it is answered")
def echo_collected():
    # A client that reads nothing before all is sent could not finish otherwise.
    body = os.urandom(16 * MIB)
    for send in (body, (body[at : at + MIB] for at in range(0, len(body), MIB))):
        answer = requests.post(BASE + "/echo", data=send)
        equal((answer.status_code, answer.content), (200, body))


def duplex(head, wire_body):
    """Sends a body while the answer is read; returns the answer and the time of its head."""
    with Peer(BASE) as peer:
        state = {}

        def send():
            peer.send(head)
            for at in range(0, len(wire_body), 100_000):
                peer.send(wire_body[at : at + 100_000])
            state["sent"] = time.monotonic()

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        answer = peer.answer("POST")
        sender.join(PATIENCE)
        assert "sent" in state, "the body was never taken whole"
        return answer


@check("http echo of 20 MiB is streamed, with Content-Length")
def echo_streamed():
    body = os.urandom(20 * MIB)
    answer = duplex(request("POST", "/echo", f"Content-Length: {len(body)}"), body)
    equal((answer.status, answer.body), (200, body))


@check("http echo of 20 MiB is streamed, chunked")
def echo_streamed_chunked():
    body = os.urandom(20 * MIB)
    wire = chunked(body, 77_777) + b"0\r\n\r\n"
    answer = duplex(request("POST", "/echo", "Transfer-Encoding: chunked"), wire)
    equal((answer.status, answer.body), (200, body))


# Connections.


@check("http requests keeps one connection for 200 requests")
def keep_alive_requests():
    with requests.Session() as session:
        for count in range(200):
            answer = session.get(f"{BASE}/bytes/{count}")
            equal(len(answer.content), count)
        pools = session.get_adapter(BASE).poolmanager.pools
        equal([pools[key].num_connections for key in pools.keys()], [1], "connections")


@check("http httpx keeps one connection, sync")
def keep_alive_httpx():
    ports = set()
    with httpx.Client(timeout=PATIENCE) as client:
        for _ in range(50):
            with client.stream("GET", BASE + "/plaintext") as answer:
                ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
                equal(answer.read(), b"Hello, World!")
    equal(len(ports), 1, "connections")


@check("http httpx, 40 requests at once, async")
def httpx_async():
    async def many():
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            bodies = [os.urandom(10_000 + count) for count in range(40)]
            answers = await asyncio.gather(*(client.post(BASE + "/echo", content=body) for body in bodies))
            equal([answer.content for answer in answers], bodies)

    asyncio.run(many())


@check("http pipelined requests are answered in order")
def pipelined():
    with Peer(BASE) as peer:
        wanted = [count % 50 for count in range(500)]
        peer.send(b"".join(request("GET", f"/bytes/{count}") for count in wanted))
        equal([len(peer.answer().body) for _ in wanted], wanted)
        peer.send(request("POST", "/echo", body=b"one") + request("GET", "/json") + request("PUT", "/echo", body=b"two") + GET)
        equal([peer.answer().body for _ in range(4)], [b"one", b'{"message":"Hello, World!"}', b"two", b"Hello, World!"])


@check("http a request that arrives byte by byte")
def byte_by_byte():
    with Peer(BASE) as peer:
        peer.trickle(request("POST", "/echo", "X-Long: " + "v" * 40, body=b"hello"))
        equal(peer.answer().body, b"hello")


@check("http trailers after a chunked body are taken")
def trailers():
    with Peer(BASE) as peer:
        body = chunked(b"hello", 2) + b"0;last=1\r\nX-Sum: 5\r\nX-More: a, b\r\n\r\n"
        peer.send(request("POST", "/echo", "Transfer-Encoding: chunked", "Trailer: X-Sum") + body + GET)
        equal([peer.answer().body, peer.answer().body], [b"hello", b"Hello, World!"])


@check("http Connection: close is obeyed")
def connection_close():
    for field in ("close", "Close", "foo, close"):
        with Peer(BASE) as peer:
            peer.send(request("GET", "/plaintext", f"Connection: {field}"))
            answer = peer.answer()
            equal((answer.body, answer.field("connection")), (b"Hello, World!", "close"))
            assert peer.is_closed(), "still open"


@check("http 1.0 closes, or is kept when it asks")
def http10():
    with Peer(BASE) as peer:
        peer.send(b"GET /plaintext HTTP/1.0\r\n\r\n")
        answer = peer.answer()
        equal((answer.version, answer.status, answer.body), ("HTTP/1.1", 200, b"Hello, World!"))
        assert peer.is_closed(), "still open"
    with Peer(BASE) as peer:
        for _ in range(3):
            peer.send(b"GET /plaintext HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            answer = peer.answer()
            equal((answer.body, (answer.field("connection") or "").lower()), (b"Hello, World!", "keep-alive"))


@check("http 1.0 gets no chunked body")
def http10_stream():
    with Peer(BASE) as peer:
        peer.send(b"GET /sse/ticks HTTP/1.0\r\n\r\n")
        answer = peer.head()
        equal((answer.status, answer.field("transfer-encoding")), (200, None))
        peer.until(b"\n\n")


@check("http half-close after the request still gets the answer")
def half_close():
    with Peer(BASE) as peer:
        peer.send(GET + request("GET", "/bytes/3000000"))
        peer.socket.shutdown(socket.SHUT_WR)
        equal(peer.answer().body, b"Hello, World!")
        equal(len(peer.answer().body), 3_000_000)
        assert peer.is_closed(), "still open"


@check("http absolute form and asterisk form")
def target_forms():
    with Peer(BASE) as peer:
        peer.send(request("GET", "http://showcase/plaintext?x=1"))
        equal(peer.answer().body, b"Hello, World!")
        peer.send(request("OPTIONS", "*"))
        answer = peer.answer()
        assert answer.status in (200, 204), answer.status
        peer.send(GET)
        equal(peer.answer().status, 200)


@check("http an unknown Upgrade is ignored")
def unknown_upgrade():
    with Peer(BASE) as peer:
        peer.send(request("GET", "/plaintext", "Connection: upgrade", "Upgrade: something/9") + GET)
        equal([peer.answer().body for _ in range(2)], [b"Hello, World!"] * 2)


# Expectations and early answers.


@check("http 100 Continue is sent when the body is wanted")
def expect_continue():
    with Peer(BASE) as peer:
        peer.send(request("POST", "/echo", "Expect: 100-continue", "Content-Length: 5"))
        equal(peer.head().status, 100)
        peer.send(b"hello")
        equal(peer.answer().body, b"hello")


@check("http 100 Continue is not sent when the body is refused")
def expect_refused():
    for target, status in (("/plaintext", 405), ("/nothing-here", 404)):
        with Peer(BASE) as peer:
            peer.send(request("POST", target, "Expect: 100-continue", "Content-Length: 5"))
            equal(peer.head().status, status, target)


@check("http an early answer to an unread body is read, not reset")
def early_answer():
    for size in (100_000, 4 * MIB):
        for target, status in (("/plaintext", 405), ("/nothing-here", 404)):
            answer = requests.post(BASE + target, data=b"x" * size)
            equal(answer.status_code, status, f"{size} bytes to {target}")


def refused(name, statuses, send):
    """Registers: `send` is answered by one of `statuses`, then the connection is closed."""

    @check(f"http {name}")
    def run():
        with Peer(BASE) as peer:
            peer.send(send)
            answer = peer.answer()
            assert answer.status in statuses, f"{answer.status}, not {statuses}"
            assert peer.is_closed(), "still open"


refused("400 for a space before a colon", [400], b"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n")
refused("400 for two hosts", [400], b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
refused("nothing after Connection: close is looked at", [200], GET[:-2] + b"Connection: close\r\n\r\n" + b"GE\x00T / HTTP/1.1\r\n\r\n")
refused("413 for a body over every limit", [413], request("POST", "/api/notify", "Content-Length: 1099511627776"))
refused("414 for a long target", [414], request("GET", "/" + "a" * 60_000))
refused("417 for an unknown expectation", [417], request("POST", "/echo", "Expect: wonders", "Content-Length: 5"))
refused("431 for a long head", [431], request("GET", "/plaintext", *(f"X-{count}: {'v' * 1000}" for count in range(200))))
refused("431 for many fields", [431], request("GET", "/plaintext", *(f"X{count}: v" for count in range(2000))))
refused("501 for an unknown transfer coding", [501], request("POST", "/echo", "Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n")
refused("505 for another major version", [505], b"GET / HTTP/3.0\r\nHost: a\r\n\r\n")


@check("http answers that are owed come before a 400")
def owed_first():
    with Peer(BASE) as peer:
        peer.send(GET + request("GET", "/bytes/200000") + b"BAD\r\n\r\n")
        equal([len(peer.answer().body) for _ in range(2)], [13, 200_000])
        equal(peer.answer().status, 400)
        assert peer.is_closed(), "still open"


@check("http a slow head is answered 408 by its first byte's deadline")
def slow_head():
    with Peer(BASE) as peer:
        start = time.monotonic()
        peer.socket.settimeout(0.5)
        # Enough for more than two minutes, if every byte would win it time.
        trickle = iter(b"GET /plaintext HTTP/1.1\r\nX: " + b"a" * 250)
        while True:
            peer.send(bytes([next(trickle)]))
            try:
                if peer.fill():
                    break
                raise AssertionError("closed without an answer")
            except socket.timeout:
                assert time.monotonic() - start < PATIENCE, "never answered"
        peer.socket.settimeout(PATIENCE)
        equal(peer.answer().status, 408)
        assert time.monotonic() - start > 5, time.monotonic() - start
        assert peer.is_closed(), "still open"


@check("http a peer that does not read holds up nobody")
def deaf_peer():
    with Peer(BASE) as deaf:
        deaf.send(request("GET", "/bytes/30000000") * 20)
        # It reads nothing until all of them have been answered.
        for _ in range(20):
            equal(requests.get(BASE + "/bytes/100000", timeout=PATIENCE).content.__len__(), 100_000)
        for _ in range(2):
            equal(len(deaf.answer().body), 30_000_000)


# Metrics.


def families():
    answer = requests.get(BASE + "/metrics")
    equal(answer.status_code, 200)
    kind = answer.headers["content-type"].replace(" ", "")
    assert kind.startswith("text/plain") and "version=0.0.4" in kind, kind
    assert answer.text.endswith("\n"), "the last line does not end"
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert found, "no metrics"
    return found


def counted(label, value):
    """The sum of all counters that carry `label="value"`."""
    return sum(
        sample.value
        for family in families().values()
        if family.type == "counter"
        for sample in family.samples
        if sample.labels.get(label) == value
    )


@check("http /metrics parses, and every family is described")
def metrics_parse():
    for family in families().values():
        assert family.type in ("counter", "gauge", "histogram"), (family.name, family.type)
        assert family.documentation, f"{family.name} has no HELP"
        assert family.samples, f"{family.name} has no samples"
        for sample in family.samples:
            assert sample.value >= 0, sample


@check("http /metrics counts requests by method and status")
def metrics_count():
    for label, value, send in (
        ("method", "PATCH", lambda: requests.patch(BASE + "/echo", data=b"x")),
        ("status", "404", lambda: requests.get(BASE + "/nothing-here")),
        ("status", "405", lambda: requests.put(BASE + "/plaintext")),
    ):
        before = counted(label, value)
        for _ in range(7):
            send()
        eventually(lambda: counted(label, value) >= before + 7, f"7 more with {label}={value}")


@check("http /metrics has a histogram of durations that adds up")
def metrics_histogram():
    histograms = [family for family in families().values() if family.type == "histogram"]
    assert histograms, "no histogram"
    measured = 0
    for family in histograms:
        series = {}
        for sample in family.samples:
            labels = tuple(sorted((key, value) for key, value in sample.labels.items() if key != "le"))
            one = series.setdefault(labels, {"buckets": []})
            if sample.name.endswith("_bucket"):
                one["buckets"].append((float(sample.labels["le"]), sample.value))
            else:
                one[sample.name.rsplit("_", 1)[1]] = sample.value
        for labels, one in series.items():
            bounds = [bound for bound, _ in one["buckets"]]
            counts = [count for _, count in one["buckets"]]
            equal((bounds, counts), (sorted(bounds), sorted(counts)), f"{family.name} {labels} ascends")
            equal((bounds[-1], counts[-1]), (float("inf"), one["count"]), f"{family.name} {labels} ends in +Inf")
            assert one["sum"] >= 0, labels
            measured += one["count"]
    assert measured > 0, "nothing was measured"


@check("http /metrics follows the open connections")
def metrics_connections():
    def active():
        return [family for name, family in families().items() if family.type == "gauge" and "connection" in name]

    assert active(), "no gauge of connections"

    def value():
        return max(sum(sample.value for sample in family.samples) for family in active())

    # Only the connection that asks: those of the checks before have left.
    eventually(lambda: value() <= 1, "nobody else is connected")
    peers = [Peer(BASE) for _ in range(10)]
    for peer in peers:
        peer.send(GET)
        peer.answer()
    eventually(lambda: value() == 11, "ten more connections")
    for peer in peers:
        peer.socket.close()
    eventually(lambda: value() == 1, "the ten are gone")


finish()
