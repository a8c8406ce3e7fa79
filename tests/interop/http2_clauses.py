#!/usr/bin/env python3
"""What RFC 9113, RFC 8441 and RFC 7541 demand of a server beside http2_cases.py.

usage: http2_clauses.py http://HOST:PORT [WORD...]

The numbers are sections of RFC 9113, or of another if its number stands before.
"""

import threading

from http2_suite import *  # noqa: F403: the words that the cases are written in

# --- 3: starting -----------------------------------------------------------------


def plain(octets, status):
    """HTTP/1.1 on the same port."""

    def run(peer):
        peer.send(octets)
        head = b""
        while b"\r\n\r\n" not in head:
            more = peer.socket.recv(4096)
            if not more:
                raise Violation(f"the end, after {head!r}")
            head += more
        equal(head[:12], b"HTTP/1.1 %d" % status)

    return lambda peer: b"", run


def trickled(peer):
    octets = PREFACE + settings() + get(1)
    for at in range(len(octets)):
        peer.send(octets[at : at + 1])
    return b""


H2C = b"GET /plaintext HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
case("3.1 Upgrade: h2c is ignored", *plain(H2C, 200), greeting=False)
case(
    "3.3 a request for * that is not PRI is HTTP/1.1",
    *plain(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 204),
    greeting=False,
)
case("3.4 the preface and a request, octet by octet", trickled, answered(body=HELLO), greeting=False)
case("3.4 a request right behind the preface", PREFACE + settings() + get(1), answered(body=HELLO), greeting=False)
for what, first in (
    ("PING", ping()),
    ("HEADERS", get(1)),
    ("an acknowledgement", frame(SETTINGS, ACK, 0)),
    ("an unknown frame", frame(UNKNOWN, 0, 0)),
):
    case(f"3.4 {what} instead of the first SETTINGS", PREFACE + first, gone(PROTOCOL), greeting=False)

# --- 4: frames -------------------------------------------------------------------

case("4.1 undefined flags of every frame", headers(1, flags=0xD5 & ~WITH_PRIORITY & ~PADDED) + ping(flags=0xFE), PONG)
case("4.1 the reserved bit of HEADERS", frame(HEADERS, 5, 1 | 1 << 31, block(request())), answered(body=HELLO))
case(
    "4.1 extension frames on any stream",
    frame(UNKNOWN, 0xFF, 0, BIG) + frame(0xFF, 1, 99) + get(1) + frame(0xF0, 0, 1, b"x"),
    answered(),
)
for what, octets in (
    ("PING of 9", frame(PING, 0, 0, bytes(9))),
    ("RST_STREAM of 5", post(1) + frame(RST, 0, 1, bytes(5))),
    ("WINDOW_UPDATE of 5", frame(WINDOW, 0, 0, bytes(5))),
    ("PRIORITY of 6", frame(PRIORITY, 0, 1, bytes(6))),
    ("GOAWAY of 7", frame(GOAWAY, 0, 0, bytes(7))),
    ("SETTINGS of 7", frame(SETTINGS, 0, 0, bytes(7))),
    ("HEADERS too short for their priority", frame(HEADERS, 5 | WITH_PRIORITY, 1, bytes(4))),
    ("HEADERS too short for their padding", frame(HEADERS, 5 | PADDED, 1)),
    ("DATA too short for their padding", post(1) + data(1, b"", PADDED)),
    ("an unknown frame of 2^24-1", frame(UNKNOWN, 0, 0, length=(1 << 24) - 1)),
    ("a head alone", frame(HEADERS, 5, 1, length=16385)),
):
    case(f"4.2 the length of a frame: {what}", octets, gone(SIZE, PROTOCOL) if "padding" in what else gone(SIZE))
for what, inside in (
    ("PING", ping()),
    ("SETTINGS", settings()),
    ("WINDOW_UPDATE", window(0, 1)),
    ("RST_STREAM", reset(1)),
    ("GOAWAY", goaway()),
    ("CONTINUATION of another stream", continuation(3, b"")),
    ("HEADERS of the same stream", get(1)),
):
    case(f"4.3 {what} inside a header block", headers(1, flags=1) + inside, gone(PROTOCOL))
