#!/usr/bin/env python3
"""WebSocket with websockets (threads and asyncio), websocket-client and bare sockets.

usage: websocket_clients.py http://HOST:PORT

The chat counts its clients, so nobody else may use the server meanwhile.
"""

import asyncio
import datetime
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid

import requests
import websocket
import websockets.asyncio.client
import websockets.sync.client
from websockets.exceptions import InvalidStatus

from checks import AT_ONCE, PATIENCE, check, equal, eventually, finish
from wire import Peer, request

BASE = sys.argv[1].rstrip("/")
WS = "ws" + BASE[len("http") :]
ECHO = WS + "/ws/echo"
CHAT = WS + "/ws/chat"
MIB = 1 << 20
TEXTS = ["", "a", "Hello, World!", "Grüße, 世界 🦀", "\x00\x7f", "x" * 125, "x" * 126, "é" * 32768, "x" * 65536]


def connect(url, **options):
    patient = {"open_timeout": PATIENCE, "close_timeout": PATIENCE, "ping_interval": None}
    return websockets.sync.client.connect(url, **{**patient, **options})


def connect_async(url, **options):
    patient = {"open_timeout": PATIENCE, "close_timeout": PATIENCE, "ping_interval": None}
    return websockets.asyncio.client.connect(url, **{**patient, **options})


def payloads():
    yield from (os.urandom(size) for size in (0, 1, 125, 126, 65535, 65536, 200_001, MIB))


# Echo.


@check("websocket websockets, text")
def text():
    with connect(ECHO, max_size=None) as peer:
        for message in TEXTS + ["y" * MIB]:
            peer.send(message)
            equal(peer.recv(timeout=PATIENCE), message)


@check("websocket websockets, compressed with every parameter")
def compressed():
    from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

    messages = [json.dumps({"n": n, "items": [n * k for k in range(size)]}) for n, size in enumerate([0, 9, 99, 2000] * 3)]
    for options in (
        {},
        {"server_no_context_takeover": True},
        {"client_no_context_takeover": True, "client_max_window_bits": 9},
        {"server_max_window_bits": 9, "client_max_window_bits": True},
        {"server_max_window_bits": 12, "client_max_window_bits": 12, "server_no_context_takeover": True},
    ):
        factory = ClientPerMessageDeflateFactory(**options)
        with connect(ECHO, max_size=None, compression=None, extensions=[factory]) as peer:
            equal([it.name for it in peer.protocol.extensions], ["permessage-deflate"], str(options))
            for message in messages:
                peer.send(message)
                equal(peer.recv(timeout=PATIENCE), message)


@check("websocket aiohttp, compressed with every window")
def aiohttp_compressed():
    import aiohttp

    messages = [json.dumps({"n": n, "items": [n * k for k in range(size)]}) for n, size in enumerate([0, 9, 99, 2000] * 3)]

    async def echo():
        async with aiohttp.ClientSession() as session:
            for bits in (9, 12, 15):
                async with session.ws_connect(ECHO, compress=bits, max_msg_size=0, timeout=PATIENCE) as peer:
                    assert peer.compress, "nothing was agreed on"
                    for message in messages:
                        await peer.send_str(message)
                        equal(await peer.receive_str(timeout=PATIENCE), message)
                    await peer.send_bytes(bytes(100_000))
                    equal(await peer.receive_bytes(timeout=PATIENCE), bytes(100_000))

    asyncio.run(echo())


@check("websocket websockets, binary")
def binary():
    with connect(ECHO, max_size=None) as peer:
        for message in payloads():
            peer.send(message)
            equal(peer.recv(timeout=PATIENCE), message)


@check("websocket websockets, fragmented sends")
def fragmented():
    with connect(ECHO, max_size=None) as peer:
        for parts in (["a", "b"], ["", "Grü", "", "ße", ""], ["x" * 70_000] * 5, [os.urandom(9)] * 300, [b"", b""]):
            peer.send(iter(parts))
            equal(peer.recv(timeout=PATIENCE), type(parts[0])().join(parts))


