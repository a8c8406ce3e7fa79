#!/usr/bin/env python3
"""The life of a process: systemd's sockets and messages, and restarts under load.

usage: process.py DEPLOYED
  DEPLOYED   the example `deployed`

Needs systemd-socket-activate (Debian: systemd); no systemd has to run.
"""

import collections
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from checks import PATIENCE, check, equal, eventually, finish

DEPLOYED = sys.argv[1]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


class Process:
    """A process whose output is kept. It is killed if the check ends first."""

    def __init__(self, *command, **environment):
        self.lines = []
        self.child = subprocess.Popen(
            command, env={**os.environ, **environment}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.child.stdout:
            self.lines.append(line.strip())

    def says(self, what):
        eventually(lambda: any(what in line for line in self.lines), f"it says {what!r}")

    def ended(self):
        return self.child.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.reader.join()


def get(port, path="/"):
    """Status, headers and body of one exchange on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


class Messages:
    """The socket that systemd would listen at."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(PATIENCE)

    def next(self):
        return self.socket.recv(4096).decode().strip()


@check("process systemd-socket-activate hands two sockets over, by their names")
def activated():
    first, second = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        messages = Messages(folder)
        command = [
            "systemd-socket-activate", "-l", f"127.0.0.1:{first}", "-l", f"127.0.0.1:{second}",
            "--fdname=http:admin", f"--setenv=NOTIFY_SOCKET={messages.path}",
            "--setenv=WATCHDOG_USEC=300000", DEPLOYED,
        ]
        with Process(*command) as process:
            process.says("Listening on")
            # The first connection starts the program, and is answered by it.
            status, headers, pid = get(second)
            equal((status, pid), (200, str(process.child.pid)))
            equal(headers["X-Content-Type-Options"], "nosniff")
            equal(get(first)[2], pid)
            process.says("handed over: Some(\"http\")")
            process.says("handed over: Some(\"admin\")")
            equal(messages.next(), "READY=1")
            for _ in range(3):
                equal(messages.next(), "WATCHDOG=1")
            equal(get(first, "/readyz")[::2], (200, "ready"))
            process.child.send_signal(signal.SIGTERM)
            while (message := messages.next()) == "WATCHDOG=1":
                pass
            equal(message, "STOPPING=1")
            # It still serves, for the second of grace, and says that it leaves.
            equal(get(first, "/readyz")[::2], (503, "not ready"))
            equal(get(first, "/healthz")[::2], (200, "alive"))
            equal(process.ended(), 0)


@check("process what waits in a socket of systemd's is answered by the next process")
def waits():
    """As systemd does: the socket stays, the process behind it changes."""
    with socket.create_server(("127.0.0.1", 0)) as kept:
        port = kept.getsockname()[1]

        def start():
            # LISTEN_PID is that of the shell, which becomes the program.
            script = f'exec 3<&{kept.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0"'
            child = subprocess.Popen(["sh", "-c", script, DEPLOYED], pass_fds=[kept.fileno()], stdout=subprocess.DEVNULL)
            return child

        first = start()
        equal(get(port)[2], str(first.pid))
        first.send_signal(signal.SIGINT)
        first.send_signal(signal.SIGINT)
        first.wait(PATIENCE)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(get(port)[2]))
        asking.start()
        time.sleep(0.2)
        equal(answers, [])
        second = start()
        asking.join(PATIENCE)
        equal(answers, [str(second.pid)])
        second.kill()
        second.wait()


@check("process three restarts under load refuse and reset nobody", 120)
def restarts():
    port = free_port()
    answered, failed, stop = collections.Counter(), [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                status, _, pid = get(port)
                assert status == 200, status
                answered[pid] += 1
            except Exception as error:  # noqa: BLE001: whatever it is, it must not be
                failed.append(repr(error))
                return

    with tempfile.TemporaryDirectory() as folder:
        variables = {"LISTEN": f"127.0.0.1:{port}", "THREADS": "2", "HAND_OVER": f"{folder}/hand-over"}
        process = Process(DEPLOYED, **variables)
        process.says("listening on")
        clients = [threading.Thread(target=ask) for _ in range(4)]
        for client in clients:
            client.start()
        try:
            for _ in range(3):
                own = str(process.child.pid)
                eventually(lambda own=own: answered[own] > 100 or failed, "it is asked")
                following = Process(DEPLOYED, **variables)
                following.says("listening on")
                equal(process.ended(), 0)
                process.__exit__()
                process = following
            own = str(process.child.pid)
            eventually(lambda: answered[own] > 100 or failed, "the last one is asked")
        finally:
            stop.set()
            for client in clients:
                client.join()
            process.__exit__()
    equal(failed, [])
    equal(len(answered), 4)


finish()
