"""The words that cases of HTTP/2 are written in.

A program of cases imports everything, and is called with `http://HOST:PORT [WORD...]`.
"""

import sys

from checks import REGISTERED, check, equal, finish  # noqa: F401: for the cases
from http2_wire import *  # noqa: F403
from http2_wire import Peer, answered, get, headers, malformed, request

BASE = sys.argv[1].rstrip("/")
WORDS = sys.argv[2:]


def case(name, octets, judge, pairs=(), greeting=True):
    """`octets` to send, or a function of the peer that returns them; `pairs` are the
    settings to begin with, which `greeting=False` leaves out like all the rest."""
    if WORDS and not any(word in name for word in WORDS):
        return

    @check(name, seconds=90)
    def run():
        with Peer(BASE, greeting, pairs) as peer:
            peer.send(octets(peer) if callable(octets) else octets)
            judge(peer)


def after(stream, *then):
    """Octets for once the reply on a stream is there."""

    def octets(peer):
        peer.send(get(stream))
        answered(stream)(peer)
        return b"".join(then)

    return octets


def bad(number, what, *fields):
    """A request of these fields is malformed."""
    case(f"{number} {what}", headers(1, list(fields)), malformed)


def bad_field(number, what, name, value):
    bad(number, what, *request(), (name, value))
