#!/usr/bin/env python3
"""How the showcase ends: on SIGTERM under load, and on SIGINT.

usage: shutdown.py SHOWCASE THREADS

Starts its own servers, because it ends them.
"""

import collections
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading

import requests
import sseclient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import http2_wire as http2
from checks import AT_ONCE, PATIENCE, check, equal, eventually, finish
from showcase import Server
from wire import Peer, request

SHOWCASE, THREADS = sys.argv[1], sys.argv[2]
DEADLINE = 50.0  # seconds: no client can keep the server longer; it gives them 30


def stop(server):
    """Tells the server to end, and waits until it has begun to."""
    server.tell(signal.SIGTERM)

    def is_refused():
        try:
            Peer(server.base).socket.close()
        except ConnectionError:
            return True

    eventually(is_refused, "new connections are refused")


def half_sent_peer(server, body, sent):
    """A peer whose request the server has begun to read: what came before it in the same
    segment is answered."""
    peer = Peer(server.base)
    head = request("POST", "/echo", f"Content-Length: {len(body)}")
    peer.send(request("GET", "/plaintext") + head + body[:sent])
    equal(peer.answer().body, b"Hello, World!")
    return peer


def idle(name, number):
    @check(f"shutdown {name} ends an idle server at once")
    def run():
        with Server(SHOWCASE, THREADS) as server:
            server.tell(number)
            server.ended()


idle("SIGINT", signal.SIGINT)
idle("SIGTERM", signal.SIGTERM)


@check("shutdown idle connections do not delay it")
def idle_connections():
    with Server(SHOWCASE, THREADS) as server:
        peers = [Peer(server.base) for _ in range(20)]
        for peer in peers[:10]:
            peer.send(request("GET", "/plaintext"))
            peer.answer()
        server.tell(signal.SIGTERM)
        for peer in peers:
            assert peer.is_closed(), "bytes that nobody asked for"
        server.ended()


@check("shutdown a request that is half sent is still answered")
def half_sent():
    with Server(SHOWCASE, THREADS) as server:
        whole = b"0123456789" * 2000
        peers = [half_sent_peer(server, whole, 7000) for _ in range(8)]
        stop(server)
        for peer in peers:
            peer.send(whole[7000:])
            answer = peer.answer()
            equal((answer.status, answer.body, answer.field("connection")), (200, whole, "close"))
            assert peer.is_closed(), "still open"
        server.ended()


@check("shutdown an answer on its way arrives whole")
def half_read():
    with Server(SHOWCASE, THREADS) as server:
        peers = [Peer(server.base) for _ in range(4)]
        for peer in peers:
            peer.send(request("GET", "/bytes/40000000"))
            peer.take(100)
        stop(server)
        for peer in peers:
            rest = peer.rest()
            assert 40_000_000 - 100 <= len(rest) <= 40_002_000, len(rest)
        server.ended()


@check("shutdown no connection is taken any more")
def refused():
    with Server(SHOWCASE, THREADS) as server:
        busy = half_sent_peer(server, b"hello", 2)
        stop(server)
        busy.send(b"llo")
        equal(busy.answer().body, b"hello")
        server.ended()


@check("shutdown under load, every accepted request is answered", 300)
def under_load():
    with Server(SHOWCASE, THREADS) as server:
        tally = collections.Counter()
        faults = []
        told = threading.Event()

        def client(number):
            body = os.urandom(3000 + number)
            while not told.is_set():
                try:
                    peer = Peer(server.base)
                except ConnectionError as error:
                    if not told.is_set():
                        faults.append(f"before the signal: {error!r}")
                    return
                with peer:
                    while exchange(peer, body):
                        pass

        def exchange(peer, body):
            """One request; true if the connection may be used again."""
            owed = False
            try:
                peer.send(request("POST", "/echo", body=body))
                # Sent before the signal is accepted: then the answer is owed.
                owed = not told.is_set()
                answer = peer.answer()
                equal((answer.status, answer.body), (200, body))
            except (EOFError, OSError) as error:
                # Bytes of an answer that stops are a fault at any time.
                if owed or peer.kept or not told.is_set():
                    faults.append(f"{'owed' if owed else 'after the signal'}: {error!r}")
                tally["closed"] += 1
                return False
            except AssertionError as error:
                faults.append(str(error))
                return False
            tally["answered"] += 1
            tally["owed"] += owed and told.is_set()
            return answer.field("connection") != "close"

        clients = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(24)]
        for one in clients:
            one.start()
        eventually(lambda: tally["answered"] > 500, "500 requests are answered", 200)
        told.set()
        server.tell(signal.SIGTERM)
        for one in clients:
            one.join(PATIENCE)
            assert not one.is_alive(), "a client is neither answered nor closed"
        server.ended()
        assert not faults, f"{len(faults)} of {tally}: {faults[:3]}"


