#!/usr/bin/env python3
"""How the showcase ends: on SIGTERM under load, and on SIGINT.

usage: shutdown.py SHOWCASE THREADS

Starts its own servers, because it ends them.
"""

import collections
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import requests
import sseclient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from checks import check, equal, eventually, finish
from showcase import Server
from wire import Peer, request

SHOWCASE, THREADS = sys.argv[1], sys.argv[2]
DEADLINE = 35.0  # seconds: no client can keep the server longer


def idle(name, number):
    @check(f"shutdown {name} ends an idle server at once")
    def run():
        with Server(SHOWCASE, THREADS) as server:
            server.tell(number)
            server.ended(3)


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
        server.ended(3)


@check("shutdown a request that is half sent is still answered")
def half_sent():
    with Server(SHOWCASE, THREADS) as server:
        whole = b"0123456789" * 2000
        peers = [Peer(server.base) for _ in range(8)]
        for peer in peers:
            peer.send(request("POST", "/echo", f"Content-Length: {len(whole)}") + whole[:7000])
        time.sleep(0.3)
        server.tell(signal.SIGTERM)
        time.sleep(0.5)
        for peer in peers:
            peer.send(whole[7000:])
            answer = peer.answer()
            equal((answer.status, answer.body, answer.field("connection")), (200, whole, "close"))
            assert peer.is_closed(), "still open"
        server.ended(5)


@check("shutdown an answer on its way arrives whole", 40)
def half_read():
    with Server(SHOWCASE, THREADS) as server:
        peers = [Peer(server.base) for _ in range(4)]
        for peer in peers:
            peer.send(request("GET", "/bytes/40000000"))
            peer.take(100)
        server.tell(signal.SIGTERM)
        time.sleep(0.5)
        for peer in peers:
            peer.kept = b""
            rest = peer.rest()
            assert 40_000_000 - 100 <= len(rest) <= 40_002_000, len(rest)
        server.ended(5)


@check("shutdown no connection is taken any more")
def refused():
    with Server(SHOWCASE, THREADS) as server:
        busy = Peer(server.base)
        busy.send(request("POST", "/echo", "Content-Length: 5") + b"he")
        time.sleep(0.2)
        server.tell(signal.SIGTERM)

        def is_refused():
            try:
                Peer(server.base, 1).socket.close()
            except ConnectionRefusedError:
                return True

        eventually(is_refused, 2, "new connections are refused")
        busy.send(b"llo")
        equal(busy.answer().body, b"hello")
        server.ended(5)


@check("shutdown under load, every accepted request is answered", 40)
def under_load():
    with Server(SHOWCASE, THREADS) as server:
        tally = collections.Counter()
        faults = []
        told = threading.Event()

        def client(number):
            body = os.urandom(3000 + number)
            while not told.is_set():
                try:
                    peer = Peer(server.base, 10)
                except ConnectionError:
                    return
                with peer:
                    while True:
                        before = not told.is_set()
                        answered = False
                        try:
                            peer.send(request("POST", "/echo", body=body))
                            answer = peer.answer()
                            answered = True
                            equal((answer.status, answer.body), (200, body))
                            tally["answered"] += 1
                            tally["after"] += not before
                        except (EOFError, OSError) as error:
                            # Bytes of an answer that stops, or a request from before the signal.
                            if peer.kept or before:
                                faults.append(f"{'before' if before else 'after'} the signal: {error!r}")
                            tally["closed"] += 1
                            return
                        except AssertionError as error:
                            faults.append(str(error))
                            return
                        if answered and answer.field("connection") == "close":
                            tally["told to close"] += 1
                            break

        clients = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(24)]
        for one in clients:
            one.start()
        time.sleep(1.5)
        # What was sent before this line counts as accepted: the signal comes later.
        told.set()
        time.sleep(0.2)
        server.tell(signal.SIGTERM)
        for one in clients:
            one.join(10)
        server.ended(5)
        assert not faults, f"{len(faults)} of {tally}: {faults[:3]}"
        assert tally["answered"] > 200, tally


@check("shutdown WebSockets are closed with 1001")
def websockets():
    with Server(SHOWCASE, THREADS) as server:
        peers = [connect("ws" + server.base[4:] + path) for path in ("/ws/echo", "/ws/chat") * 4]
        peers[0].send("owed")
        equal(peers[0].recv(timeout=5), "owed")
        server.tell(signal.SIGTERM)
        for peer in peers:
            try:
                while True:
                    peer.recv(timeout=5)
            except ConnectionClosed as closed:
                equal(closed.rcvd.code if closed.rcvd else None, 1001)
        server.ended(5)


@check("shutdown event streams end whole")
def event_streams():
    with Server(SHOWCASE, THREADS) as server:
        answers = [requests.get(server.base + path, stream=True, timeout=10) for path in ("/sse/ticks", "/api/events") * 2]
        streams = [sseclient.SSEClient(answer).events() for answer in answers]
        for stream in streams:
            next(stream)
        server.tell(signal.SIGTERM)
        for stream in streams:
            # A chunked body without its last chunk would raise.
            for _ in stream:
                pass
        server.ended(5)


@check("shutdown clients that do nothing cannot keep it", DEADLINE + 10)
def stuck():
    with Server(SHOWCASE, THREADS) as server:
        peers = [Peer(server.base) for _ in range(4)]
        peers[0].send(request("POST", "/echo", "Content-Length: 1000") + b"never more")
        peers[1].send(request("GET", "/bytes/50000000"))
        peers[2].send(b"GET /plain")
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        peers[3].send(request("GET", "/ws/echo", "Connection: Upgrade", "Upgrade: websocket", key, "Sec-WebSocket-Version: 13"))
        equal(peers[3].head().status, 101)
        time.sleep(0.3)
        server.tell(signal.SIGTERM)
        first, second = peers[3].take(2)
        equal((first, struct.unpack("!H", peers[3].take(second)[:2])[0]), (0x88, 1001), "close frame")
        server.ended(DEADLINE)


@check("shutdown several servers one after the other on one port")
def port_is_free():
    with Server(SHOWCASE, THREADS) as server:
        port = server.base.rsplit(":", 1)[1]
        peer = Peer(server.base)
        peer.send(request("GET", "/plaintext"))
        peer.answer()
        server.tell(signal.SIGTERM)
        server.ended(3)
    again = subprocess.Popen([SHOWCASE, "--listen", f"127.0.0.1:{port}", "--threads", THREADS], stdout=subprocess.PIPE, text=True)
    try:
        assert port in again.stdout.readline(), "it does not listen again"
    finally:
        again.send_signal(signal.SIGINT)
        equal(again.wait(5), 0, "exit status")


@check("shutdown a wrong command line says so")
def wrong_arguments():
    for wrong in (["--listen", "nowhere"], ["--threads", "none"], ["--threads", "0"], ["--frobnicate"]):
        ended = subprocess.run([SHOWCASE, *wrong], capture_output=True, text=True, timeout=5)
        assert ended.returncode > 0 and ended.stderr.strip(), f"{wrong}: {ended.returncode}"
        assert "panicked" not in ended.stderr, ended.stderr
    with socket.create_server(("127.0.0.1", 0)) as held:
        taken = f"127.0.0.1:{held.getsockname()[1]}"
        ended = subprocess.run([SHOWCASE, "--listen", taken], capture_output=True, text=True, timeout=5)
        assert ended.returncode > 0 and ended.stderr.strip(), "a port that is taken"
        assert "panicked" not in ended.stderr, ended.stderr


finish()
