#!/usr/bin/env python3
"""TLS with Python's ssl, requests, httpx and websockets, and with peers that have
records and fragments of their own.

usage: tls_clients.py https://HOST:PORT http://HOST:PORT

What is trusted is in SSL_CERT_FILE.
"""

import asyncio
import itertools
import os
import random
import socket
import ssl
import struct
import sys
import threading
import urllib.parse

import httpx
import requests
import websockets.asyncio.client
import websockets.sync.client

from checks import PATIENCE, check, equal, finish
from wire import Peer, request

BASE, PLAIN = (one.rstrip("/") for one in sys.argv[1:3])
ADDRESS = urllib.parse.urlsplit(BASE)
WSS = "wss" + BASE[len("https") :]
MIB = 1 << 20
VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
GET = request("GET", "/plaintext")
ALERT, HANDSHAKE, CONTENT, CHANGE = 21, 22, 23, 20
FATAL = 2
UNEXPECTED_MESSAGE, RECORD_OVERFLOW, DECODE_ERROR = 10, 22, 50


def context(version=None, protocols=("http/1.1",)):
    made = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    if version:
        made.minimum_version = made.maximum_version = VERSIONS[version]
    if protocols:
        made.set_alpn_protocols(protocols)
    return made


def dial():
    made = socket.create_connection((ADDRESS.hostname, ADDRESS.port), PATIENCE)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


class Wrapped(Peer):
    """A peer over Python's own socket of TLS."""

    def __init__(self, how, session=None):
        self.socket = how.wrap_socket(dial(), server_hostname="localhost", session=session, suppress_ragged_eofs=False)
        self.kept = b""


def get(peer, path="/plaintext", *fields):
    peer.send(request("GET", path, *fields))
    return peer.answer()


def records(data):
    """The records in `data`, each with its head."""
    while data:
        end = 5 + struct.unpack("!H", data[3:5])[0]
        yield data[:end]
        data = data[end:]


class Records(Peer):
    """A peer between whose TLS and whose socket `change` stands, which is given each
    record and makes of it the pieces that are sent, one by one."""

    def __init__(self, change, version="TLSv1.3"):
        self.change = change
        self.socket, self.kept = dial(), b""
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context(version).wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.act(self.tls.do_handshake)

    def flush(self):
        for record in records(self.outgoing.read()):
            for piece in self.change(record):
                self.socket.sendall(piece)

    def act(self, what, *arguments):
        while True:
            try:
                result = what(*arguments)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                data = self.socket.recv(65536)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()

    def send(self, data):
        self.act(self.tls.write, data)

    def receive(self, most=65536):
        try:
            return self.act(self.tls.read, most)
        except ssl.SSLZeroReturnError:
            return b""


def octets(record):
    """Each byte alone."""
    return [record[at : at + 1] for at in range(len(record))]


class Shattered:
    """Messages of the handshake in records of one byte, as long as they are in clear."""

    sealed = False

    def __call__(self, record):
        self.sealed |= record[0] == CHANGE
        if record[0] != HANDSHAKE or self.sealed:
            return [record]
        head, body = record[:3], record[5:]
        return [b"".join(head + b"\x00\x01" + body[at : at + 1] for at in range(len(body)))]


def both(name, seconds=150):
    """Registers a check for each version."""

    def register(function):
        for version in VERSIONS:
            check(f"tls {version[3:]}, {name}", seconds)(lambda version=version: function(version))

    return register


# Python's ssl.