@check("websocket websockets, pings between messages")
def pings():
    with connect(ECHO) as peer:
        for payload in (b"", b"x", b"p" * 125):
            assert peer.ping(payload).wait(PATIENCE), "no pong"
            peer.send("still here")
            equal(peer.recv(timeout=PATIENCE), "still here")


@check("websocket websockets, a thousand messages before the first read")
def batch():
    with connect(ECHO) as peer:
        messages = [f"message {count}" * (count % 7 + 1) for count in range(1000)]
        for message in messages:
            peer.send(message)
        equal([peer.recv(timeout=PATIENCE) for _ in messages], messages)


@check("websocket websockets, the close code comes back")
def close_codes():
    for code, reason in ((1000, ""), (1000, "done"), (1001, "away"), (1011, ""), (3000, "Grüße"), (4999, "r" * 123)):
        peer = connect(ECHO)
        peer.close(code, reason)
        equal(peer.close_code, code)


@check("websocket websockets, compression that was offered does no harm")
def offered_compression():
    with connect(ECHO, compression="deflate") as peer:
        for message in ("a" * 10_000, "", "b"):
            peer.send(message)
            equal(peer.recv(timeout=PATIENCE), message)


@check("websocket websockets, an unknown subprotocol is not chosen")
def subprotocol():
    with connect(ECHO, subprotocols=["nobody.speaks.this"]) as peer:
        equal(peer.subprotocol, None)


@check("websocket websockets, 50 asyncio clients at once")
def asyncio_clients():
    async def client(number):
        async with connect_async(ECHO, max_size=None) as peer:
            for count in range(20):
                message = os.urandom(number * 100 + count)
                await peer.send(message)
                equal(await asyncio.wait_for(peer.recv(), PATIENCE), message)
            await asyncio.wait_for(await peer.ping(), PATIENCE)

    async def many():
        await asyncio.gather(*(client(number) for number in range(50)))

    asyncio.run(many())


@check("websocket websockets, asyncio fragments and close")
def asyncio_fragments():
    async def run():
        peer = await connect_async(ECHO)
        await peer.send(part for part in ("one, ", "two, ", "three"))
        equal(await asyncio.wait_for(peer.recv(), PATIENCE), "one, two, three")
        await peer.close(4000, "enough")
        equal(peer.close_code, 4000)

    asyncio.run(run())


@check("websocket websocket-client, every kind of frame")
def websocket_client():
    peer = websocket.create_connection(ECHO, timeout=PATIENCE)
    for message in TEXTS:
        peer.send(message)
        equal(peer.recv(), message)
    for message in payloads():
        peer.send_binary(message)
        equal(peer.recv(), message)
    peer.ping("are you there")
    opcode, data = peer.recv_data(control_frame=True)
    equal((opcode, bytes(data)), (websocket.ABNF.OPCODE_PONG, b"are you there"))
    peer.pong("nobody asked")
    for fin, opcode, part in ((0, 0x1, "in "), (0, 0x0, "three "), (1, 0x0, "parts")):
        peer.send_frame(websocket.ABNF(fin=fin, opcode=opcode, mask_value=1, data=part.encode()))
        if not fin:
            peer.ping("inside")
            opcode, data = peer.recv_data(control_frame=True)
            equal((opcode, bytes(data)), (websocket.ABNF.OPCODE_PONG, b"inside"))
    equal(peer.recv(), "in three parts")
    peer.send_close(3333, b"bye")
    opcode, data = peer.recv_data(control_frame=True)
    equal((opcode, struct.unpack("!H", data[:2])[0]), (websocket.ABNF.OPCODE_CLOSE, 3333))
    peer.shutdown()


@check("websocket websocket-client, WebSocketApp")
def websocket_app():
    seen = []

    def opened(app):
        app.send("first")

    def message(app, data):
        seen.append(data)
        app.send("second") if len(seen) == 1 else app.close()

    app = websocket.WebSocketApp(ECHO, on_open=opened, on_message=message, on_error=lambda _, error: seen.append(error))
    runner = threading.Thread(target=app.run_forever, kwargs={"ping_interval": PATIENCE, "ping_timeout": PATIENCE / 2}, daemon=True)
    runner.start()
    runner.join(PATIENCE)
    assert not runner.is_alive(), "did not end"
    equal(seen, ["first", "second"])