case("4.3 a block that ends inside a field", headers(1, block(request())[:-3]), gone(COMPRESSION))
PATH = literal(":path", "/plaintext")
case(
    "4.3 a block in pieces of one octet",
    headers(1, b"\x82", 1)
    + continuation(1, b"\x86", False)
    + b"".join(continuation(1, PATH[at : at + 1], False) for at in range(8))
    + continuation(1, PATH[8:], False)
    + continuation(1, literal(":authority", "a")),
    answered(body=HELLO),
)
case(
    "4.3 a block of a stream that is refused keeps the table in step",
    headers(1, [*request(), ("X", "")], after=literal("x-late", "1", 0x40)) + headers(3, after=b"\xbe"),
    both(malformed, answered(3, body=HELLO)),
)
case(
    "4.3 trailers of a stream that was reset keep the table in step",
    post(1)
    + reset(1, 8)
    + post(3, ("content-length", "1"))
    + data(3, b"ab")
    + headers(3, literal("x-late", "1", 0x40))
    + headers(5, after=b"\xbe"),
    both(stream_reset(3, PROTOCOL), answered(5, body=HELLO)),
)

# --- 5: streams ------------------------------------------------------------------

for what, late in (("WINDOW_UPDATE", window(1, 1)), ("RST_STREAM", reset(1)), ("PRIORITY", priority(1))):
    case(f"5.1 {what} on a closed stream", after(1, late, ping()), PONG)


def reset_by_server(*late):
    """Frames that were on their way when the server reset their stream."""
    return post(1, ("content-length", "1")) + data(1, b"too long", 0) + b"".join(late) + get(3)


for what, late in (
    ("DATA", data(1, BIG, 0) * 3 + data(1)),
    ("trailers", headers(1, [("x", "y")])),
    ("WINDOW_UPDATE", window(1, 1)),
    ("RST_STREAM", reset(1)),
    ("PRIORITY", priority(1)),
):
    case(
        f"5.1 {what} on a stream that the server has reset",
        reset_by_server(late),
        both(malformed, answered(3, body=HELLO)),
    )


def much_for_nobody(peer):
    """More than the connection's window, all of it for a stream that is reset."""
    peer.send(post(1, ("content-length", "1")) + data(1, b"ab", 0))
    malformed(peer)
    left, spent = 65535 + sum(it.window_increment for it in peer.seen if isinstance(it, frames.WindowUpdateFrame)), 0
    while spent < 1 << 20:
        if left < len(BIG):
            one = peer.until(lambda it: isinstance(it, frames.WindowUpdateFrame) and it.stream_id == 0)
            left += one.window_increment
            continue
        peer.send(data(1, BIG, 0))
        left, spent = left - len(BIG), spent + len(BIG)
    return get(3)


case(
    "5.1, 6.9 DATA on a stream that was reset is given back to the connection", much_for_nobody, answered(3, body=HELLO)
)
case("5.1.1 streams that are skipped are closed", get(7) + get(5), gone(PROTOCOL))
case("5.1.1 the largest stream", get((1 << 31) - 1), answered((1 << 31) - 1, body=HELLO))
case("5.1.1 HEADERS on stream 0", get(0), gone(PROTOCOL))
case(
    "5.4.1 GOAWAY names the last stream that was looked at",
    get(1) + get(9) + ping(b"x" * 8) + data(0),
    gone(PROTOCOL, last=9, first=(1, 9)),
)
case(
    "5.4.1 replies come before GOAWAY",
    get(1, "/bytes/30000") + get(3) + settings((ENABLE_PUSH, 2)),
    gone(PROTOCOL, last=3, first=(1, 3)),
)


def storm(peer):
    """What goes on being sent behind the fault must not cost the client its GOAWAY."""
    peer.send(get(1) + frame(PING, 0, 1, bytes(8)))
    rest = threading.Thread(target=lambda: attempt(peer, frame(UNKNOWN, 0, 0, BIG) * 10))
    rest.start()
    rest.join(PATIENCE)
    return b""


def attempt(peer, octets):
    try:
        peer.send(octets)
    except OSError:
        pass  # a server need not take it all


