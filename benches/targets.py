"""What barewire aims at, and what of it the results show."""

import math
import statistics

FLOORS = ("http_floor", "http2_floor", "websocket_floor", "tls_floor")
# As bare as a floor, and not what ratios are of.
BARE = ("tls_blocking",)
OURS = ("barewire", "barewire_2", "barewire_tls", "barewire_aws_lc_tls")


class Results:
    """Figures by what they are of. What was not measured is None."""

    def __init__(self, servers, codecs, counts):
        self.rows = {(row["step"], row["case"], row["server"]): row["turns"] for row in servers}
        self.ns = {(one["group"], one["function"], one["value"]): one["ns"] for one in codecs}
        self.counts = counts

    def server(self, step, case, figure, server="barewire"):
        turns = self.rows.get((step, case, server))
        return statistics.median(turn[figure] for turn in turns) if turns else None

    def cpu(self, case, server="barewire"):
        """Processor time of an operation in µs."""
        return self.server("load", case, "cpu_us", server)

    def many_to_few(self, many, few):
        """The instructions of a case with many connections to those of one with few."""
        return ratio(self.instructions(many), self.instructions(few))

    def to_floor(self, case):
        return ratio(self.cpu(case), least(self.cpu(case, floor) for floor in FLOORS))

    def to_peers(self, case, us="barewire"):
        peers = {server for step, name, server in self.rows if (step, name) == ("load", case)} - {*FLOORS, *BARE, *OURS}
        return ratio(self.cpu(case, us), least(self.cpu(case, peer) for peer in peers))

    def to_plain(self, case, more=0):
        """Over TLS to the same without it, and so many µs more."""
        plain = self.cpu(case)
        return ratio(self.cpu(case, "barewire_tls"), plain and plain + more)

    def instructions(self, case):
        return self.server("instructions", case, "instructions")

    def memory(self, case, server="barewire"):
        return self.server("memory", case, "bytes_per_connection", server)

    def calls(self, case, *names, without=()):
        """System calls of an operation: those named, or all."""
        turns = self.rows.get(("calls", case, "barewire"))
        if not turns:
            return None
        return sum(count for name, count in turns[0].items() if (not names or name in names) and name not in without)

    def sends_a_read(self, case):
        return ratio(self.calls(case, "sendto", "sendmsg", "write", "writev"), self.calls(case, "recvfrom", "read"))

    def codec(self, group, value=None, function="barewire"):
        return self.ns.get((group, function, None if value is None else str(value)))

    def codec_ratios(self, group):
        """Of ours to the best peer, one for each value of a group."""
        found = []
        for (of, function, value), ours in self.ns.items():
            if of == group and function == "barewire":
                peers = [ns for (name, peer, at), ns in self.ns.items()
                         if (name, at) == (group, value) and peer != "barewire"]
                found += [ours / min(peers)] if peers else []
        return found

    def count_ratios(self, ours, theirs):
        """Of instructions counted for the same inputs."""
        return [count / self.counts[theirs + name.removeprefix(ours)] for name, count in self.counts.items()
                if name.startswith(ours) and theirs + name.removeprefix(ours) in self.counts]


def ratio(value, other):
    return value / other if value is not None and other else None


def least(values):
    return min((value for value in values if value is not None), default=None)


def worst(values):
    return max(values, default=None)


def geometric(values):
    return math.exp(statistics.fmean(map(math.log, values))) if values else None


def idle(most, protocol):
    """What an idle connection may take, of few and of many."""
    return [("idle connection, %s of them" % count, most, "B", lambda r, case="%s-%s" % (name, protocol): r.memory(case))
            for count, name in [("4,000", "idle"), ("9,000", "idle9k")]]


