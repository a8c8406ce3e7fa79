#!/usr/bin/env python3
"""Server-Sent Events with sseclient-py over requests.

usage: events.py http://HOST:PORT

The broadcaster counts its clients, so nobody else may use the server meanwhile.
"""

import datetime
import json
import subprocess
import sys
import threading
import time
import uuid

import requests
import sseclient

from checks import AT_ONCE, PATIENCE, check, equal, eventually, finish
from wire import Peer, request

BASE = sys.argv[1].rstrip("/")
HERE = {"Origin": "http://elsewhere.example"}


# The streams of the broadcaster that are open.
LISTENING = set()


class Stream:
    """One event stream; `with` closes its connection."""

    def __init__(self, path, params=None, **headers):
        self.answer = requests.get(BASE + path, params=params, headers=headers, stream=True, timeout=PATIENCE)
        equal(self.answer.status_code, 200, path)
        equal(self.answer.headers["content-type"].split(";")[0], "text/event-stream", "content-type")
        self.events = sseclient.SSEClient(self.answer).events()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        LISTENING.discard(self)
        self.answer.close()

    def next(self):
        return next(self.events)


def client(name=None):
    """A stream of the broadcaster, past its first event, whose id is returned."""
    stream = Stream("/api/events", {"client_id": name} if name else None)
    first = stream.next()
    equal(first.event, "connected")
    stream.since = at(json.loads(first.data))
    LISTENING.add(stream)
    return stream, json.loads(first.data)["client_id"]


def at(data):
    """The server's clock, in seconds, when it made an event with these data."""
    return datetime.datetime.fromisoformat(data["timestamp"].replace("Z", "+00:00")).timestamp()


def post(path, body):
    answer = requests.post(BASE + path, json=body, timeout=PATIENCE)
    equal(answer.status_code, 200, answer.text)
    equal(answer.headers["content-type"].split(";")[0], "application/json", "content-type")
    return answer.json()


def count():
    answer = requests.get(BASE + "/api/clients", timeout=PATIENCE).json()
    equal(list(answer), ["client_count"])
    return answer["client_count"]


def settled():
    """The number of clients once all who were closed before have left."""
    eventually(lambda: count() == len(LISTENING), f"only the {len(LISTENING)} open streams are counted")
    return len(LISTENING)


def has_left(before, what):
    """Seen at once: the next heartbeat, which would find a dead client, comes much later."""
    eventually(lambda: count() == before, what, AT_ONCE)


def expect(stream, event, data):
    found = stream.next()
    equal((found.event, json.loads(found.data)), (event, data))
    assert "\n" not in found.data, "data is more than one line"


def name():
    return f"client-{uuid.uuid4().hex[:12]}"


# A heartbeat comes after 30 seconds: it is awaited while the other checks run.
heartbeats = []
is_waiting = threading.Event()


def await_heartbeat():
    try:
        stream, _ = client("heartbeat-" + name())
        is_waiting.set()
        while True:
            event = stream.next()
            if event.event == "heartbeat":
                heartbeats.append((stream.since, json.loads(event.data)))
                return  # it stays open, so that nobody sees it leave
    except Exception as error:
        heartbeats.append((None, error))
    finally:
        is_waiting.set()


# Ticks.


@check("events ticks come once a second, with ids in sequence")
def ticks():
    start = time.monotonic()
    with Stream("/sse/ticks") as stream:
        events = [stream.next() for _ in range(7)]
        took = time.monotonic() - start
        equal([int(event.id) for event in events], [int(events[0].id) + step for step in range(7)])
        assert all(event.data for event in events), "an event without data"
        # A tick may come late, but never early, and what was late does not add up.
        assert 5.5 < took < 11.5, f"six seconds of ticks in {took:.2f} s"


@check("events ticks resume after Last-Event-ID")
def ticks_resume():
    with Stream("/sse/ticks") as stream:
        seen = [int(stream.next().id) for _ in range(2)]
    with Stream("/sse/ticks", **{"Last-Event-ID": str(seen[0])}) as stream:
        equal([int(stream.next().id) for _ in range(3)], [seen[0] + 1, seen[0] + 2, seen[0] + 3])


@check("events an odd Last-Event-ID does no harm")
def ticks_odd_id():
    for odd in ("abc", "-1", "", "99999999999999999999999", "1 2", "\xff"):
        with Stream("/sse/ticks", **{"Last-Event-ID": odd.encode("latin-1")}) as stream:
            int(stream.next().id)


@check("events the stream is not cached")
def not_cached():
    with Stream("/sse/ticks") as stream:
        control = stream.answer.headers.get("cache-control", "")
        assert "no-cache" in control or "no-store" in control, control


