"""A bare socket that reads HTTP/1.1 answers: for what a stock client will not do."""

import socket
import ssl
import struct
import time
import urllib.parse


def connected(base, timeout=60, protocol="http/1.1"):
    """A socket to a server, over TLS if that is how it is reached."""
    url = urllib.parse.urlsplit(base)
    plain = socket.create_connection((url.hostname, url.port), timeout)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if url.scheme != "https":
        return plain
    context = ssl.create_default_context()
    context.set_alpn_protocols([protocol])
    # An end without close_notify is a fault.
    return context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)


class Answer:
    def __init__(self, version, status, fields, body):
        self.version, self.status, self.fields, self.body = version, status, fields, body

    def field(self, name):
        """All values of one field joined by commas, or None."""
        values = [value for key, value in self.fields if key == name.lower()]
        return ", ".join(values) if values else None


class Peer:
    """One connection; `with` closes it."""

    def __init__(self, base, timeout=60):
        self.socket = connected(base, timeout)
        self.kept = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def trickle(self, data, pieces=None):
        """Sends byte by byte, or in so many pieces, a millisecond apart; what is left after
        three seconds goes at once, because a server has deadlines of its own."""
        size = max(1, -(-len(data) // pieces)) if pieces else 1
        start = time.monotonic()
        for at in range(0, len(data), size):
            if time.monotonic() - start > 3:
                return self.send(data[at:])
            self.send(data[at : at + size])
            time.sleep(0.001)

    def kill(self):
        """Dies as a crashed program does: with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def receive(self, most=262144):
        return self.socket.recv(most)

    def fill(self):
        data = self.receive()
        self.kept += data
        return bool(data)

    def until(self, mark):
        while mark not in self.kept:
            if not self.fill():
                raise EOFError(f"closed before {mark!r}, after {self.kept[-80:]!r}")
        part, self.kept = self.kept.split(mark, 1)
        return part

    def take(self, count):
        parts, have = [self.kept], len(self.kept)
        while have < count:
            data = self.receive(min(262144, count - have))
            if not data:
                raise EOFError(f"closed after {have} of {count} bytes")
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        self.kept = whole[count:]
        return whole[:count]

    def rest(self):
        """Everything up to the close."""
        parts, self.kept = [self.kept], b""
        while parts[-1] or len(parts) == 1:
            parts.append(self.receive())
        return b"".join(parts)

    def is_closed(self):
        """Waits for the peer's close; fails if it sends bytes instead."""
        try:
            return not self.kept and not self.fill()
        except ConnectionResetError:
            return True

    def head(self):
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status, _reason = lines[0].split(" ", 2)
        fields = [line.split(":", 1) for line in lines[1:]]
        return Answer(version, int(status), [(name.lower(), value.strip(" \t")) for name, value in fields], b"")

    def answer(self, of="GET"):
        """The next final answer, whole; `of` is the method that it answers."""
        answer = self.head()
        while answer.status in (100, 103):
            answer = self.head()
        if of == "HEAD" or answer.status in (101, 204, 304):
            return answer
        if "chunked" in (answer.field("transfer-encoding") or ""):
            answer.body = b"".join(iter(self.chunk, b""))
        elif answer.field("content-length") is not None:
            answer.body = self.take(int(answer.field("content-length")))
        else:
            answer.body = self.rest()
        return answer

    def chunk(self):
        """The next chunk's data; empty for the last one, whose trailers are read."""
        size = int(self.until(b"\r\n").split(b";")[0], 16)
        if size == 0:
            while self.until(b"\r\n"):
                pass
            return b""
        data = self.take(size + 2)
        if data[size:] != b"\r\n":
            raise AssertionError(f"a chunk ends in {data[size:]!r}")
        return data[:size]


def request(method, target, *fields, body=b"", version="1.1"):
    """The bytes of a request; a body brings its Content-Length."""
    lines = [f"{method} {target} HTTP/{version}", "Host: showcase", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(data, size):
    """`data` in chunks of `size` bytes, without the last chunk."""
    return b"".join(
        b"%x\r\n%b\r\n" % (len(data[at : at + size]), data[at : at + size]) for at in range(0, len(data), size)
    )