case("5.4.1 GOAWAY reaches a client that goes on sending", storm, gone(PROTOCOL, last=1, first=(1,)))
case("5.4.2 RST_STREAM is not answered", post(1) + reset(1), fine)

# --- 6: frames, one by one -------------------------------------------------------


def strict_table(size):
    """From here on the decoder takes no larger table than was allowed."""

    def judge(peer):
        peer.decoder.max_allowed_table_size = size

    return judge


def ends(peer):
    if (one := peer.next()) is not None:
        raise Violation(f"{describe(one)} behind all that was owed")


def in_total(peer):
    """DATA of all streams together is what the connection allows, and no more."""
    total = 0
    while total < 65535:
        total += len(peer.until(lambda it: isinstance(it, frames.DataFrame)).data)
    equal(total, 65535, "octets of DATA")
    at = len(peer.seen)
    alive(peer)
    equal([it for it in peer.seen[at:] if isinstance(it, frames.DataFrame)], [])
    peer.send(window(0, 100000))
    both(answered(1), answered(3))(peer)


case("6.1 padding and nothing else", post(1) + data(1, b"\x03" + bytes(3), PADDED | END_STREAM), answered(body=b""))
case(
    "6.1 as much padding as a frame has", post(1) + data(1, b"\x04" + bytes(4), PADDED | END_STREAM), answered(body=b"")
)
case(
    "6.1 a frame that says it is all padding, and one more",
    post(1) + data(1, b"\x04" + bytes(3), PADDED | END_STREAM),
    gone(PROTOCOL),
)
case("6.1 DATA that is empty ends a body", post(1) + data(1, b"abc", 0) + data(1, b""), answered(body=b"abc"))


def padded_upload(peer):
    """Padding is given back like the rest: more of it than any window has."""
    left = 1500
    peer.send(post(1, ("content-length", str(left))))
    stream = connection = 65535
    for it in peer.seen:
        if isinstance(it, frames.WindowUpdateFrame):
            connection += it.window_increment
    while left:
        if min(stream, connection) < 257:
            one = peer.until(lambda it: isinstance(it, frames.WindowUpdateFrame))
            stream += one.window_increment * (one.stream_id == 1)
            connection += one.window_increment * (one.stream_id == 0)
            continue
        left, stream, connection = left - 1, stream - 257, connection - 257
        peer.send(data(1, b"\xff." + bytes(255), PADDED | (END_STREAM if not left else 0)))
    return b""


case("6.1, 6.9 padding is given back to both windows", padded_upload, answered(body=b"." * 1500))
case(
    "6.2 padding and priority in one head",
    headers(1, before=b"\x02" + bytes(5), after=bytes(2), flags=5 | PADDED | WITH_PRIORITY),
    answered(body=HELLO),
)
case(
    "6.2 END_STREAM on HEADERS that go on",
    headers(1, flags=1) + continuation(1, literal("x", "y")),
    answered(body=HELLO),
)
case(
    "6.4 RST_STREAM while the reply is on its way",
    get(1, "/bytes/10000000") + reset(1) + get(3),
    answered(3, body=HELLO),
)
case("6.5 SETTINGS without an entry", settings(), ACKNOWLEDGED)
case("6.5 an acknowledgement that nobody waits for", frame(SETTINGS, ACK, 0), fine)
for what, pair, code in (
    ("ENABLE_CONNECT_PROTOCOL of 2", (CONNECT, 2), PROTOCOL),
    ("MAX_FRAME_SIZE of 0", (FRAME, 0), PROTOCOL),
    ("INITIAL_WINDOW_SIZE of 2^32-1", (INITIAL, (1 << 32) - 1), FLOW),
):
    case(f"6.5.2 {what}", settings(pair), gone(code))