@check("events HEAD of a stream has no body and ends")
def head_of_stream():
    with Peer(BASE) as peer:
        peer.send(request("HEAD", "/sse/ticks") + request("GET", "/plaintext"))
        equal(peer.answer("HEAD").status, 200)
        equal(peer.answer().body, b"Hello, World!")


# The broadcaster.


@check("events connected comes first, with the client's id")
def connected():
    wanted = name()
    stream, found = client(wanted)
    stream.close()
    equal(found, wanted)
    given = set()
    streams = []
    for _ in range(10):
        stream, found = client()
        streams.append(stream)
        given.add(found)
    for stream in streams:
        stream.close()
    equal(len(given), 10, "unique ids")


@check("events broadcast reaches all")
def broadcast():
    before = settled()
    one, _ = client(name())
    two, _ = client(name())
    for data in ({"a": 1, "text": "Grüße\nnew line \u2028"}, [1, "two", None], "words", 7.5, True, None):
        equal(post("/api/broadcast", {"event": "news", "data": data}), {"status": "sent", "clients": before + 2})
        for stream in (one, two):
            expect(stream, "news", data)
    one.close()
    two.close()


@check("events broadcast to named clients reaches only them")
def broadcast_targets():
    first, second = name(), name()
    one, _ = client(first)
    two, _ = client(second)
    equal(post("/api/broadcast", {"event": "only", "data": 1, "target_clients": [first]}), {"status": "sent", "clients": 1})
    equal(post("/api/broadcast", {"event": "none", "data": 2, "target_clients": [name()]}), {"status": "sent", "clients": 0})
    equal(post("/api/broadcast", {"event": "both", "data": 3, "target_clients": [second, first]}), {"status": "sent", "clients": 2})
    expect(one, "only", 1)
    expect(one, "both", 3)
    expect(two, "both", 3)
    one.close()
    two.close()


@check("events notify is the event notification")
def notify():
    stream, _ = client(name())
    equal(post("/api/notify", {"title": "T", "message": "M"}), {"status": "notification sent"})
    equal(post("/api/notify", {"title": "T", "message": "M", "priority": "high"}), {"status": "notification sent"})
    for priority in ("normal", "high"):
        event = stream.next()
        equal(event.event, "notification")
        data = json.loads(event.data)
        equal([data["title"], data["message"], data["priority"]], ["T", "M", priority])
    stream.close()


@check("events update is the event update, to all or to the named")
def update():
    first = name()
    one, _ = client(first)
    two, _ = client(name())
    equal(post("/api/update", {"update_data": {"n": 1}, "target_clients": [first]}), {"status": "update sent"})
    equal(post("/api/update", {"update_data": {"n": 2}}), {"status": "update sent"})
    expect(one, "update", {"n": 1})
    expect(one, "update", {"n": 2})
    expect(two, "update", {"n": 2})
    one.close()
    two.close()


@check("events events keep their order, also across threads")
def order():
    streams = [client(name())[0] for _ in range(6)]
    with requests.Session() as session:
        for number in range(100):
            session.post(BASE + "/api/broadcast", json={"event": "n", "data": number})
    for stream in streams:
        equal([json.loads(stream.next().data) for _ in range(100)], list(range(100)))
        stream.close()


@check("events a large event arrives whole")
def large():
    stream, _ = client(name())
    data = {"text": "ü" * 100_000}
    post("/api/broadcast", {"event": "large", "data": data})
    expect(stream, "large", data)
    stream.close()


def bad_body(what, path, body):
    @check(f"events {what} is refused with JSON")
    def run():
        stream, _ = client(name())
        answer = requests.post(BASE + path, data=body, headers={"content-type": "application/json"})
        equal(answer.status_code, 400, answer.text)
        assert "error" in answer.json(), answer.text
        post("/api/broadcast", {"event": "after", "data": 0})
        expect(stream, "after", 0)
        stream.close()


bad_body("malformed JSON", "/api/broadcast", b"{")
bad_body("malformed JSON to notify", "/api/notify", b'{"title": "T",}')
bad_body("malformed JSON to update", "/api/update", b"\xff")
bad_body("an empty body", "/api/broadcast", b"")
bad_body("a broadcast without an event", "/api/broadcast", b'{"data": 1}')
bad_body("a line break in an event's name", "/api/broadcast", json.dumps({"event": "a\ndata: evil", "data": 1}).encode())