def warned(one):
    """Whether a frame is the first of two GOAWAY: that no stream should be opened."""
    return isinstance(one, http2.frames.GoAwayFrame) and one.last_stream_id == 0x7FFFFFFF


@check("shutdown under load, every stream that GOAWAY names is answered", 300)
def streams_under_load():
    with Server(SHOWCASE, THREADS) as server:
        tally, faults = collections.Counter(), []

        def client():
            """Has 30 requests under way, whatever comes, up to the end."""
            try:
                with http2.Peer(server.base) as peer:
                    talk(peer)
            except Exception as error:
                faults.append(repr(error))

        def talk(peer):
            stream, owed, answered, last = 1, set(), set(), None
            while True:
                octets = b""
                while len(owed) < 30 and last is None:
                    octets += http2.get(stream, "/bytes/900")
                    owed.add(stream)
                    stream += 2
                    octets += http2.window(0, 900)
                attempt(peer, octets)
                one = peer.next()
                if one is None:
                    break
                peer.seen.clear()
                if isinstance(one, http2.frames.PingFrame) and "ACK" not in one.flags:
                    attempt(peer, http2.ping(one.opaque_data, http2.ACK))
                if isinstance(one, http2.frames.GoAwayFrame):
                    equal(one.error_code, 0, "the code of GOAWAY")
                    last = None if warned(one) else one.last_stream_id
                if "END_STREAM" in one.flags:
                    owed.remove(one.stream_id)
                    answered.add(one.stream_id)
                    tally["answered"] += 1
            assert last is not None, "the end without GOAWAY"
            lost = [stream for stream in owed if stream <= last]
            assert not lost, f"{len(lost)} streams up to {last} are not answered"
            assert max(answered) <= last, "streams behind the last one are answered"

        def attempt(peer, octets):
            try:
                peer.send(octets)
            except OSError:
                pass  # it may be over already; what has come is still to be read

        clients = [threading.Thread(target=client, daemon=True) for _ in range(6)]
        for one in clients:
            one.start()
        eventually(lambda: faults or tally["answered"] > 2000, "2,000 streams are answered", 200)
        server.tell(signal.SIGTERM)
        for one in clients:
            one.join(PATIENCE)
            assert not one.is_alive(), "a client is neither answered nor closed"
        server.ended()
        assert not faults, f"{len(faults)}: {faults[:3]}"


@check("shutdown an upload over HTTP/2 that is half sent is still answered")
def half_sent_stream():
    body = os.urandom(40000)
    with Server(SHOWCASE, THREADS) as server, http2.Peer(server.base) as peer:
        peer.send(http2.post(1, ("content-length", str(len(body)))) + http2.data(1, body[:10000], 0))
        http2.alive(peer)
        server.tell(signal.SIGTERM)
        peer.until(warned)
        for at in range(10000, len(body), 10000):
            peer.send(http2.data(1, body[at : at + 10000], http2.END_STREAM * (at == 30000)))
        http2.answered(1, body=body)(peer)
        named = [one.last_stream_id for one in peer.seen if isinstance(one, http2.frames.GoAwayFrame)]
        if named == [0x7FFFFFFF]:
            drain = next(one for one in peer.seen if isinstance(one, http2.frames.PingFrame) and "ACK" not in one.flags)
            peer.send(http2.ping(drain.opaque_data, http2.ACK))
            http2.gone("NO_ERROR", last=1)(peer)
        else:
            equal(named, [0x7FFFFFFF, 1], "the last streams that GOAWAY names")
        server.ended()


