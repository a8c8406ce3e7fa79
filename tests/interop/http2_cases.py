#!/usr/bin/env python3
"""The 147 cases of the public tool h2spec 2.6, frame by frame, against the showcase.

usage: http2_cases.py http://HOST:PORT [WORD...]

Each case is octets on a fresh connection and what must come back, under the tool's
own number (the sections of its `http2` are those of RFC 7540), judged more strictly:
a connection error is GOAWAY with the right code and then the end, never a reset by
TCP; a stream error leaves the connection usable. With WORDs only the cases run
whose name contains one of them. http2_clauses.py has what RFC 9113 demands beside
these.
"""

from http2_suite import *  # noqa: F403: the words that the cases are written in

# --- generic ---------------------------------------------------------------------

case("generic/1/1 the preface is accepted", PREFACE + settings(), SAYS_SETTINGS, greeting=False)
case("generic/2/1 PRIORITY on an idle stream", priority(1, weight=255) + ping(), PONG)
case("generic/2/2 WINDOW_UPDATE on a half-closed stream", get(1) + window(1, 1), data_of(1), [(INITIAL, 0)])
case("generic/2/3 PRIORITY on a half-closed stream", get(1) + priority(1) + window(1, 1), data_of(1), [(INITIAL, 0)])
case("generic/2/4 RST_STREAM on a half-closed stream", get(1) + reset(1) + ping(), PONG)
case("generic/2/5 PRIORITY on a closed stream", after(1, priority(1), ping()), PONG)
case("generic/3.1/1 DATA", post(1) + data(1), answered(body=b"test"))
case("generic/3.1/2 several DATA", post(1) + data(1, b"te", 0) + data(1, b"st"), answered(body=b"test"))
case(
    "generic/3.1/3 DATA with padding",
    post(1) + data(1, b"\x06test" + bytes(6), PADDED | END_STREAM),
    answered(body=b"test"),
)
case("generic/3.2/1 HEADERS", get(1), answered(body=HELLO))
case(
    "generic/3.2/2 HEADERS with padding",
    headers(1, before=b"\x06", after=bytes(6), flags=5 | PADDED),
    answered(body=HELLO),
)
case(
    "generic/3.2/3 HEADERS with priority",
    headers(1, before=bytes(4) + b"\xff", flags=5 | WITH_PRIORITY),
    answered(body=HELLO),
)
case("generic/3.3/1 PRIORITY with weight 1", priority(1, weight=0) + get(1), answered())
case("generic/3.3/2 PRIORITY with weight 256", priority(1, weight=255) + get(1), answered())
case("generic/3.3/3 PRIORITY with a dependency", priority(3, depends=1) + get(1), answered())
case("generic/3.3/4 PRIORITY, exclusive", priority(1, exclusive=True) + get(1), answered())
case("generic/3.3/5 PRIORITY of an idle stream, then a lower one", priority(3) + get(1), answered())
case("generic/3.4/1 RST_STREAM", post(1) + reset(1) + ping(), PONG)
case("generic/3.5/1 SETTINGS", settings(), ACKNOWLEDGED)
case("generic/3.7/1 PING", ping(), PONG)
case("generic/3.8/1 GOAWAY", goaway(), gone("NO_ERROR", last=0))
case("generic/3.9/1 WINDOW_UPDATE of the connection", window(0, 1) + ping(), PONG)
case("generic/3.9/2 WINDOW_UPDATE of a stream", get(1) + window(1, 1), answered())
case("generic/3.10/1 CONTINUATION", headers(1, flags=END_STREAM) + continuation(1, literal("x-a", "b")), answered())
case(
    "generic/3.10/2 several CONTINUATION",
    headers(1, flags=END_STREAM) + continuation(1, literal("x-a", "b"), False) + continuation(1, literal("x-c", "d")),
    answered(),
)
case("generic/4/1 GET", get(1), answered(body=HELLO))
case("generic/4/2 HEAD", headers(1, request("HEAD")), answered(body=b"", fields=[("content-length", "13")]))
case("generic/4/3 POST", post(1) + data(1), answered(body=b"test"))
case(
    "generic/4/4 POST with trailers",
    post(1, ("trailer", "x-test")) + data(1, flags=0) + headers(1, [("x-test", "ok")]),
    answered(body=b"test"),
)
for at, (what, encoded) in enumerate(
    (
        ("indexed", literal("x-test", "h2", 0x40) + b"\xbe"),
        ("literal, indexed, old name", b"\x7a\x06h2spec"),
        ("literal, indexed, old name, Huffman", b"\x7a\x84\x9c\x48\xac\xa4"),
        ("literal, indexed, new name", literal("x-test", "h2spec", 0x40)),
        ("literal, indexed, new name, Huffman", b"\x40\x85\xf2\xb2\x4a\x84\xff\x84\x9c\x48\xac\xa4"),
        ("literal, not indexed, old name", b"\x0f\x2b\x06h2spec"),
        ("literal, not indexed, old name, Huffman", b"\x0f\x2b\x84\x9c\x48\xac\xa4"),
        ("literal, not indexed, new name", literal("x-test", "h2spec")),
        ("literal, not indexed, new name, Huffman", b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x9c\x48\xac\xa4"),
        ("literal, never indexed, old name", b"\x1f\x2b\x06h2spec"),
        ("literal, never indexed, old name, Huffman", b"\x1f\x2b\x84\x9c\x48\xac\xa4"),
        ("literal, never indexed, new name", literal("x-test", "h2spec", 0x10)),
        ("literal, never indexed, new name, Huffman", b"\x10\x85\xf2\xb2\x4a\x84\xff\x84\x9c\x48\xac\xa4"),
    ),
    1,
):
    case(f"generic/5/{at} field: {what}", headers(1, after=encoded), answered(body=HELLO))
case("generic/5/14 a table size update", headers(1, before=b"\x20"), answered(body=HELLO))
case("generic/5/15 two table size updates", headers(1, before=b"\x20\x3f\xe1\x1f"), answered(body=HELLO))

# --- http2 -----------------------------------------------------------------------

case("http2/3.5/1 SETTINGS is what the server sends first", PREFACE + settings(), SAYS_SETTINGS, greeting=False)
case("http2/3.5/2 an invalid preface", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", gone(PROTOCOL), greeting=False)
case("http2/4.1/1 a frame of an unknown type", frame(UNKNOWN, 0, 0, bytes(8)) + ping(), PONG)
case("http2/4.1/2 undefined flags", frame(PING, 0x16 & ~1, 0, b"whatever"), PONG)
case("http2/4.1/3 the reserved bit", frame(PING, 0, 1 << 31, b"whatever"), PONG)
case("http2/4.2/1 DATA of 2^14 octets", post(1) + data(1, BIG), answered(body=BIG))
case("http2/4.2/2 DATA larger than SETTINGS_MAX_FRAME_SIZE", post(1) + data(1, BIG + b"."), gone(SIZE))
case("http2/4.2/3 HEADERS larger than SETTINGS_MAX_FRAME_SIZE", headers(1, after=literal("x", BIG)), gone(SIZE))
case(
    "http2/4.3/1 an invalid header block",
    headers(1, b"\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    gone(COMPRESSION),
)
case("http2/4.3/2 PRIORITY inside a header block", headers(1, flags=1) + priority(1), gone(PROTOCOL))
case("http2/4.3/3 HEADERS of another stream inside a header block", headers(1, flags=1) + get(3), gone(PROTOCOL))
case("http2/5.1/1 idle: DATA", data(1), gone(PROTOCOL))
case("http2/5.1/2 idle: RST_STREAM", reset(1), gone(PROTOCOL))
case("http2/5.1/3 idle: WINDOW_UPDATE", window(1, 100), gone(PROTOCOL))
case("http2/5.1/4 idle: CONTINUATION", continuation(1, block(request())), gone(PROTOCOL))
case("http2/5.1/5 half-closed (remote): DATA", get(1, "/bytes/100000") + data(1), LATE)
case("http2/5.1/6 half-closed (remote): HEADERS", get(1, "/bytes/100000") + get(1), LATE)
case("http2/5.1/7 half-closed (remote): CONTINUATION", get(1, "/bytes/100000") + continuation(1, b""), gone(PROTOCOL))
case("http2/5.1/8 closed by RST_STREAM: DATA", post(1) + reset(1) + data(1), LATE)
case("http2/5.1/9 closed by RST_STREAM: HEADERS", post(1) + reset(1) + get(1), LATE)
case("http2/5.1/10 closed by RST_STREAM: CONTINUATION", post(1) + reset(1) + continuation(1, b""), gone(PROTOCOL))
case("http2/5.1/11 closed: DATA", after(1, data(1)), gone(CLOSED))
case("http2/5.1/12 closed: HEADERS", after(1, get(1)), gone(CLOSED))
case("http2/5.1/13 closed: CONTINUATION", after(1, continuation(1, b"")), gone(PROTOCOL))
case("http2/5.1.1/1 an even stream", get(2), gone(PROTOCOL))
case("http2/5.1.1/2 a stream lower than another", get(5) + get(3), gone(PROTOCOL))


def too_many(peer):
    most = peer.settings[STREAMS]
    return b"".join(get(2 * n + 1) for n in range(most + 1))


def refused(peer):
    stream_reset(2 * peer.settings[STREAMS] + 1, REFUSED)(peer)
    peer.send(window(1, 100))
    answered(1, body=HELLO)(peer)


case("http2/5.1.2/1 more streams than SETTINGS_MAX_CONCURRENT_STREAMS", too_many, refused, [(INITIAL, 0)])
case(
    "http2/5.3.1/1 HEADERS that depend on themselves",
    headers(1, before=b"\0\0\0\1\xff", flags=5 | WITH_PRIORITY),
    malformed,
)
case(
    "http2/5.3.1/2 PRIORITY that depends on itself",
    priority(2, depends=2),
    either(stream_reset(2, PROTOCOL), gone(PROTOCOL)),
)
case("http2/5.4.1/1 an invalid PING: the connection is closed", frame(PING, 0, 3, bytes(8)), gone(PROTOCOL))
case("http2/5.4.1/2 an invalid PING: GOAWAY says so", frame(PING, 0, 3, bytes(8)), gone(PROTOCOL, last=0))
case("http2/5.5/1 an extension frame", frame(UNKNOWN, 0xFF, 7, bytes(100)) + ping(), PONG)
case("http2/5.5/2 an extension frame inside a header block", headers(1, flags=1) + frame(UNKNOWN, 0, 1), gone(PROTOCOL))
case("http2/6.1/1 DATA on stream 0", data(0), gone(PROTOCOL))
case("http2/6.1/2 DATA on a stream that is not open", get(1) + data(1), LATE)
case("http2/6.1/3 more padding than DATA", post(1) + data(1, b"\x05test", PADDED | END_STREAM), gone(PROTOCOL))
case("http2/6.2/1 HEADERS without END_HEADERS, then PRIORITY", headers(1, flags=1) + priority(1), gone(PROTOCOL))
case("http2/6.2/2 HEADERS without END_HEADERS, then HEADERS of another", headers(1, flags=1) + get(3), gone(PROTOCOL))
case("http2/6.2/3 HEADERS on stream 0", get(0), gone(PROTOCOL))
case("http2/6.2/4 more padding than HEADERS", frame(HEADERS, 5 | PADDED, 1, b"\xff" + block(request())), gone(PROTOCOL))
case("http2/6.3/1 PRIORITY on stream 0", priority(0, depends=1), gone(PROTOCOL))
case(
    "http2/6.3/2 PRIORITY of another length than 5",
    frame(PRIORITY, 0, 1, bytes(4)),
    either(stream_reset(1, SIZE), gone(SIZE)),
)
case("http2/6.4/1 RST_STREAM on stream 0", reset(0), gone(PROTOCOL))
case("http2/6.4/2 RST_STREAM on an idle stream", reset(1), gone(PROTOCOL))
case("http2/6.4/3 RST_STREAM of another length than 4", post(1) + frame(RST, 0, 1, bytes(3)), gone(SIZE))
case("http2/6.5/1 an acknowledgement of SETTINGS with a payload", frame(SETTINGS, ACK, 0, bytes(6)), gone(SIZE))
case("http2/6.5/2 SETTINGS on a stream", frame(SETTINGS, 0, 1, bytes(6)), gone(PROTOCOL))
case("http2/6.5/3 SETTINGS of another length than a multiple of 6", frame(SETTINGS, 0, 0, bytes(3)), gone(SIZE))
case("http2/6.5.2/1 ENABLE_PUSH other than 0 and 1", settings((ENABLE_PUSH, 2)), gone(PROTOCOL))
case("http2/6.5.2/2 INITIAL_WINDOW_SIZE above its bound", settings((INITIAL, 1 << 31)), gone(FLOW))
case("http2/6.5.2/3 MAX_FRAME_SIZE below its bound", settings((FRAME, 16383)), gone(PROTOCOL))
case("http2/6.5.2/4 MAX_FRAME_SIZE above its bound", settings((FRAME, 1 << 24)), gone(PROTOCOL))
case("http2/6.5.2/5 an unknown setting", settings((0xFF, 1)) + ping(), PONG)
case(
    "http2/6.5.3/1 the last of several INITIAL_WINDOW_SIZE counts",
    settings((INITIAL, 100), (INITIAL, 1)) + get(1),
    data_of(1),
)
case("http2/6.5.3/2 SETTINGS are acknowledged", settings((ENABLE_PUSH, 0)), ACKNOWLEDGED)
case("http2/6.7/1 PING is answered with the same octets", ping(), PONG)
case(
    "http2/6.7/2 an acknowledgement of a PING is not answered",
    ping(b"no no no", ACK) + ping(b"yes yes "),
    lambda peer: equal(peer.next().opaque_data, b"yes yes "),
)
case("http2/6.7/3 PING on a stream", frame(PING, 0, 1, bytes(8)), gone(PROTOCOL))
case("http2/6.7/4 PING of another length than 8", frame(PING, 0, 0, bytes(6)), gone(SIZE))
case("http2/6.8/1 GOAWAY on a stream", goaway(stream=1), gone(PROTOCOL))
case("http2/6.9/1 WINDOW_UPDATE of 0 for the connection", window(0, 0), gone(PROTOCOL))
case("http2/6.9/2 WINDOW_UPDATE of 0 for a stream", post(1) + window(1, 0), malformed)
case("http2/6.9/3 WINDOW_UPDATE of another length than 4", frame(WINDOW, 0, 0, bytes(3)), gone(SIZE))
case("http2/6.9.1/1 no more than a window of 1 is sent", settings((INITIAL, 1)) + get(1), data_of(1))
case("http2/6.9.1/2 the connection's window above 2^31-1", window(0, 0x7FFFFFFF) * 2, gone(FLOW))
case("http2/6.9.1/3 a stream's window above 2^31-1", post(1) + window(1, 0x7FFFFFFF) * 2, stream_reset(1, FLOW))
case(
    "http2/6.9.2/1 a changed INITIAL_WINDOW_SIZE counts for what is open",
    get(1) + settings((INITIAL, 1)),
    data_of(1),
    [(INITIAL, 0)],
)


def negative(peer):
    peer.send(settings((INITIAL, 3)) + get(1))
    data_of(3)(peer)
    peer.send(settings((INITIAL, 2)))
    alive(peer)  # the window is -1
    return window(1, 2)


case("http2/6.9.2/2 a window below 0", negative, data_of(1))
case("http2/6.9.2/3 INITIAL_WINDOW_SIZE above the largest window", settings((INITIAL, 1 << 31)), gone(FLOW))
case(
    "http2/6.10/1 several CONTINUATION",
    headers(1, flags=1) + continuation(1, b"", False) + continuation(1, literal("x", "y")),
    answered(),
)
case("http2/6.10/2 DATA inside a header block", headers(1, flags=1) + data(1), gone(PROTOCOL))
case("http2/6.10/3 CONTINUATION on stream 0", headers(1, flags=1) + continuation(0, b""), gone(PROTOCOL))
case("http2/6.10/4 CONTINUATION behind HEADERS with END_HEADERS", post(1) + continuation(1, b""), gone(PROTOCOL))
case(
    "http2/6.10/5 CONTINUATION behind CONTINUATION with END_HEADERS",
    headers(1, request("POST", "/echo"), 0) + continuation(1, b"") + continuation(1, b""),
    gone(PROTOCOL),
)
case("http2/6.10/6 CONTINUATION behind DATA", post(1) + data(1, flags=0) + continuation(1, b""), gone(PROTOCOL))
case("http2/7/1 GOAWAY with an unknown code", after(1, goaway(code=0xFF)), gone("NO_ERROR", last=1))
case("http2/7/2 RST_STREAM with an unknown code", post(1) + reset(1, 0xFF) + ping(), PONG)
case("http2/8.1/1 a second HEADERS without END_STREAM", post(1) + headers(1, [("x", "y")], OPEN) + data(1), malformed)


bad_field("http2/8.1.2/1", "a name in upper case", "X-TEST", "ok")
bad("http2/8.1.2.1/1", "an unknown pseudo-header field", (":test", "ok"), *request())
bad("http2/8.1.2.1/2", "a pseudo-header field of responses", (":status", "200"), *request())
case(
    "http2/8.1.2.1/3 a pseudo-header field in trailers",
    post(1) + data(1, flags=0) + headers(1, [(":method", "POST")]),
    malformed,
)
bad("http2/8.1.2.1/4", "a pseudo-header field behind others", ("x", "y"), *request())
bad_field("http2/8.1.2.2/1", "a connection-specific field", "connection", "keep-alive")
bad_field("http2/8.1.2.2/2", "TE other than trailers", "te", "trailers, deflate")
bad("http2/8.1.2.3/1", "an empty :path", *request(path=""))
bad("http2/8.1.2.3/2", "no :method", *request(method=None))
bad("http2/8.1.2.3/3", "no :scheme", *request(scheme=None))
bad("http2/8.1.2.3/4", "no :path", *request(path=None))
for at, twice in enumerate(("method", "scheme", "path"), 5):
    bad(f"http2/8.1.2.3/{at}", f":{twice} twice", *request(), *[it for it in request() if it[0] == ":" + twice])
case("http2/8.1.2.6/1 Content-Length other than the DATA", post(1, ("content-length", "1")) + data(1), malformed)
case(
    "http2/8.1.2.6/2 Content-Length other than several DATA",
    post(1, ("content-length", "1")) + data(1, flags=0) + data(1),
    malformed,
)
case("http2/8.2/1 PUSH_PROMISE", frame(PUSH, END_HEADERS, 1, b"\0\0\0\3" + block(request())), gone(PROTOCOL))

# --- hpack -----------------------------------------------------------------------

case("hpack/2.3.3/1 an index beyond the tables", headers(1, after=b"\xc6"), gone(COMPRESSION))
case("hpack/2.3.3/2 a name beyond the tables", headers(1, after=b"\x7f\x07\x05h2spec"), gone(COMPRESSION))
case("hpack/4.2/1 a table size update at the end of a block", headers(1, after=b"\x21"), gone(COMPRESSION))
case(
    "hpack/5.2/1 Huffman padding of more than 7 bits",
    headers(1, after=b"\x00\x01x\x85\x9c\x48\xac\xa4\xff"),
    gone(COMPRESSION),
)
case(
    "hpack/5.2/2 Huffman padding of zeros",
    headers(1, after=b"\x00\x85\xf2\xb2\x4a\x87\xff\x83\xb2\x4a\x80"),
    gone(COMPRESSION),
)
case("hpack/5.2/3 the Huffman code of EOS", headers(1, after=b"\x00\x01x\x84\xff\xff\xff\xff"), gone(COMPRESSION))
case("hpack/6.1/1 the index 0", headers(1, after=b"\x80"), gone(COMPRESSION))
case(
    "hpack/6.3/1 a table larger than SETTINGS_HEADER_TABLE_SIZE", headers(1, before=b"\x3f\xe2\x1f"), gone(COMPRESSION)
)

if not WORDS and len(REGISTERED) != 147:
    raise SystemExit(f"{len(REGISTERED)} cases, not 147")
finish()
