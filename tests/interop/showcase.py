"""A showcase of one's own: for checks that end it, or that weigh it."""

import re
import socket
import subprocess
import threading
import time

import requests

from checks import equal, eventually


class Server:
    """A showcase of its own; `with` makes sure that it is gone."""

    def __init__(self, showcase, threads):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [showcase, "--listen", f"127.0.0.1:{port}", "--threads", threads], stdout=subprocess.PIPE, text=True
        )
        for line in self.process.stdout:
            if re.search(rf"127\.0\.0\.1:{port}\b", line):
                break
        else:
            raise AssertionError("it ended without saying where it listens")
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        eventually(self.is_up, 5, "it listens")

    def is_up(self):
        try:
            return requests.get(self.base + "/plaintext", timeout=2).ok
        except requests.ConnectionError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def tell(self, number):
        self.told = time.monotonic()
        self.process.send_signal(number)

    def ended(self, within):
        try:
            status = self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running {within} s after the signal") from None
        equal(status, 0, "exit status")
        return time.monotonic() - self.told

    def memory(self):
        """Bytes that it holds in memory now."""
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise AssertionError("it is gone")
