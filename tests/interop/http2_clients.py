#!/usr/bin/env python3
"""HTTP/2 with httpx, and with the bare machine of h2.

usage: http2_clients.py http://HOST:PORT
"""

import asyncio
import os
import socket
import ssl
import sys
import time
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
import httpx

from checks import check, equal, finish
from wire import connected

BASE = sys.argv[1].rstrip("/")
ADDRESS = urlsplit(BASE)
TRUSTED = ssl.create_default_context()


def client(**options):
    return httpx.Client(base_url=BASE, http1=False, http2=True, timeout=15, trust_env=False, verify=TRUSTED, **options)


class Peer:
    """A connection of h2's machine over a bare socket."""

    def __init__(self, **settings):
        self.socket = connected(BASE, 10, "h2")
        self.machine = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        if settings:
            values = {getattr(h2.settings.SettingCodes, name): value for name, value in settings.items()}
            self.machine.local_settings = h2.settings.Settings(client=True, initial_values=values)
        self.machine.initiate_connection()
        self.events = []
        self.flush()

    def flush(self):
        self.socket.sendall(self.machine.data_to_send())

    def ask(self, path, method="GET", end=True, fields=(), protocol=None):
        stream = self.machine.get_next_available_stream_id()
        head = [(":method", method), (":scheme", ADDRESS.scheme), (":authority", ADDRESS.netloc), (":path", path)]
        if protocol:
            head.insert(1, (":protocol", protocol))
        self.machine.send_headers(stream, [*head, *fields], end_stream=end)
        self.flush()
        return stream

    def send(self, stream, data, end=False):
        self.machine.send_data(stream, data, end_stream=end)
        self.flush()

    def until(self, kind, stream=None, consume=True):
        """The first event of a kind that has not been looked for yet."""
        while True:
            for event in self.events:
                if isinstance(event, kind) and (stream is None or event.stream_id == stream):
                    self.events.remove(event)
                    return event
            data = self.socket.recv(65536)
            assert data, f"the end instead of {kind.__name__}"
            for event in self.machine.receive_data(data):
                if isinstance(event, h2.events.DataReceived) and consume:
                    self.machine.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                self.events.append(event)
            self.flush()

    def body(self, stream):
        """All that comes until the end of a stream."""
        self.until(h2.events.StreamEnded, stream)
        pieces = [event for event in self.events if isinstance(event, h2.events.DataReceived) and event.stream_id == stream]
        return b"".join(event.data for event in pieces)

    def response(self, stream):
        return dict(self.until(h2.events.ResponseReceived, stream).headers)

    def closed(self):
        """Whether the server has ended the connection."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass
        return True


@check("http2 httpx, requests of every kind")
def kinds():
    with client() as http:
        answer = http.get("/plaintext")
        equal((answer.http_version, answer.status_code, answer.text), ("HTTP/2", 200, "Hello, World!"))
        equal(http.get("/nowhere").json(), {"error": "Not Found"})
        head = http.head("/plaintext")
        equal((head.headers["content-length"], head.content), ("13", b""))
        body = os.urandom(3_000_000)
        equal(http.post("/echo", content=body).content, body)
        pieces = [os.urandom(50_000) for _ in range(100)]
        equal(http.post("/echo", content=iter(pieces)).content, b"".join(pieces))


@check("http2 httpx, 400 requests on one connection")
def concurrent():
    async def ask(http, size):
        answer = await http.get(f"/bytes/{size}")
        equal((answer.http_version, len(answer.content)), ("HTTP/2", size))

    async def run():
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(base_url=BASE, http1=False, http2=True, timeout=15, trust_env=False, verify=TRUSTED, limits=limits) as http:
            for turn in range(10):
                await asyncio.gather(*(ask(http, number * 1000 + turn) for number in range(40)))

    asyncio.run(run())


@check("http2 httpx, events beside requests")
def events():
    with client() as http, http.stream("GET", "/sse/ticks") as ticks:
        lines = ticks.iter_lines()
        seen = []
        while len(seen) < 2:
            line = next(lines)
            if line.startswith("id: "):
                seen.append(int(line[4:]))
                equal(http.get("/plaintext").text, "Hello, World!")
        equal(seen[1] - seen[0], 1)


@check("http2 h2, what the server says of itself")
def settings():
    peer = Peer()
    seen = peer.until(h2.events.RemoteSettingsChanged).changed_settings
    codes = h2.settings.SettingCodes
    equal(seen[codes.ENABLE_CONNECT_PROTOCOL].new_value, 1)
    assert 100 <= seen[codes.MAX_CONCURRENT_STREAMS].new_value <= 256
    peer.machine.ping(b"12345678")
    peer.flush()
    equal(peer.until(h2.events.PingAckReceived).ping_data, b"12345678")


@check("http2 h2, streams do not wait for each other")
def independence():
    peer = Peer()
    slow = peer.ask("/echo", "POST", end=False, fields=[("content-length", "10")])
    large = peer.ask("/bytes/500000")
    quick = peer.ask("/plaintext")
    equal(peer.body(quick), b"Hello, World!")
    equal(len(peer.body(large)), 500_000)
    peer.send(slow, b"0123456789", end=True)
    equal(peer.body(slow), b"0123456789")


@check("http2 h2, a shut window holds one stream up and no other")
def windows():
    peer = Peer(INITIAL_WINDOW_SIZE=1000)
    held = peer.ask("/bytes/5000")
    equal(peer.response(held)[b":status"], b"200")
    got = 0
    while got < 1000:
        got += len(peer.until(h2.events.DataReceived, held, consume=False).data)
    other = peer.ask("/bytes/900")
    equal(len(peer.body(other)), 900)
    equal(got, 1000)
    peer.machine.increment_flow_control_window(4000, held)
    peer.flush()
    equal(got + len(peer.body(held)), 5000)


@check("http2 h2, a refused upload is not read to its end")
def refused():
    peer = Peer()
    stream = peer.ask("/nowhere", "POST", end=False)
    equal(peer.response(stream)[b":status"], b"404")
    reset = peer.until(h2.events.StreamReset, stream)
    equal(reset.error_code, h2.errors.ErrorCodes.NO_ERROR)
    equal(peer.body(peer.ask("/plaintext")), b"Hello, World!")


@check("http2 h2, a cancelled stream leaves the others alone")
def cancelled():
    peer = Peer()
    streams = [peer.ask("/sse/ticks") for _ in range(5)]
    for stream in streams:
        peer.response(stream)
        peer.machine.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
    equal(peer.body(peer.ask("/plaintext")), b"Hello, World!")


def masked(first, payload):
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    mask = os.urandom(4)
    return bytes([first]) + length + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


@check("http2 h2, a WebSocket by extended CONNECT (RFC 8441)")
def websocket():
    peer = Peer()
    peer.until(h2.events.RemoteSettingsChanged)
    fields = [("sec-websocket-version", "13"), ("origin", BASE)]
    sockets = [peer.ask("/ws/echo", "CONNECT", end=False, fields=fields, protocol="websocket") for _ in range(3)]
    for number, stream in enumerate(sockets):
        equal(peer.response(stream)[b":status"], b"200")
        text = f"socket {number}".encode()
        peer.send(stream, masked(0x81, text))
        equal(peer.until(h2.events.DataReceived, stream).data, bytes([0x81, len(text)]) + text)
    equal(peer.body(peer.ask("/plaintext")), b"Hello, World!")
    for stream in sockets:
        peer.send(stream, masked(0x88, b"\x03\xe8"))
        equal(peer.body(stream), b"\x88\x02\x03\xe8")


@check("http2 h2, a WebSocket elsewhere is refused")
def no_websocket():
    peer = Peer()
    peer.until(h2.events.RemoteSettingsChanged)
    fields = [("sec-websocket-version", "13")]
    for path, protocol, status in [("/plaintext", "websocket", b"405"), ("/nowhere", "websocket", b"404"), ("/ws/echo", "chat", b"501")]:
        stream = peer.ask(path, "CONNECT", end=False, fields=fields, protocol=protocol)
        equal(peer.response(stream)[b":status"], status, path)
    equal(peer.response(peer.ask("/ws/echo"))[b":status"], b"405")


@check("http2 h2, a breach of the protocol ends with GOAWAY")
def breach():
    peer = Peer()
    equal(peer.body(peer.ask("/plaintext")), b"Hello, World!")
    peer.socket.sendall(b"\0\0\x01\0\0\0\0\0\x63x")  # DATA on an idle stream
    ended = peer.until(h2.events.ConnectionTerminated)
    equal((ended.error_code, ended.last_stream_id), (h2.errors.ErrorCodes.PROTOCOL_ERROR, 1))
    assert peer.closed()


@check("http2 h2, a flood of resets ends its own connection only")
def flood():
    honest, hostile = Peer(), Peer()
    terminated = None
    end = time.monotonic() + 10
    while terminated is None and time.monotonic() < end:
        try:
            for _ in range(50):
                stream = hostile.ask("/sse/ticks")
                hostile.machine.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            hostile.flush()
        except (BrokenPipeError, ConnectionResetError):
            break
        equal(honest.body(honest.ask("/plaintext")), b"Hello, World!")
        hostile.socket.settimeout(0.01)
        try:
            terminated = hostile.until(h2.events.ConnectionTerminated)
        except (TimeoutError, AssertionError):
            hostile.socket.settimeout(10)
    assert terminated is not None, "no GOAWAY"
    equal(terminated.error_code, h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)
    equal(honest.body(honest.ask("/plaintext")), b"Hello, World!")


finish()
