#!/usr/bin/env python3
"""What clients cannot make the showcase do: hold memory without a bound, or stop.

usage: pressure.py SHOWCASE THREADS

Starts its own servers, because it weighs them.
"""

import json
import os
import socket
import struct
import sys
import threading
import time

import requests
from websockets.sync.client import connect

from checks import AT_ONCE, PATIENCE, check, equal, eventually, finish
from showcase import Server
from wire import Peer, request

SHOWCASE, THREADS = sys.argv[1], sys.argv[2]
MIB = 1 << 20
PEERS = 60
OPENING = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)


def weighed(name, most, seconds=200):
    """Registers a check that is given a server, which may grow by `most` bytes meanwhile."""

    def register(function):
        @check(f"pressure {name}", seconds)
        def run():
            with Server(SHOWCASE, THREADS) as server:
                for _ in range(20):
                    requests.get(server.base + "/bytes/100000")
                before = server.memory()
                peers, peak, done = [], [before], threading.Event()

                def weigh():
                    while not done.wait(0.02):
                        peak[0] = max(peak[0], server.memory())

                scale = threading.Thread(target=weigh, daemon=True)
                scale.start()
                try:
                    function(server, peers)
                    time.sleep(0.5)
                    # Nobody has to wait until a deadline ends the others.
                    equal(requests.get(server.base + "/plaintext", timeout=AT_ONCE).content, b"Hello, World!")
                finally:
                    done.set()
                    scale.join()
                grown = peak[0] - before
                assert grown <= most, f"it grew by {grown / MIB:.1f} MiB, more than {most / MIB:.0f}"
                for peer in peers:
                    peer.socket.close()

    return register


def deaf(server, peers):
    """Another connection that reads nothing, with a small window."""
    peer = Peer(server.base)
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peers.append(peer)
    return peer


def send_all(peer, data, seconds=0.5):
    """As much of `data` as is taken; true if that is all of it."""
    peer.socket.settimeout(seconds)
    try:
        peer.send(data)
    except OSError:
        return False
    return True


@weighed("pipelined requests for large bodies, never read", 3 * PEERS * MIB)
def pipelined(server, peers):
    for _ in range(PEERS):
        send_all(deaf(server, peers), request("GET", "/bytes/5000000") * 200)


@weighed("pipelined requests for small bodies, never read", 3 * PEERS * MIB)
def small(server, peers):
    for _ in range(PEERS):
        send_all(deaf(server, peers), request("GET", "/bytes/1000") * 5000, 0.2)


@weighed("announced bodies that never come", 16 * MIB)
def announced(server, peers):
    for _ in range(PEERS):
        peer = deaf(server, peers)
        peer.send(request("POST", "/echo", f"Content-Length: {16 * MIB}") + b"x")


@weighed("announced chunks that never come", 16 * MIB)
def announced_chunks(server, peers):
    for _ in range(PEERS):
        peer = deaf(server, peers)
        peer.send(request("POST", "/echo", "Transfer-Encoding: chunked") + b"ffffff\r\nx")


@weighed("announced messages that never come", 16 * MIB)
def announced_messages(server, peers):
    for _ in range(PEERS):
        peer = deaf(server, peers)
        peer.send(request("GET", "/ws/echo", *OPENING) + b"\x82\xff" + struct.pack("!Q", MIB) + b"mask" + b"x")


@weighed("a message in pieces that never ends, with pings", 8 * MIB)
def endless(server, peers):
    peer = deaf(server, peers)
    peer.send(request("GET", "/ws/echo", *OPENING) + b"\x01\x80mask")
    reader = threading.Thread(target=lambda: [None for _ in iter(lambda: peer.socket.recv(65536), b"")], daemon=True)
    reader.start()
    pings = (b"\x89\xfdmask" + b"x" * 125 + b"\x00\x80mask") * 500
    for _ in range(200):
        if not send_all(peer, pings, PATIENCE):
            break


@weighed("echoes that are never read", 3 * PEERS * MIB)
def echoes(server, peers):
    message = b"\x82\xfe" + struct.pack("!H", 60_000) + b"mask" + os.urandom(60_000)
    for _ in range(PEERS):
        peer = deaf(server, peers)
        peer.send(request("GET", "/ws/echo", *OPENING))
        assert not send_all(peer, message * 700, 0.3), "40 MiB were taken and are held somewhere"


@weighed("a member of a room that never reads", 64 * MIB)
def room(server, peers):
    join = json.dumps({"type": "room", "payload": {"action": "join", "room": "r"}})
    payload = join.encode()
    for _ in range(20):
        peer = deaf(server, peers)
        peer.send(request("GET", "/ws/chat", *OPENING) + bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload)
    with connect("ws" + server.base[4:] + "/ws/chat", open_timeout=PATIENCE, ping_interval=None) as speaker:
        speaker.recv(timeout=PATIENCE)
        speaker.send(join)
        message = json.dumps({"type": "chat", "payload": {"room": "r", "message": "x" * 50_000}})
        heard = 0
        for _ in range(300):
            speaker.send(message)
            while json.loads(speaker.recv(timeout=PATIENCE))["type"] != "chat":
                pass
            heard += 1
        equal(heard, 300)


@weighed("heads that never end", 16 * MIB)
def heads(server, peers):
    for _ in range(PEERS):
        peer = deaf(server, peers)
        send_all(peer, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 50 + b"X: " + b"y" * 12_000)


@weighed("connections that say nothing", 16 * MIB)
def silent(server, peers):
    for _ in range(300):
        try:
            peers.append(Peer(server.base))
        except OSError:
            break


@check("pressure connections that come and go leave nothing behind", 400)
def churn():
    with Server(SHOWCASE, THREADS) as server:

        def some(count):
            for number in range(count):
                with Peer(server.base) as peer:
                    if number % 3 == 0:
                        peer.send(request("GET", "/plaintext"))
                        peer.answer()
                    elif number % 3 == 1:
                        peer.send(request("GET", "/ws/echo", *OPENING))
                        peer.head()
                        peer.kill()
                    else:
                        peer.send(b"GET /")

        some(1000)
        before = server.memory()
        some(6000)
        equal(requests.get(server.base + "/plaintext").content, b"Hello, World!")
        eventually(lambda: len(os.listdir(f"/proc/{server.process.pid}/fd")) < 60, "fewer than 60 files are open", AT_ONCE)
        grown = server.memory() - before
        assert grown < 8 * MIB, f"it grew by {grown / MIB:.1f} MiB"


finish()