@check("events a client id cannot inject lines")
def injection():
    for evil in ("a\n\nevent: evil\ndata: {}\n\n", "a\r\nid: 7", "a\0b"):
        answer = requests.get(BASE + "/api/events", params={"client_id": evil}, stream=True, timeout=PATIENCE)
        if 400 <= answer.status_code < 500:
            continue
        events = sseclient.SSEClient(answer).events()
        first = next(events)
        equal((first.event, json.loads(first.data)["client_id"]), ("connected", evil))
        post("/api/broadcast", {"event": "after", "data": 0})
        equal(next(events).event, "after")
        answer.close()


@check("events the count follows who comes and goes")
def counts():
    before = settled()
    streams = [client(name())[0] for _ in range(8)]
    equal(count(), before + 8)
    for left, stream in enumerate(streams, 1):
        stream.close()
        has_left(before + 8 - left, "the closed client is gone")


@check("events a client that resets is gone at once")
def reset():
    before = settled()
    peer = Peer(BASE)
    peer.send(request("GET", "/api/events"))
    peer.until(b"connected")
    equal(count(), before + 1)
    peer.kill()
    has_left(before, "the client that reset is gone")


@check("events a client whose process is killed is gone at once")
def killed():
    before = settled()
    other = subprocess.Popen(["curl", "-sN", BASE + "/api/events"], stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: count() == before + 1, "the client is counted")
    finally:
        other.kill()
        other.wait()
    has_left(before, "the killed client is gone")


@check("events a second client of one name is counted alone")
def same_name():
    before = settled()
    shared = name()
    one, _ = client(shared)
    two, _ = client(shared)
    post("/api/broadcast", {"event": "shared", "data": 1, "target_clients": [shared]})
    expect(two, "shared", 1)
    one.close()
    two.close()
    has_left(before, "both are gone")


@check("events a client that does not read holds up nobody")
def deaf():
    before = settled()
    with Peer(BASE) as peer:
        peer.send(request("GET", "/api/events"))
        peer.until(b"connected")
        stream, _ = client(name())
        data = "x" * 200_000
        with requests.Session() as session:
            for number in range(60):
                session.post(BASE + "/api/broadcast", json={"event": "n", "data": [number, data]})
                equal(json.loads(stream.next().data)[0], number)
        stream.close()
    has_left(before, "both are gone")


# Browsers.


@check("events browsers of a trusted origin may listen and post")
def cross_origin():
    answer = requests.get(BASE + "/api/events", headers=HERE, stream=True, timeout=PATIENCE)
    assert answer.headers.get("access-control-allow-origin") in ("*", HERE["Origin"]), answer.headers
    answer.close()
    for path in ("/api/broadcast", "/api/notify", "/api/update"):
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        answer = requests.options(BASE + path, headers={**HERE, **asked})
        assert answer.status_code in (200, 204), answer.status_code
        assert answer.headers.get("access-control-allow-origin") in ("*", HERE["Origin"]), answer.headers
        assert "POST" in answer.headers.get("access-control-allow-methods", ""), answer.headers
        assert "content-type" in answer.headers.get("access-control-allow-headers", "").lower(), answer.headers
    answer = requests.post(BASE + "/api/notify", json={"title": "T", "message": "M"}, headers=HERE)
    assert answer.status_code == 200, answer.status_code
    assert answer.headers.get("access-control-allow-origin") in ("*", HERE["Origin"]), answer.headers
    answer = requests.post(BASE + "/api/notify", data=b"{", headers=HERE)
    assert answer.headers.get("access-control-allow-origin") in ("*", HERE["Origin"]), "an error hides from browsers"


@check("events browsers of any other origin may listen and not post")
def foreign_origin():
    there = {"Origin": "http://foreign.example"}
    answer = requests.get(BASE + "/api/events", headers=there, stream=True, timeout=PATIENCE)
    assert answer.status_code == 200, answer.status_code
    answer.close()
    answer = requests.post(BASE + "/api/notify", json={"title": "T", "message": "M"}, headers=there)
    assert answer.status_code == 403, answer.status_code


@check("events a heartbeat comes every 30 seconds")
def heartbeat():
    eventually(lambda: heartbeats, "a heartbeat", 90)
    since, data = heartbeats[0]
    assert since is not None, data
    # Both times are the server's own. A busy machine makes it late, never early.
    after = at(data) - since
    assert 28 < after < 45, f"after {after:.1f} s"
    equal(list(data), ["timestamp"])


eventually(lambda: count() == 0, "nobody else listens")
threading.Thread(target=await_heartbeat, daemon=True).start()
is_waiting.wait(PATIENCE)  # it is among the clients before anyone counts them
finish()
