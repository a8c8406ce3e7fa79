#!/usr/bin/env python3
"""A member of a channel on /ws/hub that says all it sees, with websockets (threads).

usage: hub_member.py URL CHANNEL NAME [OTHERS]

Lines of its input are commands:
  go N             publish until there are N publications of its own
  away             leave, without a word
  come URL         come back, here
  end              say "end", and end
Lines of its output are arrays of JSON; `data` is "NAME NUMBER":
  ["joined", epoch, offset, recovered]  ["seen", epoch, offset, data]
  ["published", epoch, offset, data]    ["refused", code, data]
  ["lost", data of what was not answered]

With OTHERS, names joined by commas, it is never more than WINDOW publications ahead of any
of them. Otherwise it waits for each answer.
"""

import json
import os
import socket
import sys
import threading
import time

import websockets.sync.client
from websockets.exceptions import ConnectionClosed

WINDOW = 100
PATIENCE = 60


class Member:
    def __init__(self, url, channel, name, others):
        self.url, self.channel, self.name = url, channel, name
        self.heard = dict.fromkeys(others, 0)
        self.quota = self.number = 0
        self.since = {}
        self.asked = {}
        self.is_away = self.is_over = False
        self.written = []

    def say(self, *what):
        self.written.append(json.dumps(what, ensure_ascii=False, separators=(",", ":")))
        if len(self.written) > 200:
            self.flush()

    def flush(self):
        if self.written:
            sys.stdout.write("\n".join(self.written) + "\n")
            sys.stdout.flush()
            self.written.clear()

    def listen(self):
        for line in sys.stdin:
            match line.split():
                case ["go", number]:
                    self.quota = int(number)
                case ["away"]:
                    self.is_away = True
                case ["come", url]:
                    self.url, self.is_away = url, False
                case ["end"]:
                    break
        self.is_over = True

    def run(self):
        threading.Thread(target=self.listen, daemon=True).start()
        while not self.is_over:
            if self.is_away:
                time.sleep(0.02)
                continue
            try:
                self.visit()
            except (OSError, ConnectionClosed, TimeoutError, websockets.exceptions.InvalidHandshake):
                pass
            if self.asked or not self.is_over:
                self.say("lost", list(self.asked.values()))
            self.asked.clear()
            self.flush()
            time.sleep(0.05)
        self.say("end")
        self.flush()

    def visit(self):
        url = self.url
        with websockets.sync.client.connect(
            url, open_timeout=PATIENCE, close_timeout=1, ping_interval=None, compression=None, proxy=None, max_queue=None
        ) as peer:
            try:
                self.attend(peer, url)
            finally:
                # Without a closing handshake, as somebody whose machine is gone.
                peer.socket.shutdown(socket.SHUT_RDWR)

    def attend(self, peer, url):
        self.send(peer, "subscribe", {"type": "subscribe", "channel": self.channel, **self.since})
        is_member = False
        while not (self.is_over or self.is_away or self.url != url):
            try:
                text = peer.recv(timeout=0 if self.may_publish() and is_member else 0.02)
                is_member = self.take(json.loads(text)) or is_member
            except TimeoutError:
                self.flush()
            if is_member:
                self.publish(peer)

    def may_publish(self):
        if self.heard:
            pace = min(self.heard.values()) + WINDOW
            return self.number < min(self.quota, pace) and len(self.asked) < WINDOW
        return self.number < self.quota and not self.asked

    def publish(self, peer):
        while self.may_publish():
            self.number += 1
            data = f"{self.name} {self.number}"
            self.asked[str(self.number)] = data
            self.send(peer, str(self.number), {"type": "broadcast", "channel": self.channel, "data": data})

    def send(self, peer, name, payload):
        peer.send(json.dumps({"message_id": name, "message_type": "text", "payload": payload}))

    def take(self, message):
        payload = message["payload"]
        if message.get("channel") is not None:
            self.move(message)
            self.say("seen", message.get("epoch"), message.get("offset"), payload)
            who, _, number = payload.partition(" ")
            if who in self.heard:
                self.heard[who] = int(number)
            return False
        kind, asked = payload["type"], payload.get("in_reply_to")
        if kind == "subscribed":
            self.say("joined", payload.get("epoch"), payload.get("offset"), payload["recovered"])
            # What was missed follows, and is counted as it comes.
            if payload["recovered"] is not True:
                self.since = {}
                self.move(payload)
            return True
        if kind == "published":
            self.move(payload)
            self.say("published", payload.get("epoch"), payload.get("offset"), self.asked.pop(asked))
        elif asked == "subscribe":
            # Not now: once more, on a new connection.
            self.say("refused", payload["code"], None)
            raise OSError(payload["code"])
        else:
            self.say("refused", payload["code"], self.asked.pop(asked, None))
            self.flush()
            time.sleep(0.05)
        return False

    def move(self, place):
        epoch, offset = place.get("epoch"), place.get("offset")
        if epoch is None:
            return
        if self.since.get("epoch") != epoch or self.since["offset"] < offset:
            self.since = {"epoch": epoch, "offset": offset}


if __name__ == "__main__":
    url, channel, name, *others = sys.argv[1:]
    Member(url, channel, name, [it for it in ",".join(others).split(",") if it]).run()
    os._exit(0)
