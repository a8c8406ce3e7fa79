"""HTTP/2 frame by frame over a bare socket, and what a server must answer.

Header blocks that are sent are literals without indexing, so that a case is no
more than its octets; those that come are decoded by the package hpack, frames by
hyperframe. What is waited for is waited for as long as a busy machine may take,
and no verdict depends on time: silence is proved by a PING whose answer comes
instead.
"""

import socket
import struct
import time

import hpack
import hyperframe.frame as frames

from checks import PATIENCE, equal
from wire import connected

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
UNKNOWN = 0x16
ACK = END_STREAM = 0x1
END_HEADERS, PADDED, WITH_PRIORITY = 0x4, 0x8, 0x20
TABLE, ENABLE_PUSH, STREAMS, INITIAL, FRAME, LIST, _, CONNECT = range(1, 9)
CODES = (
    "NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR"
    " REFUSED_STREAM CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM INADEQUATE_SECURITY HTTP_1_1_REQUIRED"
).split()


def frame(kind, flags, stream, payload=b"", length=None):
    """One frame; `length` lies about the payload."""
    head = struct.pack(">I", len(payload) if length is None else length)[1:]
    return head + struct.pack(">BBI", kind, flags, stream) + payload


def integer(value, prefix, first=0):
    """An integer of RFC 7541 §5.1."""
    most = (1 << prefix) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytearray([first | most]), value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def text(value):
    value = value.encode("latin-1") if isinstance(value, str) else value
    return integer(len(value), 7) + value


def literal(name, value, first=0x00):
    """A literal of a new name: 0x00 without indexing, 0x40 indexed, 0x10 never."""
    return bytes([first]) + text(name) + text(value)


def block(fields):
    return b"".join(literal(name, value) for name, value in fields)


def request(method="GET", path="/plaintext", *more, **replaced):
    """The fields of a request; `scheme=None` leaves one out, `more` comes behind."""
    fields = {"method": method, "scheme": "http", "path": path, "authority": "showcase", **replaced}
    return [(":" + name, value) for name, value in fields.items() if value is not None] + list(more)


def headers(stream, fields=None, flags=END_STREAM | END_HEADERS, before=b"", after=b""):
    fields = request() if fields is None else fields
    encoded = fields if isinstance(fields, bytes) else block(fields)
    return frame(HEADERS, flags, stream, before + encoded + after)


def get(stream, path="/plaintext", *more):
    return headers(stream, request("GET", path, *more))


def post(stream, *more, path="/echo", end=0):
    return headers(stream, request("POST", path, *more), END_HEADERS | end)


def data(stream, payload=b"test", flags=END_STREAM):
    return frame(DATA, flags, stream, payload)


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def ping(opaque=b"whatever", flags=0):
    return frame(PING, flags, 0, opaque)


def window(stream, increment):
    return frame(WINDOW, 0, stream, struct.pack(">I", increment))


def reset(stream, code=8):
    return frame(RST, 0, stream, struct.pack(">I", code))


def priority(stream, depends=0, weight=15, exclusive=False):
    return frame(PRIORITY, 0, stream, struct.pack(">IB", depends | exclusive << 31, weight))


def goaway(last=0, code=0, debug=b"", stream=0):
    return frame(GOAWAY, 0, stream, struct.pack(">II", last, code) + debug)


def continuation(stream, payload, end=True):
    return frame(CONTINUATION, END_HEADERS if end else 0, stream, payload)


class Violation(AssertionError):
    """The server answered otherwise than it must."""