case(
    "6.5.2 HEADER_TABLE_SIZE of 0 is obeyed",
    settings((TABLE, 0)) + get(1) + get(3) + get(5),
    both(strict_table(0), answered(1), answered(3), answered(5)),
)
case(
    "6.5.2 HEADER_TABLE_SIZE of 2^32-1",
    settings((TABLE, (1 << 32) - 1)) + get(1) + get(3),
    both(strict_table(1 << 20), answered(1), answered(3)),
)
case(
    "6.5.2 a table that shrinks and grows",
    settings((TABLE, 0)) + settings((TABLE, 4096)) + get(1) + get(3),
    both(answered(1), answered(3)),
)
case(
    "6.5.2 MAX_FRAME_SIZE of the client does not make frames too large",
    window(0, 1 << 20) + get(1, "/bytes/200000"),
    answered(1, body=b"." * 200000),
    [(FRAME, 20000), (INITIAL, 1 << 20)],
)
case(
    "6.5.2 MAX_CONCURRENT_STREAMS of 0 is no matter of a client's requests",
    get(1),
    answered(body=HELLO),
    [(STREAMS, 0)],
)
case(
    "6.5.3 values are taken in order",
    settings((INITIAL, 5), (INITIAL, 0)) + settings((INITIAL, 7)) + get(1),
    data_of(7),
)
case("6.7 PING comes before a long reply is through", get(1, "/bytes/60000000") + ping(), PONG)
case(
    "6.8 GOAWAY of a client lets its requests finish",
    post(1) + goaway() + data(1),
    both(SAYS_GOAWAY, answered(1, body=b"test")),
)
case(
    "6.8 two GOAWAY of a client",
    post(1) + goaway(5) + goaway(3) + data(1),
    both(SAYS_GOAWAY, answered(1, body=b"test"), ends),
)
case("6.9 WINDOW_UPDATE of 0 with the reserved bit", window(0, 1 << 31), gone(PROTOCOL))
case("6.9 a window of just 2^31-1", window(0, 0x7FFFFFFF - 65535) + get(1), answered(body=HELLO))
case(
    "6.9.1 the connection's window bounds all streams together",
    get(1, "/bytes/60000") + get(3, "/bytes/60000"),
    in_total,
)
case(
    "6.9.1 an empty DATA needs no window",
    headers(1, request("HEAD")) + get(3, "/bytes/0"),
    both(answered(1, body=b""), answered(3, body=b"")),
    [(INITIAL, 0)],
)
case(
    "6.9.2 a window that shrinks to 0 and comes back",
    get(1) + settings((INITIAL, 0)) + settings((INITIAL, 65535)),
    answered(body=HELLO),
    [(INITIAL, 0)],
)
case(
    "6.10 END_STREAM is no flag of CONTINUATION",
    headers(1, request("POST", "/echo"), 0) + frame(CONTINUATION, 5, 1) + data(1),
    answered(body=b"test"),
)
case("7 every unknown code", b"".join(post(n) + reset(n, 0xFFFF0000 + n) for n in range(1, 21, 2)) + ping(), PONG)


# --- 8: messages -----------------------------------------------------------------


def early(peer):
    answered(body=None, status=405)(peer)
    one = peer.of(1)
    if not isinstance(one, frames.RstStreamFrame) or one.error_code:
        raise Violation(peer.story())
    peer.send(data(1, BIG) + get(3))  # what was on its way
    answered(3, body=HELLO)(peer)


case("8.1 DATA behind trailers", post(1) + data(1, flags=0) + headers(1, [("x", "y")]) + data(1), LATE)
case("8.1 trailers without DATA", post(1) + headers(1, [("x", "y")]), answered(body=b""))
case(
    "8.1 Expect: 100-continue gets 100 first",
    post(1, ("expect", "100-continue")),
    lambda peer: (equal(dict(peer.of(1).fields)[":status"], "100"), peer.send(data(1)), answered(body=b"test")(peer)),
)
case("8.1 a reply before the end of the request, then RST_STREAM(NO_ERROR)", post(1, path="/plaintext"), early)
case("8.1.1 Content-Length and no DATA", post(1, ("content-length", "4"), end=END_STREAM), malformed)
case("8.1.1 Content-Length of 0 and an empty DATA", post(1, ("content-length", "0")) + data(1, b""), answered(body=b""))
case(
    "8.1.1 Content-Length that is met",
    post(1, ("content-length", "4")) + data(1, b"te", 0) + data(1, b"st"),
    answered(body=b"test"),
)
case("8.1.1 less than Content-Length", post(1, ("content-length", "5")) + data(1), malformed)
case(
    "8.1.1 less than Content-Length, then trailers",
    post(1, ("content-length", "5")) + data(1, flags=0) + headers(1, [("x", "y")]),
    malformed,
)
case(
    "8.1.1 Content-Length twice, not the same",
    post(1, ("content-length", "4"), ("content-length", "5")) + data(1),
    malformed,
)
case("8.1.1 Content-Length that is no number", post(1, ("content-length", "4x")) + data(1), malformed)


