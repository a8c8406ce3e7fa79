#!/usr/bin/env python3
"""Stock clients against the programs of the guide, and the last of them as it is deployed:
behind nginx and haproxy, one of two servers stopped under load.

usage: guide.py PROGRAMS     the folder with 01_hello and all others
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import grpc
import httpx
import requests
import sseclient
import websockets
from websockets.sync.client import connect

from checks import PATIENCE, check, equal, eventually, finish

PROGRAMS = Path(sys.argv[1])
DEPLOYMENT = Path(__file__).resolve().parents[2] / "examples/guide/deployment"


class Program:
    """A program that runs until the block ends. `base` is what its first line says."""

    def __init__(self, *command, says=True, **environment):
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE if says else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **environment},
            text=True,
        )
        self.base = self.process.stdout.readline().strip() if says else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def chapter(name, **environment):
    return Program(PROGRAMS / name, "127.0.0.1:0", **environment)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@check("guide: hello by requests and httpx, also over HTTP/2")
def hello():
    with chapter("01_hello") as it:
        equal(requests.get(f"{it.base}/hello/Ann?greeting=Good+day", timeout=PATIENCE).text, "Good day, Ann!")
        echo = requests.post(f"{it.base}/echo", data="a,b", headers={"Content-Type": "text/csv"}, timeout=PATIENCE)
        equal((echo.text, echo.headers["content-type"]), ("a,b", "text/csv"))
        with httpx.Client(http1=False, http2=True) as client:
            answer = client.get(f"{it.base}/")
            equal((answer.http_version, answer.text), ("HTTP/2", "Hello, World!"))


@check("guide: notes with a key by httpx")
def state():
    with chapter("02_state") as it, httpx.Client(base_url=it.base) as client:
        equal(client.post("/mine/notes", content="tea").status_code, 401)
        equal(client.post("/mine/notes", content="tea", headers={"X-Api-Key": "4711"}).status_code, 201)
        equal(client.get("/notes").json(), ["Ann: tea"])


@check("guide: twenty slow requests at a time by httpx")
def blocking():
    async def ask(base):
        async with httpx.AsyncClient(base_url=base, timeout=PATIENCE) as client:
            answers = await asyncio.gather(*(client.get("/users/7") for _ in range(20)), client.get("/prices/tea"))
            return [answer.text for answer in answers]

    with chapter("03_blocking") as it:
        equal(asyncio.run(ask(it.base)), ["Ann"] * 20 + ["3"])


@check("guide: a WebSocket by websockets, and the origin of its page")
def sockets():
    with chapter("04_sockets") as it:
        url = it.base.replace("http", "ws") + "/ws"
        with connect(url, origin="https://example.org") as client:
            equal(client.recv(), "hello")
            client.send("compute")
            equal(client.recv(), "500500")
        try:
            connect(url, origin="https://evil.example").close()
            raise AssertionError("a page of another origin is let in")
        except websockets.InvalidStatus as refused:
            equal(refused.response.status_code, 403)


@check("guide: a channel by websockets and sseclient, with what was missed")
def channels():
    with chapter("05_channels") as it:
        publish = lambda text: equal(requests.post(f"{it.base}/publish", data=text, timeout=PATIENCE).status_code, 202)
        with connect(it.base.replace("http", "ws") + "/ws/Ann") as ann:
            eventually(lambda: requests.get(f"{it.base}/present", timeout=PATIENCE).json() == ["Ann"], "Ann is there")
            publish("first")
            equal(ann.recv(), "first")
            with requests.get(f"{it.base}/events", stream=True, timeout=PATIENCE) as stream:
                eventually(lambda: "reader" in requests.get(f"{it.base}/present", timeout=PATIENCE).json(), "the reader")
                publish("second")
                event = next(sseclient.SSEClient(stream).events())
                equal(event.data, "second")
            publish("third")
            last = {"Last-Event-ID": event.id}
            with requests.get(f"{it.base}/events", stream=True, headers=last, timeout=PATIENCE) as stream:
                equal(next(sseclient.SSEClient(stream).events()).data, "third")


@check("guide: a service by grpcio, and by plain POST")
def services():
    # `name` is field 1; so is `message`.
    text = lambda message: message[2:].decode()
    request = b"\x0a\x03Ann\x10\x03"
    with chapter("06_grpc") as it:
        with grpc.insecure_channel(it.base[len("http://"):], [("grpc.enable_http_proxy", 0)]) as channel:
            equal(text(channel.unary_unary("/guide.Greeter/SayHello")(request, timeout=PATIENCE)), "Hello, Ann!")
            stream = channel.unary_stream("/guide.Greeter/SayHellos")(request, timeout=PATIENCE)
            equal([text(message) for message in stream], ["Hello, Ann!"] * 3)
        added = requests.post(f"{it.base}/guide.Sums/Add", json={"numbers": [1, 2.5]}, timeout=PATIENCE)
        equal(added.json(), 3.5)


@check("guide: GraphQL by httpx and sseclient")
def graphql():
    with chapter("07_graphql") as it:
        ask = lambda query: httpx.post(f"{it.base}/graphql", json={"query": query}).json()
        equal(ask("mutation { drink(cups: 2) }"), {"data": {"drink": 2}})
        equal(ask("{ cups }"), {"data": {"cups": 2}})
        query = {"query": "subscription { countdown(from: 3) }"}
        accept = {"Accept": "text/event-stream"}
        with requests.get(f"{it.base}/graphql", params=query, headers=accept, stream=True, timeout=PATIENCE) as stream:
            equal([event.event for event in sseclient.SSEClient(stream).events()], ["next"] * 3 + ["complete"])


def deployed(name, *changes):
    """A file of the guide, with the addresses of this machine in place of those that it has."""
    text = (DEPLOYMENT / name).read_text()
    for old, new in changes:
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text


def opened(port):
    def can():
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    eventually(can, f"port {port}")


@check("guide: behind nginx: addresses, WebSockets, events as they come")
def behind_nginx():
    front = free_port()
    with chapter("05_channels") as it, tempfile.TemporaryDirectory() as work:
        own = deployed("nginx.conf", ("127.0.0.1:8080", it.base[len("http://"):]), ("listen 80;", f"listen 127.0.0.1:{front};"))
        paths = "".join(f"{kind}_temp_path {work}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf = Path(work, "nginx.conf")
        conf.write_text(
            f"daemon off; error_log {work}/error.log; pid {work}/pid;\nevents {{ }}\n"
            f"http {{ access_log off; {paths}\n{own} }}\n"
        )
        with Program("nginx", "-p", work, "-c", conf, "-g", "master_process off;", says=False):
            opened(front)
            base = f"http://127.0.0.1:{front}"
            origin = {"origin": base}  # a page that came by the proxy
            with connect(f"ws://127.0.0.1:{front}/ws/Ann", **origin) as ann:
                with requests.get(f"{base}/events", stream=True, timeout=PATIENCE) as stream:
                    there = lambda: len(requests.get(f"{base}/present", timeout=PATIENCE).json()) == 2
                    eventually(there, "both are there")
                    equal(requests.post(f"{base}/publish", data="tea", timeout=PATIENCE).status_code, 202)
                    equal(ann.recv(), "tea")
                    equal(next(sseclient.SSEClient(stream).events()).data, "tea")


@check("guide: behind haproxy: no request is lost when one of two servers stops")
def behind_haproxy():
    front = free_port()
    environment = {"PROXY_PROTOCOL_FROM": "127.0.0.1/32", "TURN": "4", "DRAIN": "20"}
    with chapter("10_production", **environment) as first, chapter("10_production", **environment) as second:
        with tempfile.TemporaryDirectory() as work:
            conf = Path(work, "haproxy.cfg")
            addresses = [server.base[len("http://"):] for server in (first, second)]
            conf.write_text(
                deployed(
                    "haproxy.cfg",
                    ("127.0.0.1:8080", addresses[0]),
                    ("127.0.0.1:8081", addresses[1]),
                    ("bind :80", f"bind 127.0.0.1:{front}"),
                )
            )
            with Program("haproxy", "-db", "-f", conf, says=False):
                opened(front)
                base = f"http://127.0.0.1:{front}"
                eventually(lambda: requests.get(base, timeout=PATIENCE).status_code == 200, "the servers are ready")
                # From another address of this machine, so that it cannot be the proxy's.
                with requests.Session() as session:
                    session.mount("http://", From("127.0.0.9"))
                    equal(session.get(base, timeout=PATIENCE).text, "Hello, 127.0.0.9!")
                stopped, answers = threading.Event(), []

                def ask():
                    while not stopped.is_set():
                        with requests.Session() as session:
                            answers.extend(session.get(base, timeout=PATIENCE).status_code for _ in range(5))

                askers = [threading.Thread(target=ask) for _ in range(4)]
                for asker in askers:
                    asker.start()
                time.sleep(0.5)
                first.process.terminate()
                equal(first.process.wait(PATIENCE), 0, "the end of the first")
                before = len(answers)
                eventually(lambda: len(answers) > before + 100, "the second serves on")
                stopped.set()
                for asker in askers:
                    asker.join()
                equal(set(answers), {200})


class From(requests.adapters.HTTPAdapter):
    """Requests that come from this address."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, source_address=(self.address, 0), **kwargs)


finish()