@both("Python's ssl: a request, and the end")
def plain_request(version):
    for protocols, chosen in [((), None), (["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "h2")]:
        with Wrapped(context(version, protocols)) as peer:
            equal((peer.socket.version(), peer.socket.selected_alpn_protocol()), (version, chosen))
            if chosen == "h2":
                continue
            equal(get(peer).body, b"Hello, World!")
            answer = get(peer, "/plaintext", "Connection: close")
            equal((answer.body, answer.field("connection")), (b"Hello, World!", "close"))
            # Without close_notify this raises.
            assert peer.is_closed(), "bytes behind the last answer"


@both("Python's ssl: sessions are resumed, by whichever loop")
def resumed(version):
    how = context(version)
    with Wrapped(how) as peer:
        get(peer)
        session = peer.socket.session
    for _ in range(10):
        with Wrapped(how, session) as peer:
            equal(get(peer).body, b"Hello, World!")
            assert peer.socket.session_reused, "a new session"
            session = peer.socket.session


@both("Python's ssl: content of every size, in pipelined requests")
def sizes(version):
    with Wrapped(context(version)) as peer:
        wanted = [0, 1, 100, 16_300, 16_384, 16_385, 50_000, 131_072, 1_000_000]
        peer.send(b"".join(request("GET", f"/bytes/{size}") for size in wanted))
        equal([len(peer.answer().body) for _ in wanted], wanted)
        for size in (1, 16_384, 16_385, 3_000_000):
            body = os.urandom(size)
            peer.send(request("POST", "/echo", body=body))
            equal(peer.answer().body, body)


@both("the server ends a connection with close_notify where the client did so")
def ended_by_client(version):
    with Wrapped(context(version)) as peer:
        get(peer)
        peer.socket.unwrap().close()  # waits for the server's own


# Libraries.


@check("tls requests: a session of many kinds of requests")
def session():
    with requests.Session() as client:
        client.trust_env, client.verify = False, os.environ["SSL_CERT_FILE"]
        for number in range(50):
            equal(client.get(BASE + "/plaintext", timeout=PATIENCE).text, "Hello, World!")
        body = os.urandom(5_000_000)
        equal(client.post(BASE + "/echo", data=body, timeout=PATIENCE).content, body)
        pieces = (body[at : at + 70_001] for at in range(0, len(body), 70_001))
        equal(client.put(BASE + "/echo", data=pieces, timeout=PATIENCE).content, body)
        equal(len(client.get(BASE + "/bytes/20000000", timeout=PATIENCE).content), 20_000_000)


@check("tls requests: events")
def events():
    with requests.get(BASE + "/sse/ticks", stream=True, verify=os.environ["SSL_CERT_FILE"], timeout=PATIENCE) as answer:
        lines = answer.iter_lines()
        equal([line for line in itertools.islice(lines, 12) if line.startswith(b"id:")][:2].__len__(), 2)


@check("tls httpx: HTTP/2 by ALPN, and HTTP/1.1 if it is not offered")
def httpx_versions():
    for http2, version in [(True, "HTTP/2"), (False, "HTTP/1.1")]:
        with httpx.Client(http2=http2, verify=context(protocols=None), trust_env=False, timeout=PATIENCE) as client:
            for _ in range(20):
                answer = client.get(BASE + "/plaintext")
                equal((answer.http_version, answer.text), (version, "Hello, World!"))
            body = os.urandom(2_000_000)
            equal(client.post(BASE + "/echo", content=body).content, body)


@check("tls httpx: 400 requests at once on HTTP/2")
def httpx_many():
    async def run():
        async with httpx.AsyncClient(
            http2=True, verify=context(protocols=None), trust_env=False, timeout=PATIENCE
        ) as client:
            sizes = [random.randrange(60_000) for _ in range(400)]
            answers = await asyncio.gather(*(client.get(f"{BASE}/bytes/{size}") for size in sizes))
            equal([len(answer.content) for answer in answers], sizes)

    asyncio.run(run())


@both("websockets: messages of every size by wss")
def messages(version):
    with websockets.sync.client.connect(
        WSS + "/ws/echo", ssl=context(version), open_timeout=PATIENCE, ping_interval=None, max_size=None
    ) as peer:
        for size in (0, 1, 125, 126, 16_384, 65_535, 65_536, 200_001, MIB):
            for message in (os.urandom(size), "é" * (size // 2)):
                peer.send(message)
                assert peer.recv(timeout=PATIENCE) == message, f"{size} bytes came back changed"


@check("tls websockets: 60 sockets at once")
def many_sockets():
    async def one(number):
        async with websockets.asyncio.client.connect(
            WSS + "/ws/echo", ssl=context(), open_timeout=PATIENCE, ping_interval=None
        ) as peer:
            for turn in range(20):
                message = f"{number} {turn} " * random.randrange(1, 400)
                await peer.send(message)
                equal(await asyncio.wait_for(peer.recv(), PATIENCE), message)

    async def run():
        await asyncio.gather(*(one(number) for number in range(60)))

    asyncio.run(run())


# Records and fragments.


@both("messages of the handshake in records of one byte")
def shattered(version):
    with Records(Shattered(), version) as peer:
        equal(get(peer).body, b"Hello, World!")


@both("every byte alone")
def alone(version):
    with Records(octets, version) as peer:
        equal(get(peer).body, b"Hello, World!")


@both("records of one byte of content")
def small_records(version):
    body = os.urandom(700)
    with Records(lambda record: [record], version) as peer:
        for octet in request("POST", "/echo", body=body):
            peer.send(bytes([octet]))
        equal(peer.answer().body, body)
    # All of them in as few segments as they fit.
    with Records(lambda record: [record], version) as peer:
        kept = []
        peer.change = lambda record: kept.append(record) or []
        for octet in request("POST", "/echo", body=body) * 3:
            peer.send(bytes([octet]))
        peer.socket.sendall(b"".join(kept))
        equal([peer.answer().body for _ in range(3)], [body] * 3)


@both("records that are cut anywhere")
def cut(version):
    chance = random.Random(version)

    def pieces(record):
        ends = sorted({0, len(record), *(chance.randrange(len(record)) for _ in range(3))})
        return [record[one:two] for one, two in itertools.pairwise(ends)]

    for _ in range(20):
        body = os.urandom(chance.randrange(40_000))
        with Records(pieces, version) as peer:
            peer.send(request("POST", "/echo", body=body) + GET)
            equal((peer.answer("POST").body, peer.answer().body), (body, b"Hello, World!"))


def alert(peer):
    """The alert in clear that a bare socket gets before its end."""
    data = b""
    while more := peer.recv(4096):
        data += more
    last = list(records(data))[-1] if data else b""
    equal((last[:1], len(last)), (bytes([ALERT]), 7), "the last record")
    return last[5], last[6]


def hello():
    """A ClientHello, in its record."""
    outgoing = ssl.MemoryBIO()
    tls = context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


@check("tls garbage instead of a ClientHello gets an alert, and the end")
def garbage():
    for data in (
        b"\x16\x03\x01\x00\x05hello",
        bytes([HANDSHAKE, 3, 1, 0, 4, 2, 0, 0, 0]),  # a ServerHello
        bytes([CONTENT, 3, 3, 0, 5]) + b"hello",
        bytes([99, 3, 3, 0, 5]) + b"hello",
        os.urandom(1) * 3000,
    ):
        with dial() as peer:
            peer.sendall(data)
            try:
                equal(alert(peer)[0], FATAL, data[:9])
            except ConnectionResetError:
                pass  # it says so, and what it has not read makes the end a reset
            except AssertionError:
                if data[0] in (HANDSHAKE, CONTENT):
                    raise


@check("tls a record that is too long gets record_overflow")
def overflow():
    with dial() as peer:
        peer.sendall(bytes([HANDSHAKE, 3, 1]) + struct.pack("!H", 20_000))
        equal(alert(peer), (FATAL, RECORD_OVERFLOW))


@both("a record that was changed gets bad_record_mac, and nothing is answered")
def changed(version):
    with Records(lambda record: [record], version) as peer:
        equal(get(peer).body, b"Hello, World!")
        peer.change = lambda record: [record[:-1] + bytes([record[-1] ^ 1])]
        try:
            peer.send(GET)
            peer.answer()
        except ssl.SSLError as error:
            assert "BAD_RECORD_MAC" in str(error), error
        else:
            raise AssertionError("it was answered")


@both("records in another order, or twice, end the connection")
def reordered(version):
    for order in ((1, 0), (0, 0), (1,)):
        with Records(lambda record: [record], version) as peer:
            get(peer)
            kept = []
            peer.change = lambda record: kept.append(record) or []
            peer.send(GET)
            peer.send(GET)
            peer.socket.sendall(b"".join(kept[at] for at in order))
            try:
                for _ in range(2):
                    equal(peer.answer().body, b"Hello, World!")
            except (ssl.SSLError, EOFError):
                continue
            raise AssertionError(f"{order} was answered")


@check("tls a request for a name that the certificate has not gets 421")
def misdirected():
    with Wrapped(context()) as peer:
        peer.send(b"GET /plaintext HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n")
        equal(peer.answer().status, 421)
        equal(get(peer).body, b"Hello, World!")


@check("tls http:// on the port of https:// gets one answer that says so")
def plain_on_secure():
    with Peer(f"http://{ADDRESS.netloc}") as peer:
        peer.send(GET)
        answer = peer.answer()
        assert answer.status in (400, 301, 308), answer.status
        text = answer.body + (answer.field("location") or "").encode()
        assert b"https" in text, text
        assert peer.is_closed(), "still open"


@check("tls https:// on the port of http:// gets an alert")
def secure_on_plain():
    plain = urllib.parse.urlsplit(PLAIN)
    for data in (hello(), hello()[:100]):
        with socket.create_connection((plain.hostname, plain.port), PATIENCE) as peer:
            peer.sendall(data)
            equal(alert(peer)[0], FATAL)


# Ends in the middle.


@both("what was asked in front of a FIN without close_notify is answered")
def asked_and_cut(version):
    for path, length in (("/plaintext", 13), ("/bytes/300000", 300_000)):
        # Python's own socket of TLS opens nothing behind a shutdown.
        with Records(lambda record: [record], version) as peer:
            get(peer)
            peer.send(GET + request("GET", path))
            peer.socket.shutdown(socket.SHUT_WR)
            equal(peer.answer().body, b"Hello, World!")
            equal(len(peer.answer().body), length)
            assert peer.is_closed(), "still open"


@both("an end in the middle of a request is no request")
def end_in_request(version):
    whole = request("POST", "/echo", body=b"x" * 3000)
    for length in (1, len(whole) // 2, len(whole) - 1):
        for end in ("unwrap", "shutdown", "reset"):
            with Wrapped(context(version)) as peer:
                peer.send(GET + whole[:length])
                equal(peer.answer().body, b"Hello, World!")
                if end == "reset":
                    peer.kill()
                    continue
                bare = peer.socket
                if end == "unwrap":
                    try:
                        bare = bare.unwrap()
                    except (ssl.SSLError, OSError):
                        continue  # something came in front of the end
                    bare.close()
                else:
                    bare.shutdown(socket.SHUT_WR)  # without close_notify
                    rest = b""
                    try:
                        rest = peer.rest()
                    except (ssl.SSLError, OSError, ValueError):
                        pass
                    assert b" 200 " not in rest, rest[:100]
    equal(requests.get(BASE + "/plaintext", verify=os.environ["SSL_CERT_FILE"], timeout=PATIENCE).status_code, 200)


def flight():
    """What a client sends, state by state: pieces that end where it stops."""
    data = hello()
    yield "nothing", b""
    yield "one byte", data[:1]
    yield "the head of a record", data[:5]
    yield "half a ClientHello", data[: len(data) // 2]
    yield "a ClientHello but for its last byte", data[:-1]
    yield "a ClientHello", data
    yield "a fragment of a ClientHello", data[:3] + b"\x00\x08" + data[5:13]
    yield "a ClientHello, and half a record", data + bytes([CONTENT, 3, 3, 0, 53]) + bytes(20)


@check("tls peers that stop in each state are ended, and others are served meanwhile", 200)
def stopped():
    peers = []
    for name, data in flight():
        for _ in range(12):
            one = dial()
            one.sendall(data)
            peers.append((name, one))
    for version in VERSIONS:
        for _ in range(20):
            with Wrapped(context(version)) as peer:
                equal(get(peer).body, b"Hello, World!")
    for name, one in peers:
        try:
            while one.recv(65536):
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            raise AssertionError(f"still open behind {name}") from None
        one.close()


@both("peers that stop in each state of what follows are ended, too", 200)
def stopped_later(version):
    peers = []
    for data in (b"", b"GET", GET[:-1], request("POST", "/echo", "Content-Length: 10") + b"12345"):
        peer = Wrapped(context(version))
        peer.send(data) if data else None
        peers.append(peer)
    # Half a record of content.
    half = Records(lambda record: [record], version)
    half.change = lambda record: [record[:-9]]
    half.send(GET)
    peers.append(half)
    for peer in peers:
        try:
            peer.rest()
        except (ssl.SSLError, OSError) as error:
            assert not isinstance(error, TimeoutError), "still open"
        peer.socket.close()


@check("tls many clients that come, ask and go", 200)
def churn():
    faults = []

    def client(number):
        how = context("TLSv1.3" if number % 2 else "TLSv1.2")
        try:
            for turn in range(15):
                with Wrapped(how) as peer:
                    for size in (0, 10, 30_000 * (turn % 3)):
                        equal(len(get(peer, f"/bytes/{size}").body), size)
                    if turn % 3 == 0:
                        peer.kill()
        except Exception as error:
            faults.append(repr(error))

    clients = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(16)]
    for one in clients:
        one.start()
    for one in clients:
        one.join(150)
        assert not one.is_alive(), "a client still waits"
    assert not faults, f"{len(faults)}: {faults[:3]}"


finish()