for what, name in (
    ("an empty name", ""),
    ("a name with a space", "x y"),
    ("a name with a colon", "x:y"),
    ("a name with a control", "x\x01"),
    ("a name with DEL", "x\x7f"),
    ("a name above ASCII", "x\xe9"),
    ("a name with NUL", "x\0"),
    ("a name with CR LF", "x\r\ny"),
):
    bad_field("8.2.1", what, name, "1")
for what, value in (
    ("NUL", "a\0b"),
    ("CR", "a\rb"),
    ("LF", "a\nb"),
    ("a space in front", " a"),
    ("a space behind", "a "),
    ("a tab in front", "\ta"),
    ("a tab behind", "a\t"),
):
    bad_field("8.2.1", f"a value with {what}", "x-test", value)
case("8.2.1 a value of octets above ASCII", get(1, "/plaintext", ("x", b"\xff\x80 \t\xe9")), answered(body=HELLO))
case("8.2.1 an empty value", get(1, "/plaintext", ("x", "")), answered(body=HELLO))
for name, value in (
    ("connection", "close"),
    ("keep-alive", "timeout=5"),
    ("proxy-connection", "keep-alive"),
    ("transfer-encoding", "chunked"),
    ("upgrade", "websocket"),
    ("te", "gzip"),
):
    bad_field("8.2.2", f"{name}: {value}", name, value)
case("8.2.2 te: trailers", get(1, "/plaintext", ("te", "trailers")), answered(body=HELLO))
case(
    "8.2.2 a connection-specific field in trailers", post(1) + headers(1, [("transfer-encoding", "chunked")]), malformed
)
case(
    "8.2.3 cookies in crumbs",
    get(1, "/plaintext", ("cookie", "a=b"), ("x", "y"), ("cookie", "c=d")),
    answered(body=HELLO),
)
for what, fields in (
    (":authority twice", [*request(), (":authority", "showcase")]),
    (":path without a slash", request(path="plaintext")),
    (":path with a space", request(path="/a b")),
    (":path with a fragment", request(path="/a#b")),
    (":path of * with GET", request(path="*")),
    (":path with NUL", request(path="/\0")),
    (":scheme that is none", request(scheme="1http")),
    (":scheme that is empty", request(scheme="")),
    (":method that is empty", request("")),
    (":method with a space", request("GE T")),
    (":authority with userinfo", request(authority="a@showcase")),
    ("Host that disagrees with :authority", request("GET", "/", ("host", "other"))),
    ("neither Host nor :authority", request(authority=None)),
    ("Host twice", request("GET", "/", ("host", "a"), ("host", "b"), authority=None)),
    (":protocol without CONNECT", [*request(), (":protocol", "websocket")]),
    ("a pseudo-header field in upper case", [*request(), (":Path", "/")]),
    ("no fields at all", []),
):
    bad("8.3", what, *fields)
case(
    "8.3.1 Host instead of :authority",
    headers(1, request("GET", "/plaintext", ("host", "showcase"), authority=None)),
    answered(body=HELLO),
)
case("8.3.1 Host as :authority", get(1, "/plaintext", ("host", "showcase")), answered(body=HELLO))
case("8.3.1 OPTIONS *", headers(1, request("OPTIONS", "*")), answered(status=204))
case("8.3.1 another scheme", headers(1, request(scheme="https")), answered(body=HELLO))
case("8.3.1 a method that nobody knows", headers(1, request("BREW")), answered(status=405))
case("8.4 PUSH_PROMISE on stream 0", frame(PUSH, END_HEADERS, 0, b"\0\0\0\2"), gone(PROTOCOL))
bad("8.5", "CONNECT with :path", *request("CONNECT", "/", scheme=None))
bad("8.5", "CONNECT with :scheme", *request("CONNECT", None))
bad("8.5", "CONNECT without :authority", *request("CONNECT", None, scheme=None, authority=None))
case(
    "8.5 CONNECT is answered",
    headers(1, request("CONNECT", None, scheme=None, authority="a:443"), OPEN),
    answered(status=501),
)