# Handshakes.

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
OPENING = ["Connection: keep-alive, Upgrade", "Upgrade: WebSocket"]
VERSION = "Sec-WebSocket-Version: 13"


@check("websocket the accept value is the standard's own example")
def accept_value():
    with Peer(BASE) as peer:
        peer.send(request("GET", "/ws/echo", *OPENING, KEY, VERSION))
        answer = peer.head()
        equal((answer.status, answer.field("sec-websocket-accept")), (101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        equal((answer.field("upgrade") or "").lower(), "websocket")
        assert "upgrade" in (answer.field("connection") or "").lower(), answer.fields
        equal(answer.field("content-length"), None)


@check("websocket another version gets 426 and the version spoken")
def other_version():
    for version in ("8", "12", "14", "0"):
        with Peer(BASE) as peer:
            peer.send(request("GET", "/ws/echo", *OPENING, KEY, f"Sec-WebSocket-Version: {version}"))
            answer = peer.answer()
            equal((answer.status, answer.field("sec-websocket-version")), (426, "13"))


@check("websocket a missing or malformed key gets 400")
def bad_key():
    for key in ([], ["Sec-WebSocket-Key: "], ["Sec-WebSocket-Key: c2hvcnQ="], ["Sec-WebSocket-Key: not*base64*at*all*here=="], [KEY, KEY]):
        with Peer(BASE) as peer:
            peer.send(request("GET", "/ws/echo", *OPENING, *key, VERSION))
            equal(peer.answer().status, 400, str(key))


@check("websocket a plain GET of the route is refused")
def plain_get():
    answer = requests.get(BASE + "/ws/echo")
    assert answer.status_code in (400, 426), answer.status_code


@check("websocket an upgrade elsewhere is no WebSocket")
def no_such_route():
    for path, wanted in (("/nothing-here", 404), ("/ws/nothing", 404)):
        try:
            connect(WS + path).close()
        except InvalidStatus as refusal:
            equal(refusal.response.status_code, wanted, path)
        else:
            raise AssertionError(f"{path} was upgraded")


def frame(opcode, payload=b"", fin=True, masked=True, reserved=0, announced=None):
    """One client frame, or what a bad client takes for one."""
    length = len(payload) if announced is None else announced
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    mask_bit = 0x80 if masked else 0
    if length < 126:
        head += bytes([mask_bit | length])
    elif length < 65536:
        head += struct.pack("!BH", mask_bit | 126, length)
    else:
        head += struct.pack("!BQ", mask_bit | 127, length)
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


def opened(route="/ws/echo", more=b""):
    peer = Peer(BASE)
    peer.send(request("GET", route, *OPENING, KEY, VERSION) + more)
    equal(peer.head().status, 101)
    return peer


def receive(peer):
    """The next server frame: opcode and payload."""
    first, second = peer.take(2)
    assert first & 0x70 == 0 and second & 0x80 == 0, f"frame starts with {first:#x} {second:#x}"
    length = second
    if second == 126:
        length = struct.unpack("!H", peer.take(2))[0]
    elif second == 127:
        length = struct.unpack("!Q", peer.take(8))[0]
    return first & 0x0F, peer.take(length)


@check("websocket frames in the segment of the handshake are not lost")
def early_frames():
    with opened(more=frame(1, b"early") + frame(2, b"bird")) as peer:
        equal([receive(peer), receive(peer)], [(1, b"early"), (2, b"bird")])


@check("websocket frames that arrive byte by byte")
def frame_bytes():
    with opened() as peer:
        peer.trickle(frame(1, "Grü".encode(), fin=False) + frame(9, b"now") + frame(0, "ße".encode()))
        equal([receive(peer), receive(peer)], [(10, b"now"), (1, "Grüße".encode())])


FAULTS = [
    ("an unmasked frame", 1002, frame(1, b"bare", masked=False)),
    ("a reserved opcode", 1002, frame(3, b"x")),
    ("a reserved bit", 1002, frame(1, b"x", reserved=4)),
    ("a fragmented ping", 1002, frame(9, b"x", fin=False)),
    ("a long ping", 1002, frame(9, b"x" * 126)),
    ("a continuation of nothing", 1002, frame(0, b"x")),
    ("a message inside a message", 1002, frame(1, b"a", fin=False) + frame(1, b"b")),
    ("a length that is not minimal", 1002, b"\x81\xfe\x00\x05" + bytes(4) + b"hello"),
    ("a length with the top bit", 1002, b"\x82\xff\x80" + bytes(7) + bytes(4)),
    ("text that is not UTF-8", 1007, frame(1, b"\xc3\x28")),
    ("text that cannot become UTF-8, unfinished", 1007, frame(1, b"ok \xff", fin=False)),
    ("text that cannot become UTF-8, in an unfinished frame", 1007, frame(1, b"ok \xff", announced=1000)),
    ("a close reason that is not UTF-8", 1007, frame(8, struct.pack("!H", 1000) + b"\xff")),
    ("a close of one byte", 1002, frame(8, b"x")),
    ("a close code that is never sent", 1002, frame(8, struct.pack("!H", 1005))),
    ("an announced length over every limit", 1009, frame(2, b"", announced=1 << 40)),
]


def fault(name, code, data):
    @check(f"websocket {name} closes with {code}")
    def run():
        with opened(more=frame(1, b"before")) as peer:
            peer.send(data)
            equal(receive(peer), (1, b"before"), "the reply already owed")
            opcode, payload = receive(peer)
            equal((opcode, struct.unpack("!H", payload[:2])[0]), (8, code))
            assert peer.is_closed(), "still open"


for entry in FAULTS:
    fault(*entry)


@check("websocket a close without a code is answered without one")
def bare_close():
    with opened() as peer:
        peer.send(frame(8))
        equal(receive(peer), (8, b""))
        assert peer.is_closed(), "still open"


@check("websocket a peer that does not read holds up nobody")
def deaf_peer():
    with opened() as deaf:
        deaf.socket.settimeout(0.5)
        data = frame(2, bytes(60_000))
        sent = 0
        try:
            while sent < 200 * MIB:
                deaf.send(data)
                sent += len(data)
        except OSError:
            pass
        assert sent < 200 * MIB, "its echoes are kept without a bound"
        with connect(ECHO) as peer:
            for _ in range(50):
                peer.send("quick")
                equal(peer.recv(timeout=PATIENCE), "quick")


# Chat.


def instant(text, since):
    """An RFC 3339 timestamp of between `since` and now."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text), text
    digits = re.sub(r"\.\d+", "", text).replace("Z", "+00:00")
    stamp = datetime.datetime.fromisoformat(digits)
    assert since - 2 < stamp.timestamp() < time.time() + 2, text


class Chatter:
    """One chat client; `with` closes it."""

    def __init__(self):
        self.since = time.time()
        self.peer = connect(CHAT)
        self.welcome = self.next()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.peer.close()

    def send(self, kind, **payload):
        self.peer.send(json.dumps({"type": kind, "payload": payload}))

    def next(self, timeout=PATIENCE):
        message = json.loads(self.peer.recv(timeout=timeout))
        equal(sorted(message), ["payload", "type"], "keys of a message")
        return message["type"], message["payload"]

    def join(self, room):
        self.send("room", action="join", room=room)
        self.ping()

    def leave(self, room):
        self.send("room", action="leave", room=room)

    def say(self, message, **room):
        self.send("chat", message=message, **room)

    def ping(self):
        """Everything received before the pong, which is asked for and checked."""
        self.send("system", command="ping")
        before = []
        while True:
            kind, payload = self.next()
            if kind == "system" and payload["command"] == "pong":
                instant(payload["timestamp"], self.since)
                return before
            before.append((kind, payload))

    def stats(self):
        self.send("system", command="get_stats")
        while True:
            kind, payload = self.next()
            if kind == "system" and payload["command"] == "stats":
                data = payload["data"]
                equal(len(data["rooms"]), data["total_rooms"], "total_rooms")
                return data

    def system(self, command, room, timeout=PATIENCE):
        kind, payload = self.next(timeout)
        equal((kind, payload.get("command"), payload.get("room")), ("system", command, room))

    def hears(self, message, room):
        kind, payload = self.next()
        equal((kind, payload.get("message"), payload.get("room")), ("chat", message, room))
        instant(payload["timestamp"], self.since)
        return payload["sender"]


def some_room():
    return f"room-{uuid.uuid4().hex[:12]}"


@check("chat welcome comes first of all")
def chat_welcome():
    with Chatter() as one:
        kind, payload = one.welcome
        equal((kind, payload["command"], payload["message"]), ("system", "welcome", "Connected to WebSocket server"))
        instant(payload["timestamp"], one.since)


@check("chat ping is answered by pong")
def chat_ping():
    with Chatter() as one:
        equal([one.ping() for _ in range(20)], [[]] * 20)


@check("chat a message goes to all in the room, sender included")
def chat_message():
    room = some_room()
    with Chatter() as one, Chatter() as two, Chatter() as stranger:
        one.join(room)
        two.join(room)
        one.system("user_joined", room)
        for words in ("Hello", 'quotes " and \\ and \n', "Grüße 🦀", "x" * 5000, "</script>"):
            one.say(words, room=room)
            senders = {one.hears(words, room), two.hears(words, room)}
            equal(len(senders), 1, "senders")
        two.say("back", room=room)
        other = {one.hears("back", room), two.hears("back", room)}
        assert other != senders, "both clients send under one name"
        equal(stranger.ping(), [], "heard outside the room")


@check("chat the default room is general")
def chat_default_room():
    words = f"to all {uuid.uuid4().hex}"
    with Chatter() as one, Chatter() as two:
        one.join("general")
        two.join("general")
        one.system("user_joined", "general")
        one.say(words)
        for chatter in (one, two):
            chatter.hears(words, "general")


@check("chat an empty message is ignored")
def chat_empty():
    room = some_room()
    with Chatter() as one:
        one.join(room)
        one.say("", room=room)
        one.say("after", room=room)
        one.hears("after", room)


@check("chat joining and leaving is told to the others")
def chat_join_leave():
    room = some_room()
    with Chatter() as one, Chatter() as two:
        one.join(room)
        equal(two.ping(), [], "told outside the room")
        two.join(room)
        one.system("user_joined", room)
        two.leave(room)
        one.system("user_left", room)
        one.say("alone", room=room)
        one.hears("alone", room)
        equal(two.ping(), [], "heard after leaving")


@check("chat a client in two rooms hears both, once each")
def chat_two_rooms():
    first, second = some_room(), some_room()
    with Chatter() as one, Chatter() as two:
        for room in (first, second):
            one.join(room)
        two.join(first)
        one.system("user_joined", first)
        two.join(second)
        one.system("user_joined", second)
        for room in (second, first):
            two.say(f"in {room}", room=room)
            one.hears(f"in {room}", room)
        equal(one.ping(), [])


@check("chat get_stats counts clients and rooms, and empty rooms are freed")
def chat_stats():
    room = some_room()
    with Chatter() as one:
        def counts(clients, what):
            eventually(lambda: one.stats()["total_clients"] == clients, what)

        counts(1, "those of the checks before have left")
        with Chatter() as two, Chatter() as three:
            two.join(room)
            three.join(room)
            counts(3, "two more clients")
            eventually(lambda: one.stats()["rooms"].get(room) == 2, "two in the room")
            three.leave(room)
            eventually(lambda: one.stats()["rooms"].get(room) == 1, "one in the room")
        counts(1, "the two are gone")
        eventually(lambda: room not in one.stats()["rooms"], "the empty room is freed")


def dies(name, die):
    @check(f"chat a client that {name} has left at once")
    def run():
        room = some_room()
        with Chatter() as one:
            one.join(room)
            other = Chatter()
            other.join(room)
            one.system("user_joined", room)
            die(other)
            one.system("user_left", room, AT_ONCE)
            equal(one.stats()["rooms"].get(room), 1)


dies("closes", lambda chatter: chatter.peer.close())
dies("shuts its socket without a close frame", lambda chatter: chatter.peer.socket.shutdown(socket.SHUT_RDWR))


@check("chat a client whose process is killed has left at once")
def chat_killed():
    room = some_room()
    program = (
        "import json, sys\n"
        "from websockets.sync.client import connect\n"
        "peer = connect(sys.argv[1])\n"
        "peer.recv()\n"
        "peer.send(json.dumps({'type': 'room', 'payload': {'action': 'join', 'room': sys.argv[2]}}))\n"
        "sys.stdin.read()\n"
    )
    with Chatter() as one:
        one.join(room)
        other = subprocess.Popen([sys.executable, "-c", program, CHAT, room], stdin=subprocess.PIPE)
        try:
            one.system("user_joined", room)
        finally:
            other.kill()
            other.wait()
        one.system("user_left", room, AT_ONCE)


@check("chat a client that resets its connection has left at once")
def chat_reset():
    room = some_room()
    with Chatter() as one:
        one.join(room)
        peer = opened("/ws/chat")
        equal(receive(peer)[0], 1)
        peer.send(frame(1, json.dumps({"type": "room", "payload": {"action": "join", "room": room}}).encode()))
        one.system("user_joined", room)
        peer.kill()
        one.system("user_left", room, AT_ONCE)


@check("chat invalid JSON gets an error and the connection stays")
def chat_invalid():
    with Chatter() as one:
        for wrong in ("{", "", "nonsense", '{"type":"chat"', '{"a":1}}', "[1,]", '"\\ud800', '{"type":"chat","payload":{"message":"\x01"}}'):
            one.peer.send(wrong)
            equal(one.next(), ("error", {"message": "Invalid JSON format"}), wrong)
            equal(one.ping(), [])


@check("chat JSON that means nothing does no harm")
def chat_meaningless():
    with Chatter() as one:
        for odd in ("[]", "1", "null", '{"type":1}', '{"type":"chat"}', '{"type":"room","payload":{"action":"fly"}}', '{"type":"chat","payload":[]}', "[" * 200 + "]" * 200):
            one.peer.send(odd)
        for kind, _ in one.ping():
            equal(kind, "error")


@check("chat hostile nesting does not end the server")
def chat_nesting():
    with Chatter() as one:
        one.peer.send("[" * 100_000)
        one.ping()
    with Chatter() as one:
        equal(one.ping(), [])


@check("chat a sender's messages keep their order across threads")
def chat_order():
    room = some_room()
    with Chatter() as one, Chatter() as two, Chatter() as three:
        for chatter in (one, two, three):
            chatter.join(room)
        one.system("user_joined", room)
        one.system("user_joined", room)
        two.system("user_joined", room)
        for count in range(300):
            one.say(str(count), room=room)
        for chatter in (one, two, three):
            equal([chatter.next()[1]["message"] for _ in range(300)], [str(count) for count in range(300)])


@check("chat 60 clients in one room")
def chat_crowd():
    # None of them reads who leaves after it, so that their library waits for the close in vain.
    room = some_room()

    async def client(joined):
        async with connect_async(CHAT, close_timeout=1) as peer:
            await peer.recv()
            await peer.send(json.dumps({"type": "room", "payload": {"action": "join", "room": room}}))
            await peer.send(json.dumps({"type": "system", "payload": {"command": "ping"}}))
            heard = []
            while True:
                message = json.loads(await asyncio.wait_for(peer.recv(), PATIENCE))
                if message["payload"].get("command") == "pong":
                    joined.release()
                elif message["type"] == "chat":
                    heard.append(message["payload"]["message"])
                    if heard[-1] == "end":
                        return heard

    async def run():
        joined = asyncio.Semaphore(0)
        clients = [asyncio.create_task(client(joined)) for _ in range(60)]
        for _ in clients:
            await asyncio.wait_for(joined.acquire(), PATIENCE)
        async with connect_async(CHAT, close_timeout=1) as peer:
            await peer.send(json.dumps({"type": "room", "payload": {"action": "join", "room": room}}))
            for words in ("one", "two", "end"):
                await peer.send(json.dumps({"type": "chat", "payload": {"message": words, "room": room}}))
            for heard in await asyncio.gather(*clients):
                equal(heard, ["one", "two", "end"])

    asyncio.run(run())


finish()
