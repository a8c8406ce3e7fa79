#!/usr/bin/env python3
"""Sends the raw requests of tests/data/http1-cases.jsonl and http1-more-cases.jsonl to the showcase.

usage: http1_cases.py http://HOST:PORT

Each server case runs twice over fresh connections: whole, and cut into many
small segments; both must end as its `expect` says. That is a list of outcomes
joined by `|`, of which one must hold:

    200 .. 599   exactly one final answer, with this status
    ok           exactly one final answer: 2xx, 3xx, or 404 (the path means nothing)
    ok*N         exactly N such answers
    4xx          exactly one final answer of that class
    100          100 Continue comes first
    100,ok       100 Continue comes first, then such an answer
    101          the protocol is switched
    close        closed without an answer
    wait         no answer within a second, and the connection stays open
    http2        HTTP/2 begins, with the server's SETTINGS
    ...+close    and the server closes afterwards

A case is over when its outcome holds and nothing more has come for a second, or
in vain after a minute: a slow machine does not change what is found.
"""

import concurrent.futures
import json
import pathlib
import re
import socket
import sys
import time

from wire import Peer

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
CASES = [DATA / "http1-cases.jsonl", DATA / "http1-more-cases.jsonl"]
QUIET = 1.0  # seconds of silence after which nothing more is expected
AT_MOST = 60.0  # seconds for one case
PIECES = 120  # segments that a cut request leaves in


class Outcome:
    """What came back: statuses in order, bytes that are no answer, and the end."""

    def __init__(self, received, closed, head_first):
        self.closed = closed
        self.statuses, self.rest = split_answers(received, head_first)
        self.final = [status for status in self.statuses if status >= 200]

    def __str__(self):
        answers = ",".join(map(str, self.statuses)) or ("" if not self.rest else "junk")
        if not answers:
            return "close" if self.closed else "wait"
        return answers + ("+close" if self.closed else "") + (f" then {self.rest[:40]!r}" if self.rest else "")


def split_answers(data, head_first):
    """Cuts received bytes into answers; returns their statuses and what is left."""
    statuses, finals = [], 0
    while True:
        head = re.match(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n", data)
        if not head:
            return statuses, data
        status = int(head.group(1))
        fields = head.group(0).lower()
        rest = data[head.end() :]
        if 100 <= status < 200:
            statuses.append(status)
            data = rest
            continue
        bodiless = status in (204, 304) or (head_first and finals == 0)
        length = re.search(rb"\r\ncontent-length: *(\d+) *\r\n", fields)
        if bodiless:
            size = 0
        elif b"\r\ntransfer-encoding: chunked\r\n" in fields:
            size = chunked_size(rest)
        elif length:
            size = int(length.group(1))
        else:
            size = len(rest)
        if size is None or size > len(rest):
            return statuses, data
        statuses.append(status)
        finals += 1
        data = rest[size:]


def chunked_size(data):
    """The length of a whole chunked body at the front of `data`, or None."""
    at = 0
    while True:
        line = re.compile(rb"([0-9A-Fa-f]+)(?:;[^\r\n]*)?\r\n").match(data, at)
        if not line:
            return None
        size = int(line.group(1), 16)
        at = line.end()
        if size == 0:
            trailers = re.compile(rb"(?:[^\r\n]+\r\n)*\r\n").match(data, at)
            return trailers.end() if trailers else None
        if data[at + size : at + size + 2] != b"\r\n":
            return None
        at += size + 2


def exchange(base, request, cut, is_expected):
    """Sends `request` and reads on until the outcome `is_expected`."""
    received, closed = b"", False

    def outcome():
        return Outcome(received, closed, request.lstrip(b"\r\n").startswith(b"HEAD "))

    with Peer(base) as peer:
        try:
            peer.trickle(request, PIECES) if cut else peer.send(request)
        except OSError:
            pass  # refused before all was sent: the answer can still be read
        peer.socket.settimeout(QUIET)
        end = time.monotonic() + AT_MOST
        while not closed:
            try:
                data = peer.socket.recv(65536)
            except socket.timeout:
                if is_expected(outcome()) or time.monotonic() > end:
                    break
            except OSError:
                closed = True
            else:
                closed = not data
                received += data
    return outcome()


def holds(wanted, found):
    wanted = wanted.strip()
    if wanted.endswith("+close"):
        return found.closed and holds(wanted[: -len("+close")], found)

    def good(status):
        return 200 <= status < 400 or status == 404

    if wanted == "close":
        return found.closed and not found.statuses and not found.rest
    if wanted == "http2":
        return not found.statuses and re.match(rb"\0\0.\x04\0\0\0\0\0", found.rest, re.DOTALL)
    if found.rest:
        return False
    if wanted == "wait":
        return not found.closed and not found.statuses
    if wanted in ("100", "101"):
        return found.statuses[:1] == [int(wanted)]
    if wanted == "100,ok":
        return found.statuses[:1] == [100] and len(found.final) == 1 and good(found.final[0])
    if wanted == "ok":
        return len(found.final) == 1 and good(found.final[0])
    if wanted == "4xx":
        return len(found.final) == 1 and 400 <= found.final[0] < 500
    if wanted.startswith("ok*"):
        return len(found.final) == int(wanted[3:]) and all(map(good, found.final))
    if re.fullmatch(r"\d{3}", wanted):
        return found.final == [int(wanted)]
    raise ValueError(f"unknown outcome {wanted!r}")


def judge(base, case, cut):
    """Runs one case; returns its report line."""
    name = f"http1 {case['id']}" + (" cut" if cut else "")

    # What that case expects is for a server without HTTP/2.
    expect = "http2" if case["id"] == "h2-preface" else case["expect"]

    def is_expected(found):
        return any(holds(wanted, found) for wanted in expect.split("|"))

    try:
        found = exchange(base, case["input"].encode("latin-1"), cut, is_expected)
    except OSError as error:
        return f"FAIL {name}: {error}"
    if is_expected(found):
        return f"ok {name}"
    return f"FAIL {name}: {found}, not {expect} ({case['rule']})"


def main(base):
    lines = [line for path in CASES for line in path.read_text("utf-8").splitlines()]
    cases = [json.loads(line) for line in lines]
    cases = [case for case in cases if case["role"] == "server"]
    runs = [(case, cut) for cut in (False, True) for case in cases]
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        lines = list(pool.map(lambda run: judge(base, *run), runs))
    print("\n".join(lines))
    return 0 if lines and all(line.startswith("ok ") for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
