"""A showcase of one's own: for checks that end it, or that weigh it."""

import re
import subprocess
import threading

import requests

from checks import AT_ONCE, PATIENCE, equal


class Server:
    """A showcase of its own; `with` makes sure that it is gone."""

    def __init__(self, showcase, threads, port=0):
        """Starts it on `port`, or on one that the system chooses."""
        self.process = subprocess.Popen(
            [showcase, "--listen", f"127.0.0.1:{port}", "--threads", threads], stdout=subprocess.PIPE, text=True
        )
        for line in self.process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found.group(1))
                break
        else:
            raise AssertionError("it ended without saying where it listens")
        self.base = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        equal(requests.get(self.base + "/plaintext", timeout=PATIENCE).content, b"Hello, World!")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def tell(self, number):
        self.process.send_signal(number)

    def ended(self, within=AT_ONCE):
        """Waits for the end, which must come by itself: it gives clients 30 s."""
        try:
            status = self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running {within} s after the signal") from None
        equal(status, 0, "exit status")

    def memory(self):
        """Bytes that it holds in memory now."""
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise AssertionError("it is gone")