class Peer:
    """One connection. `seen` is what came, for the message of a failure."""

    def __init__(self, base, greeting=True, pairs=()):
        self.socket = connected(base, PATIENCE, "h2")
        self.end = time.monotonic() + PATIENCE
        self.kept, self.seen, self.told = b"", [], {}
        self.again = None  # a frame that is to be looked at once more
        self.decoder = hpack.Decoder()
        self.settings = {}
        if greeting:
            self.send(PREFACE + settings(*pairs))
            first = self.next()
            if not isinstance(first, frames.SettingsFrame) or "ACK" in first.flags:
                raise Violation(f"the first frame is {first}")
            self.send(frame(SETTINGS, ACK, 0))
            self.until(lambda it: isinstance(it, frames.SettingsFrame) and "ACK" in it.flags)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def take(self, count):
        while len(self.kept) < count:
            if time.monotonic() > self.end:
                raise Violation(f"nothing more within {PATIENCE} s, after {self.story()}")
            try:
                got = self.socket.recv(65536)
            except TimeoutError:
                continue
            except ConnectionResetError:
                raise Violation(f"reset by TCP, after {self.story()}") from None
            if not got:
                return None
            self.kept += got
        part, self.kept = self.kept[:count], self.kept[count:]
        return part

    def next(self):
        """The next frame, or None at the end."""
        if self.again is not None:
            one, self.again = self.again, None
            return one
        head = self.take(9)
        if head is None:
            if self.kept:
                raise Violation(f"the end inside a frame, after {self.story()}")
            return None
        one, length = frames.Frame.parse_frame_header(memoryview(head))
        if length > 16384:
            raise Violation(f"a frame of {length} octets, more than was allowed")
        body = self.take(length)
        if body is None:
            raise Violation(f"the end inside a frame, after {self.story()}")
        one.parse_body(memoryview(body))
        if isinstance(one, frames.HeadersFrame):
            if "END_HEADERS" not in one.flags:
                rest = self.next()
                if not isinstance(rest, frames.ContinuationFrame) or rest.stream_id != one.stream_id:
                    raise Violation(f"{rest} inside a header block")
            one.fields = self.decoder.decode(one.data)
        if isinstance(one, frames.SettingsFrame):
            self.settings.update(one.settings)
        self.seen.append(one)
        return one

    def until(self, wanted):
        """The next frame that `wanted` holds of."""
        while (one := self.next()) is not None:
            if wanted(one):
                return one
        raise Violation(f"the end, after {self.story()}")

    def of(self, stream):
        """The next frame of a stream, or GOAWAY for an error; those of others wait in `seen`."""
        at = self.told.get(stream, 0)
        while True:
            while at < len(self.seen):
                one, at = self.seen[at], at + 1
                if one.stream_id == stream or isinstance(one, frames.GoAwayFrame) and one.error_code:
                    self.told[stream] = at
                    return one
            if self.next() is None:
                raise Violation(f"the end, after {self.story()}")

    def story(self):
        return "; ".join(describe(one) for one in self.seen[-8:]) or "nothing"


def describe(one):
    what = type(one).__name__.removesuffix("Frame") + (f" on {one.stream_id}" if one.stream_id else "")
    code = getattr(one, "error_code", None)
    return what if code is None else f"{what} {CODES[code] if code < len(CODES) else code}"


def is_code(code, codes):
    return code < len(CODES) and CODES[code] in codes


# What a server must answer: each is a function of a peer that raises.


def gone(*codes, last=None, first=()):
    """GOAWAY with one of these codes, and then the end of the stream of TCP, not its
    reset. The replies in `first` (streams) come before."""

    def judge(peer):
        away = peer.until(lambda it: isinstance(it, frames.GoAwayFrame))
        if not is_code(away.error_code, codes):
            raise Violation(f"not {' or '.join(codes)}: {peer.story()}")
        if last is not None and away.last_stream_id != last:
            raise Violation(f"the last stream is said to be {away.last_stream_id}, not {last}")
        ended = {it.stream_id for it in peer.seen if "END_STREAM" in it.flags}
        if missing := set(first) - ended:
            raise Violation(f"no reply on {missing}: {peer.story()}")
        peer.socket.shutdown(socket.SHUT_WR)
        if (more := peer.next()) is not None:
            raise Violation(f"{describe(more)} behind GOAWAY")

    judge.kind = frames.GoAwayFrame
    return judge


def stream_reset(stream, *codes):
    """RST_STREAM with one of these codes instead of an answer; the connection lives."""

    def judge(peer):
        one = peer.until(
            lambda it: it.stream_id == stream
            and not isinstance(it, frames.WindowUpdateFrame)
            or isinstance(it, frames.GoAwayFrame)
        )
        if not isinstance(one, frames.RstStreamFrame) or not is_code(one.error_code, codes):
            raise Violation(f"not RST_STREAM {' or '.join(codes)}: {peer.story()}")
        alive(peer)

    judge.kind = frames.RstStreamFrame
    return judge