# What is aimed at, at most how much of it, in which unit ("" is a ratio), and where it is found.
TARGETS = [
    ("HTTP/1.1 server", [
        ("GET, to the floor", 1.05, "", lambda r: r.to_floor("http-get")),
        ("GET pipelined 16, to the floor", 1.2, "", lambda r: r.to_floor("http-get-16")),
        ("GET, user instructions", 1500, "", lambda r: r.instructions("http-get")),
        ("GET, 1,000 active connections to 64, instructions", 1.02, "",
         lambda r: r.many_to_few("http-get-1000", "http-get")),
        ("GET pipelined 16, user instructions", 500, "", lambda r: r.instructions("http-get-16")),
        ("GET, system calls without waiting", 2.05, "", lambda r: r.calls("http-get", without=["epoll_wait"])),
        ("GET, `epoll_ctl` per request", 0.01, "", lambda r: r.calls("http-get", "epoll_ctl")),
        ("64 KiB body", 14.8, "µs", lambda r: r.cpu("http-64k")),
        ("1 MiB body", 170, "µs", lambda r: r.cpu("http-1m")),
        ("1 MiB file", 90, "µs", lambda r: r.cpu("file-1m")),
        *idle(64, "http"),
    ]),
    ("HTTP/1.1 heads", [
        ("request heads to httparse, worst", 0.6, "", lambda r: worst(r.codec_ratios("request heads"))),
        ("response head to httparse", 0.6, "", lambda r: worst(r.codec_ratios("response heads"))),
        ("heads to httparse, geometric mean", 0.5, "",
         lambda r: geometric(r.codec_ratios("request heads") + r.codec_ratios("response heads"))),
        ("heads to httparse, instructions, worst", 0.6, "",
         lambda r: worst(r.count_ratios("http1 re", "httparse re"))),
        ("size line of a chunk, with its data and its end", 5.5, "ns", lambda r: r.codec("chunks")),
    ]),
    ("WebSocket", [
        ("unmasking to the best of the peers here, worst size", 1.03, "", lambda r: worst(r.codec_ratios("unmask"))),
        *[("frame head, %s" % label, 6, "ns", lambda r, size=size: r.codec("frame heads", size))
          for size, label in [(16, "16 B"), (1024, "1 KiB"), (1 << 20, "1 MiB")]],
        *[("text message, %s, %s" % (kind, label), most, "ns",
           lambda r, kind=kind, size=size: r.codec("text messages, " + kind, size))
          for kind, sizes in [("ASCII", (30, 30, 75, 4000)), ("mixed", (35, 35, 165, 9500))]
          for (size, label), most in zip([(16, "16 B"), (128, "128 B"), (1024, "1 KiB"), (65536, "64 KiB")], sizes)],
        ("echo of 16 B, to the floor", 1.05, "", lambda r: r.to_floor("websocket-16")),
        ("the same, 16 in flight", 1.1, "", lambda r: r.to_floor("websocket-16-16")),
        ("echo of 1 KiB text, 16 in flight, to the floor", 1.1, "", lambda r: r.to_floor("websocket-1k-16")),
        ("echo of 16 KiB, to the floor", 1.05, "", lambda r: r.to_floor("websocket-16k")),
        ("echo of 64 KiB to the best of the peers here", 1, "", lambda r: r.to_peers("websocket-64k")),
        ("echo of 1 MiB to the best of the peers here", 1, "", lambda r: r.to_peers("websocket-1m")),
        ("2 million messages of 16 B a second and core", 0.5, "µs", lambda r: r.cpu("websocket-16-16")),
        ("sends per read, 16 in flight", 1.05, "", lambda r: r.sends_a_read("websocket-16-16")),
        ("echo of 16 B, 1,000 active connections to 100, instructions", 1.02, "",
         lambda r: r.many_to_few("websocket-16-1000", "websocket-16")),
        ("publishing 16 B, one in flight, to bare sends", 1.05, "", lambda r: r.to_floor("room-16-1")),
        ("the same, two in flight, which may leave in one write", 1.05, "", lambda r: r.to_floor("room-16")),
        ("publishing 1 KiB, one in flight, to bare sends", 1.05, "", lambda r: r.to_floor("room-1k-1")),
        ("the same, two in flight", 1.05, "", lambda r: r.to_floor("room-1k")),
        *idle(128, "websocket"),
    ]),
    ("Server-sent events", [
        *[("decoded, %s" % value, most, "ns", lambda r, value=value: r.codec("events, decoded", value))
          for value, most in [("tick, 18 B", 30), ("token, 238 B", 40), ("id, event, data, 128 B", 80),
                              ("64 KiB", 8000)]],
        ("decoded byte by byte, per byte", 10, "ns", lambda r: r.codec("events, byte by byte")),
        *[("encoded, %s" % value, most, "ns", lambda r, value=value: r.codec("events, encoded", value))
          for value, most in [("tick, 18 B", 30), ("token, 238 B", 40), ("id, event, data, 128 B", 50)]],
    ]),
    ("HTTP/2 and gRPC", [
        *[("HPACK, a field decoded, %s" % value, most, "ns",
           lambda r, value=value: r.codec("HPACK, decoded, per field", value))
          for value, most in [("indexed", 80), ("Huffman", 110), ("plain", 28)]],
        ("HPACK, a field encoded", 100, "ns", lambda r: r.codec("HPACK, encoded, per field")),
        ("GET, 1 connection, 100 streams", 2, "µs", lambda r: r.cpu("http2-get")),
        ("the same, user instructions", 3500, "", lambda r: r.instructions("http2-get")),
        ("unary call, 1 connection, 10 streams", 2.5, "µs", lambda r: r.cpu("grpc-unary-1")),
        ("the same, to tonic", 0.17, "", lambda r: ratio(r.cpu("grpc-unary-1"), r.cpu("grpc-unary-1", "tonic"))),
        ("the same, user instructions", 4000, "", lambda r: r.instructions("grpc-unary-1")),
        ("streamed message", 0.1, "µs", lambda r: r.cpu("grpc-stream")),
        *idle(1536, "http2"),
    ]),
]