@check("shutdown WebSockets are closed with 1001")
def websockets():
    with Server(SHOWCASE, THREADS) as server:
        peers = [connect("ws" + server.base[4:] + path, open_timeout=PATIENCE, ping_interval=None) for path in ("/ws/echo", "/ws/chat") * 4]
        peers[0].send("owed")
        equal(peers[0].recv(timeout=PATIENCE), "owed")
        server.tell(signal.SIGTERM)
        for peer in peers:
            try:
                while True:
                    peer.recv(timeout=PATIENCE)
            except ConnectionClosed as closed:
                equal(closed.rcvd.code if closed.rcvd else None, 1001)
        server.ended()


@check("shutdown event streams end whole")
def event_streams():
    with Server(SHOWCASE, THREADS) as server:
        answers = [requests.get(server.base + path, stream=True, timeout=PATIENCE) for path in ("/sse/ticks", "/api/events") * 2]
        streams = [sseclient.SSEClient(answer).events() for answer in answers]
        for stream in streams:
            next(stream)
        server.tell(signal.SIGTERM)
        for stream in streams:
            # A chunked body without its last chunk would raise.
            for _ in stream:
                pass
        server.ended()


@check("shutdown clients that do nothing cannot keep it")
def stuck():
    with Server(SHOWCASE, THREADS) as server:
        peers = [half_sent_peer(server, bytes(1000), 10)] + [Peer(server.base) for _ in range(3)]
        peers[1].send(request("GET", "/bytes/50000000"))
        peers[1].take(100)
        peers[2].send(request("GET", "/plaintext") + b"GET /plain")
        peers[2].answer()
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        peers[3].send(request("GET", "/ws/echo", "Connection: Upgrade", "Upgrade: websocket", key, "Sec-WebSocket-Version: 13"))
        equal(peers[3].head().status, 101)
        server.tell(signal.SIGTERM)
        first, second = peers[3].take(2)
        equal((first, struct.unpack("!H", peers[3].take(second)[:2])[0]), (0x88, 1001), "close frame")
        server.ended(DEADLINE)


def server_on_a_port_of_ones_own():
    """A server on a port that the system gives to nobody who does not ask for it."""
    for port in random.sample(range(15_000, 32_000), 50):
        try:
            return Server(SHOWCASE, THREADS, port)
        except AssertionError:
            continue  # taken
    raise AssertionError("no port is free")


@check("shutdown several servers one after the other on one port")
def port_is_free():
    with server_on_a_port_of_ones_own() as server:
        peer = Peer(server.base)
        peer.send(request("GET", "/plaintext"))
        peer.answer()
        server.tell(signal.SIGTERM)
        server.ended()
    with Server(SHOWCASE, THREADS, server.port) as again:
        again.tell(signal.SIGINT)
        again.ended()


@check("shutdown a second signal ends it at once")
def second_signal():
    with Server(SHOWCASE, THREADS) as server:
        peer = Peer(server.base)
        peer.send(request("GET", "/bytes/1000000000"))  # never read
        eventually(lambda: peer.socket.recv(1, socket.MSG_PEEK), "the reply begins")
        stop(server)
        assert server.process.poll() is None, "it waits for the reply to be read"
        server.tell(signal.SIGTERM)
        server.ended()


@check("shutdown a wrong command line says so")
def wrong_arguments():
    for wrong in (["--listen", "nowhere"], ["--threads", "none"], ["--threads", "0"], ["--frobnicate"]):
        ended = subprocess.run([SHOWCASE, *wrong], capture_output=True, text=True, timeout=PATIENCE)
        assert ended.returncode > 0 and ended.stderr.strip(), f"{wrong}: {ended.returncode}"
        assert "panicked" not in ended.stderr, ended.stderr
    with socket.create_server(("127.0.0.1", 0)) as held:
        taken = f"127.0.0.1:{held.getsockname()[1]}"
        ended = subprocess.run([SHOWCASE, "--listen", taken], capture_output=True, text=True, timeout=PATIENCE)
        assert ended.returncode > 0 and ended.stderr.strip(), "a port that is taken"
        assert "panicked" not in ended.stderr, ended.stderr
    with Server(SHOWCASE, THREADS) as server:
        taken = server.base.removeprefix("http://")
        again = [SHOWCASE, "--threads", THREADS, "--listen", taken]
        ended = subprocess.run(again, capture_output=True, text=True, timeout=PATIENCE)
        assert ended.returncode > 0 and "in use" in ended.stderr, f"started twice: {ended.stderr}"


finish()