malformed = stream_reset(1, "PROTOCOL_ERROR")


def either(*judges):
    """The one of these that is about the kind of frame that comes."""

    def judge(peer):
        kinds = {it.kind: it for it in judges}
        one = peer.until(lambda it: type(it) in kinds or isinstance(it, (frames.GoAwayFrame, frames.RstStreamFrame)))
        if type(one) not in kinds:
            raise Violation(f"not what is allowed: {peer.story()}")
        peer.again = one
        kinds[type(one)](peer)

    return judge


def alive(peer):
    """A PING is answered, and until then nothing is ended."""
    mark = b"alive?%02d" % (len(peer.seen) % 100)
    peer.send(ping(mark))
    while True:
        one = peer.next()
        if one is None or isinstance(one, (frames.GoAwayFrame, frames.RstStreamFrame)):
            raise Violation(f"the connection or a stream is over: {peer.story()}")
        if isinstance(one, frames.PingFrame) and one.opaque_data == mark:
            return


def answered(stream=1, status=200, body=None, fields=()):
    """A whole response on `stream`, with this status, body and fields."""

    def judge(peer):
        head, content = None, b""
        while True:
            one = peer.of(stream)
            if isinstance(one, frames.WindowUpdateFrame):
                continue
            if isinstance(one, frames.HeadersFrame) and (head is None or dict(head)[":status"].startswith("1")):
                head = one.fields
            elif isinstance(one, frames.DataFrame) and head is not None:
                content += one.data
            else:
                raise Violation(f"no response: {peer.story()}")
            if "END_STREAM" in one.flags:
                break
        found = dict(head)
        if int(found[":status"]) != status:
            raise Violation(f"status {found[':status']}, not {status}")
        if body is not None and content != body:
            raise Violation(f"a body of {len(content)} octets: {content[:60]!r}")
        for name, value in fields:
            if found.get(name) != value:
                raise Violation(f"{name}: {found.get(name)}, not {value}")

    return judge


def both(*judges):
    """One after the other."""

    def judge(peer):
        for each in judges:
            each(peer)

    return judge


SAYS_GOAWAY = lambda peer: peer.until(lambda it: isinstance(it, frames.GoAwayFrame))  # noqa: E731
# The connection lives, and another request is answered.
fine = both(alive, lambda peer: peer.send(get(4001)), answered(4001, body=b"Hello, World!"))
ACKNOWLEDGED = lambda peer: peer.until(
    lambda it: isinstance(it, frames.SettingsFrame) and "ACK" in it.flags
)  # noqa: E731
PONG = lambda peer: peer.until(
    lambda it: isinstance(it, frames.PingFrame) and it.opaque_data == b"whatever"
)  # noqa: E731


def SAYS_SETTINGS(peer):
    """The first frame of a server."""
    one = peer.next()
    if not isinstance(one, frames.SettingsFrame) or "ACK" in one.flags or one.settings.get(ENABLE_PUSH):
        raise Violation(f"not the server's preface: {peer.story()}")


def data_of(*lengths):
    """DATA of just these lengths, and then no more of it."""

    def judge(peer):
        for length in lengths:
            one = peer.until(lambda it: isinstance(it, frames.DataFrame))
            equal(len(one.data), length, "octets of DATA")
        at = len(peer.seen)
        alive(peer)
        if any(isinstance(it, frames.DataFrame) for it in peer.seen[at:]):
            raise Violation("DATA beyond the window")

    return judge


PROTOCOL, SIZE, FLOW, CLOSED = "PROTOCOL_ERROR", "FRAME_SIZE_ERROR", "FLOW_CONTROL_ERROR", "STREAM_CLOSED"
COMPRESSION, REFUSED, CALM = "COMPRESSION_ERROR", "REFUSED_STREAM", "ENHANCE_YOUR_CALM"
# Once a stream has ended, the server may or may not have forgotten it.
LATE = either(stream_reset(1, CLOSED), gone(CLOSED))
HELLO = b"Hello, World!"
BIG = b"." * 16384
OPEN = END_HEADERS  # the flags of a head whose body follows