# A record of 16 KiB takes 3.2 µs to seal and 3.3 to open.
TLS_TARGETS = [
    ("TLS", [
        ("GET to one without TLS", 1.12, "", lambda r: r.to_plain("tls-get")),
        ("GET to the best peer", 0.85, "", lambda r: r.to_peers("tls-get", "barewire_tls")),
        ("connection with its handshakes to the best peer", 1, "",
         lambda r: r.to_peers("tls-connect", "barewire_tls")),
        ("64 KiB body to the plain one and 1.1 of the cipher (4 records)", 1, "",
         lambda r: r.to_plain("tls-64k", 1.1 * 4 * 3.2)),
        ("echo of 1 MiB to the plain one and 1.1 of the cipher (64 records, both ways)", 1, "",
         lambda r: r.to_plain("tls-websocket-1m", 1.1 * 64 * (3.2 + 3.3))),
        ("echo of 16 B, 16 in flight, to one without TLS", 1.6, "", lambda r: r.to_plain("tls-websocket-16-16")),
        ("idle connection with ring, 9,000 of them", 3584, "B", lambda r: r.memory("idle9k-tls", "barewire_tls")),
        ("the same with aws-lc-rs", 2560, "B", lambda r: r.memory("idle9k-tls", "barewire_aws_lc_tls")),
    ]),
]


class ClientResults:
    """Processor time of clients, a list of turns by case and client."""

    def __init__(self, figures):
        self.turns = {(row["case"], row["client"]): [turn["cpu_us"] for turn in row["turns"]] for row in figures}

    def ratio(self, case, client, other, other_case=None):
        """The median of ratios within a round; None where one was not measured."""
        ours, theirs = self.turns.get((case, client)), self.turns.get((other_case or case, other))
        if not ours or not theirs:
            return None
        return statistics.median(a / b for a, b in zip(ours, theirs))


CLIENT_TARGETS = [
    ("Clients, processor time", [
        ("GETs one after another, to a bare socket", 1.2, "", lambda r: r.ratio("get", "barewire", "raw")),
        ("the same, to ureq", 0.62, "", lambda r: r.ratio("get", "barewire", "ureq")),
        ("GETs of 64 threads, to bare sockets", 1.3, "", lambda r: r.ratio("get-64", "barewire", "raw")),
        ("the same over one HTTP/2 connection, to 64 of HTTP/1.1", 0.6, "",
         lambda r: r.ratio("get-64", "barewire_2", "barewire")),
        ("64 GETs at a time on a loop, to a bare loop of mio", 1.15, "",
         lambda r: r.ratio("together-64", "barewire_loop", "raw_loop")),
        ("the same, to hyper-util's pool", 0.75, "", lambda r: r.ratio("together-64", "barewire_loop", "hyper_util")),
        ("download of 100 MB, to bare reads", 1.03, "", lambda r: r.ratio("download", "barewire", "raw")),
        ("event of 17 B of an event stream, to the bare decoder", 1.1, "",
         lambda r: r.ratio("events-17", "barewire", "raw")),
        ("the same, 74 B", 1.1, "", lambda r: r.ratio("events-74", "barewire", "raw")),
        ("echo of 16 B on a WebSocket, to a bare socket", 1.05, "", lambda r: r.ratio("echo", "barewire", "raw")),
        ("the same, 16 in flight", 1.1, "", lambda r: r.ratio("echo-16", "barewire", "raw")),
    ]),
]
