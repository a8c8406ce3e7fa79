"""A Redis server of one's own, and a link to it that misbehaves."""

import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from checks import PATIENCE, eventually


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Broker:
    """redis-server on a free port, which keeps nothing on disk; `with` ends it."""

    def __init__(self, *options):
        self.options, self.port = options, free_port()
        self.folder = tempfile.mkdtemp(prefix="broker")
        self.process = None
        self.start()

    def start(self):
        """Starts it, on the same port each time, and waits until it answers."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder]
        command += ["--save", "", "--appendonly", "no", "--loglevel", "warning", *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        eventually(self.answers, "redis-server answers")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"redis-server ended with {self.process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as one:
                one.settimeout(5)
                one.sendall(b"PING\r\n")
                return one.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def cli(self, *words):
        """What redis-cli says to a command."""
        command = ["redis-cli", "-p", str(self.port), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout.strip()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def memory(self):
        return int(self.cli("info", "memory").split("used_memory:")[1].split()[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Link:
    """A proxy in front of a port of this machine, which passes on what it is told to.

    `cut_after(n)` has the next connection end behind n bytes of the server's, so that a cut
    at each n loses bytes in each state of a conversation. `swallow()` leaves connections
    open and passes nothing on: what is called half open. `slow(n)` passes n bytes a second."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.pairs = set()
        self.cuts = []
        self.rate = None
        self.is_open = True
        self.swallows = False
        self.accepted = self.was_cut = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(near,), daemon=True).start()

    def serve(self, near):
        with self.lock:
            self.accepted += 1
            cut = self.cuts.pop(0) if self.cuts else None
        try:
            far = socket.create_connection(("127.0.0.1", self.target), PATIENCE)
        except OSError:
            return near.close()
        for one in (near, far):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = (near, far)
        with self.lock:
            if not self.is_open:
                return self.end(pair)
            self.pairs.add(pair)
        try:
            self.pass_on(near, far, cut)
        except OSError:
            pass
        finally:
            self.end(pair)

    def pass_on(self, near, far, cut):
        while True:
            ready, _, _ = select.select([near, far], [], [])
            if self.swallows:
                time.sleep(0.05)
                continue
            for one in ready:
                rate = self.rate
                data = one.recv(max(1, rate // 50) if rate else 65536)
                if not data:
                    return
                if one is far and cut is not None:
                    data, cut = data[:cut], cut - len(data)
                (near if one is far else far).sendall(data)
                if cut is not None and cut <= 0:
                    with self.lock:
                        self.was_cut += 1
                    return
                if rate:
                    time.sleep(len(data) / rate)

    def end(self, pair):
        with self.lock:
            self.pairs.discard(pair)
        for one in pair:
            # Also wakes the thread that waits for it.
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def cut(self):
        """Ends all connections that there are."""
        with self.lock:
            pairs = list(self.pairs)
        for near, far in pairs:
            for one in (near, far):
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def cut_after(self, *counts):
        """The connections that come next each end behind so many bytes of the server's."""
        with self.lock:
            self.cuts += counts

    def slow(self, rate):
        self.rate = rate

    def swallow(self, swallows=True):
        self.swallows = swallows

    def shut(self, is_shut=True):
        """Whether new connections are closed again at once; ends those that there are."""
        self.is_open = not is_shut
        if is_shut:
            self.cut()

    def close(self):
        self.listener.close()
        self.cut()
