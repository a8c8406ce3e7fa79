#!/usr/bin/env python3
"""Replies, streamed replies and events in content codings, with httpx, brotlicffi and zstandard.

usage: codings.py http://HOST:PORT
"""

import json
import sys
import uuid
import zlib

import brotlicffi
import httpx
import zstandard

from checks import PATIENCE, check, equal, finish

BASE = sys.argv[1].rstrip("/")
CODINGS = ("gzip", "br", "zstd")
VERSIONS = {"HTTP/1.1": {}, "HTTP/2": {"http1": False, "http2": True}}


def client(version, coding=None):
    headers = {"Accept-Encoding": coding} if coding else None
    return httpx.Client(base_url=BASE, headers=headers, timeout=PATIENCE, trust_env=False, **VERSIONS[version])


def decoder(coding):
    """What decodes a body piece by piece."""
    if coding == "gzip":
        return zlib.decompressobj(31).decompress
    if coding == "br":
        return brotlicffi.Decompressor().decompress
    return zstandard.ZstdDecompressor().decompressobj().decompress


@check("codings httpx, replies are the same bytes in each coding")
def replies():
    for version in VERSIONS:
        with client(version, "identity") as plain:
            texts = {path: plain.get(path).content for path in ("/items", "/")}
        for coding in CODINGS:
            with client(version, coding) as coded:
                for path, text in texts.items():
                    answer = coded.get(path)
                    equal(answer.headers.get("content-encoding"), coding, path)
                    equal(answer.headers["vary"], "Accept-Encoding", path)
                    equal(answer.http_version, version)
                    equal(answer.content == text, True, f"{path} in {coding} over {version}")
                    assert answer.num_bytes_downloaded < len(text) / 2, answer.num_bytes_downloaded


@check("codings httpx, among those that it takes unasked zstd goes first")
def unasked():
    with client("HTTP/1.1") as any_coding:
        answer = any_coding.get("/items")
        equal(answer.headers["content-encoding"], "zstd")
        equal(len(answer.json()), 180)


@check("codings httpx, HEAD is like GET")
def head():
    for coding in CODINGS:
        with client("HTTP/1.1", coding) as coded:
            found = [dict(coded.request(method, "/items").headers) for method in ("HEAD", "GET")]
            for fields in found:
                fields.pop("date")
            equal(*found)


@check("codings zlib, brotlicffi and zstandard, at every cut of a coded body")
def cuts():
    with client("HTTP/1.1", "identity") as plain:
        text = plain.get("/items").content
    for coding in CODINGS:
        with client("HTTP/1.1", coding) as coded, coded.stream("GET", "/items") as answer:
            body = b"".join(answer.iter_raw())
        for cut in range(len(body) + 1):
            decode = decoder(coding)
            equal(decode(body[:cut]) + decode(body[cut:]) == text if 0 < cut < len(body) else True, True, f"{coding} at {cut}")


@check("codings httpx, lines of a streamed reply are seen one by one")
def lines():
    for version in VERSIONS:
        for coding in CODINGS:
            with client(version, coding) as coded, coded.stream("GET", "/lines") as answer:
                equal(answer.headers["content-encoding"], coding)
                # It has no end: what is seen was not held back until then.
                source = answer.iter_lines()
                equal([json.loads(next(source))["id"] for _ in range(3)], [1, 2, 3])


@check("codings httpx, each event is seen before the next one is sent")
def events():
    for version in VERSIONS:
        for coding in CODINGS:
            name = f"codings-{uuid.uuid4().hex[:12]}"
            with client(version, coding) as coded, client("HTTP/1.1") as poster:
                with coded.stream("GET", "/api/events", params={"client_id": name}) as answer:
                    equal(answer.headers["content-encoding"], coding)
                    source = answer.iter_lines()

                    def data():
                        return next(json.loads(line[6:]) for line in source if line.startswith("data: "))

                    equal(data()["client_id"], name)
                    for number in range(5):
                        sent = {"n": number, "text": "the same words in each of them"}
                        body = {"event": "news", "data": sent, "target_clients": [name]}
                        equal(poster.post("/api/broadcast", json=body).json(), {"status": "sent", "clients": 1})
                        equal(data(), sent, f"{coding} over {version}")


finish()
