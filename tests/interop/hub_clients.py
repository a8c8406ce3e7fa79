#!/usr/bin/env python3
"""The envelope on /ws/hub with websockets (threads), and its event streams with requests.

usage: hub_clients.py http://HOST:PORT
"""

import base64
import json
import sys
import uuid

import requests
import websockets.sync.client

from checks import PATIENCE, check, equal, eventually, finish

BASE = sys.argv[1].rstrip("/")
HUB = "ws" + BASE[len("http") :] + "/ws/hub"


class Client:
    def __init__(self):
        self.peer = websockets.sync.client.connect(
            HUB, open_timeout=PATIENCE, close_timeout=PATIENCE, ping_interval=None
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.peer.close()

    def send(self, payload, kind="text"):
        name = str(uuid.uuid4())
        message = {"message_id": name, "message_type": kind, "payload": payload, "timestamp": 0.5, "sender_id": "x"}
        self.peer.send(json.dumps(message))
        return name

    def next(self):
        return json.loads(self.peer.recv(timeout=PATIENCE))

    def ask(self, kind, **members):
        name = self.send({"type": kind, **members})
        answer = self.next()
        equal(answer["message_type"], "text")
        equal(answer["sender_id"], None)
        equal(answer["payload"]["in_reply_to"], name)
        return answer["payload"]

    def subscribe(self, channel, **since):
        answer = self.ask("subscribe", channel=channel, **since)
        equal(answer["type"], "subscribed", str(answer))
        return answer


def fresh():
    return f"python {uuid.uuid4()}"


@check("hub websockets, a broadcast goes to the others with its data as given")
def broadcast():
    channel = fresh()
    with Client() as one, Client() as two, Client() as other:
        sender = one.subscribe(channel)["connection_id"]
        two.subscribe(channel)
        other.subscribe(channel + "!")
        for offset, data in enumerate([None, 0, False, "", [], {"type": "subscribe"}, "Grüße 🦀", 1.5, 10**30], 1):
            published = one.ask("broadcast", channel=channel, data=data)
            equal((published["type"], published["offset"]), ("published", offset))
            message = two.next()
            equal((message["payload"], type(message["payload"])), (data, type(data)))
            equal((message["message_type"], message["channel"], message["sender_id"]), ("text", channel, sender))
            equal((message["offset"], message["epoch"]), (offset, published["epoch"]))
            assert isinstance(message["timestamp"], float) and uuid.UUID(message["message_id"])
        # Also where the channel stands inside of data.
        one.send({"type": "broadcast", "data": {"channel": channel, "data": 7}})
        equal(two.next()["payload"], 7)
        equal(one.next()["payload"]["type"], "published")
        for client in (one, two, other):
            client.send(None, "ping")
            pong = client.next()
            equal((pong["message_type"], pong["payload"]), ("pong", "pong"))


@check("hub websockets, who was away misses nothing")
def away():
    channel = fresh()
    with Client() as writer:
        with Client() as reader:
            reader.subscribe(channel)
            writer.ask("broadcast", channel=channel, data="before")
            equal(reader.next()["payload"], "before")
            own = reader.ask("broadcast", channel=channel, data="own")
        for text in "abc":
            writer.ask("broadcast", channel=channel, data=text)
        with Client() as reader:
            answer = reader.subscribe(channel, epoch=own["epoch"], offset=own["offset"])
            equal((answer["recovered"], answer["offset"]), (True, 5))
            equal([reader.next()["payload"] for _ in "abc"], ["a", "b", "c"])
            writer.ask("broadcast", channel=channel, data="new")
            equal(reader.next()["payload"], "new")
        for since in ({"epoch": "0" * 16, "offset": 1}, {"epoch": own["epoch"], "offset": 99}, {"offset": "x"}):
            with Client() as reader:
                equal(reader.subscribe(channel, **since)["recovered"], False, str(since))


@check("hub websockets, errors leave the connection")
def errors():
    with Client() as client:
        for text, code in (("{", "bad_json"), ("[]", "bad_envelope"), ('{"message_type":"x"}', "unknown_type")):
            client.peer.send(text)
            equal(client.next()["payload"]["code"], code)
        for request, code in (
            ({"type": "x"}, "unknown_type"),
            ({"type": "subscribe"}, "missing_channel"),
            ({"type": "subscribe", "channel": ""}, "bad_channel"),
            ({"type": "subscribe", "channel": "x" * 999}, "bad_channel"),
            ({"type": "broadcast", "channel": "x", "data": "x" * 70000}, "too_large"),
        ):
            name = client.send(request)
            answer = client.next()["payload"]
            equal((answer["type"], answer["code"], answer["in_reply_to"]), ("error", code, name))
        equal(client.ask("unsubscribe", channel="never")["type"], "unsubscribed")
        client.send(base64.b64encode(b"\x00\xff").decode(), "binary")
        answer = client.next()
        equal((answer["message_type"], answer["payload"]), ("binary", "AP8="))
        client.send(None, "close")
        eventually(lambda: client.peer.protocol.close_rcvd or not pump(client), "the server closes")
        equal(client.peer.protocol.close_rcvd.code, 1000)


def pump(client):
    try:
        client.peer.recv(timeout=0.1)
    except (TimeoutError, websockets.exceptions.ConnectionClosed):
        pass
    return True


@check("hub requests, an event stream of a channel, and a publication by HTTP")
def events():
    channel = fresh()

    def stream(**fields):
        url, patience = f"{BASE}/sse/hub", (PATIENCE, PATIENCE)
        response = requests.get(url, params={"channel": channel}, headers=fields, stream=True, timeout=patience)
        equal(response.status_code, 200)
        return response, response.iter_lines(decode_unicode=True)

    def until(lines, wanted):
        last = ""
        for line in lines:
            last = line if line.startswith("id:") else last
            if line == wanted:
                return last[3:].strip()
        raise AssertionError(f"no {wanted}")

    response, lines = stream()
    for value in (1, 2, 3):
        place = requests.post(f"{BASE}/hub/{channel}", json={"a": value}, timeout=PATIENCE).json()
        equal(place["offset"], value)
    last = until(lines, 'data: {"a":1}')
    response.close()
    response, lines = stream(**{"Last-Event-ID": last})
    until(lines, 'data: {"recovered":true}')
    until(lines, 'data: {"a":2}')
    until(lines, 'data: {"a":3}')
    response.close()
    equal(requests.get(f"{BASE}/sse/hub", timeout=PATIENCE).status_code, 400)
    text = requests.get(f"{BASE}/metrics/hub", timeout=PATIENCE).text
    assert "barewire_hub_connections_total" in text, text


finish()
