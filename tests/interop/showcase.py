"""A showcase of one's own: for checks that end it, or that weigh it."""

import re
import subprocess
import threading

import requests

from checks import AT_ONCE, PATIENCE, equal


class Server:
    """A showcase of its own; `with` makes sure that it is gone."""

    def __init__(self, showcase, threads, port=0, tls=()):
        """Starts it on `port`, or on one that the system chooses; with the arguments for
        TLS it serves https on another port as well."""
        command = [showcase, "--listen", f"127.0.0.1:{port}", "--threads", threads]
        if tls:
            command += ["--listen-tls", "127.0.0.1:0", *tls]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.said, self.secure = [], None
        for line in self.process.stdout:
            self.said.append(line.strip())
            if found := re.search(r"(https?)://127\.0\.0\.1:(\d+)", line):
                if found.group(1) == "https":
                    self.secure = found.group(0)
                else:
                    self.base, self.port = found.group(0), int(found.group(2))
                if self.secure or not tls:
                    break
        else:
            raise AssertionError("it ended without saying where it listens")
        threading.Thread(target=self.listen, daemon=True).start()
        equal(requests.get(self.base + "/plaintext", timeout=PATIENCE).content, b"Hello, World!")

    def listen(self):
        """Notes what else it says."""
        for line in self.process.stdout:
            self.said.append(line.strip())

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