# --- RFC 8441, RFC 7541 ----------------------------------------------------------


def socket_request(path="/ws/echo", *more, **replaced):
    return request("CONNECT", path, ("sec-websocket-version", "13"), *more, **{"protocol": "websocket", **replaced})


case("RFC 8441 3 SETTINGS_ENABLE_CONNECT_PROTOCOL is said", b"", lambda peer: equal(peer.settings.get(CONNECT), 1))
for missing in ("scheme", "path", "authority"):
    bad(
        "RFC 8441 4", f"extended CONNECT without :{missing}", *[it for it in socket_request() if it[0] != ":" + missing]
    )


def masked(first, payload):
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload


def echoed(peer):
    equal(dict(peer.of(1).fields)[":status"], "200")
    peer.send(data(1, masked(0x81, b"hello"), 0))
    got = b""
    while len(got) < 7:
        one = peer.of(1)
        got += getattr(one, "data", b"") if isinstance(one, frames.DataFrame) else b""
    equal(got, b"\x81\x05hello")
    peer.send(data(1, masked(0x88, b"\x03\xe8")))
    got = b""
    while not isinstance(one := peer.of(1), frames.DataFrame) or "END_STREAM" not in one.flags:
        got += getattr(one, "data", b"")
    equal(got + one.data, b"\x88\x02\x03\xe8")
    alive(peer)


case("RFC 8441 5 a WebSocket echoes and closes", headers(1, socket_request(), OPEN), echoed)
case("RFC 8441 5 a WebSocket that is reset", headers(1, socket_request(), OPEN) + reset(1), fine)
case(
    "RFC 8441 5 an unmasked frame ends the stream alone",
    headers(1, socket_request(), OPEN) + data(1, b"\x81\x01a", 0) + get(3),
    answered(3, body=HELLO),
)
case(
    "RFC 8441 4 a protocol that nobody knows", headers(1, socket_request(protocol="gopher"), OPEN), answered(status=501)
)
case(
    "RFC 8441 4 a path that has no WebSocket",
    headers(1, socket_request("/plaintext"), OPEN),
    lambda peer: equal(dict(peer.of(1).fields)[":status"][0], "4"),
)
for what, encoded in (
    ("2.3.3 a name of an index beyond the tables", b"\x0f\x80\x01\x01x"),
    ("4.2 a table size update between fields", b"\x20" + literal("x", "y")),
    ("5.1 an integer without end", b"\xff" + b"\x80" * 10 + b"\x01"),
    ("5.1 an integer above 2^32", b"\xff\xff\xff\xff\xff\xff\x7f"),
    ("5.2 a string longer than the block", b"\x00\x01x\x7f\xff\x01y"),
    ("5.2 a length that is cut off", b"\x00\x7f"),
):
    case(f"RFC 7541 {what}", headers(1, after=encoded), gone(COMPRESSION))
case("RFC 7541 4.2 three table size updates", headers(1, before=b"\x20\x21\x20"), gone(COMPRESSION))
case(
    "RFC 7541 4.4 an entry larger than the table empties it",
    headers(1, after=literal("x", "y", 0x40) + literal("z", BIG[:5000], 0x40)) + headers(3, after=b"\xbe"),
    gone(COMPRESSION),
)
case(
    "RFC 7541 2.3.2 entries are numbered from the newest",
    headers(1, literal(":method", "HEAD", 0x40) + block(request()[1:]), after=literal("x", "y", 0x40))
    + headers(3, b"\xbf" + block(request()[1:])),
    both(answered(1, body=b""), answered(3, body=b"")),
)
case(
    "RFC 7541 6.3 a table of 0 and entries nevertheless",
    headers(1, before=b"\x20", after=literal("x", "y", 0x40)) + headers(3, after=b"\xbe"),
    gone(COMPRESSION),
)
case(
    "RFC 7541 5.1 an integer with needless octets",
    headers(1, after=b"\x00\x7f\x80\x80\x00" + b"x" * 127 + b"\x01y"),
    answered(body=HELLO),
)

finish()
