#!/usr/bin/env python3
"""Certificates of the showcase: made at start, given, and reloaded under load.

usage: tls_server.py SHOWCASE THREADS CERTIFICATES

CERTIFICATES is the folder that certificates.sh has filled. Starts its own servers,
because it tells them things.
"""

import collections
import hashlib
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from pathlib import Path

from checks import PATIENCE, check, equal, eventually, finish
from showcase import Server
from wire import Peer, request

SHOWCASE, THREADS, CERTIFICATES = sys.argv[1], sys.argv[2], Path(sys.argv[3])


class Secure(Peer):
    """A connection to a server whose certificate is signed by what is in `roots`."""

    def __init__(self, base, roots, show=None, version=None):
        url = urllib.parse.urlsplit(base)
        bare = socket.create_connection((url.hostname, url.port), PATIENCE)
        how = ssl.create_default_context(cafile=roots)
        if show:
            how.load_cert_chain(CERTIFICATES / f"{show}.pem", CERTIFICATES / f"{show}.key")
        if version:
            how.minimum_version = how.maximum_version = version
        self.socket = how.wrap_socket(bare, server_hostname="localhost", suppress_ragged_eofs=False)
        self.kept = b""

    def certificate(self):
        return self.socket.getpeercert(binary_form=True)

    def get(self, path="/plaintext"):
        self.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return self.answer()


def der(path):
    return ssl.PEM_cert_to_DER_cert(Path(path).read_text())


def fingerprint(der):
    return hashlib.sha256(der).hexdigest().upper()


@check("tls server: --tls makes a certificate, and says what and where it is")
def made():
    with Server(SHOWCASE, THREADS, tls=["--tls"]) as server:
        said = "\n".join(server.said)
        path = re.search(r"\S+\.pem", said).group(0)
        shown = re.search(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", said).group(0)
        with Secure(server.secure, path) as peer:
            equal(peer.get().body, b"Hello, World!")
            equal(fingerprint(peer.certificate()), shown.replace(":", ""))
        assert "PRIVATE" not in Path(path).read_text(), "the key lies there"


@check("tls server: a key of another certificate is refused, by the files' names")
def foreign_key():
    for certificate, key in [("server.pem", "other.key"), ("server.key", "server.key"), ("server.pem", "server.pem")]:
        files = ["--certificate", CERTIFICATES / certificate, "--key", CERTIFICATES / key]
        ended = subprocess.run(
            [SHOWCASE, "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0", *files],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert ended.returncode > 0 and str(CERTIFICATES) in ended.stderr, f"{ended.returncode}: {ended.stderr}"
        assert "panicked" not in ended.stderr, ended.stderr


@check("tls server: a reload under load loses no request", 300)
def reload_under_load():
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")

        def lay(name):
            shutil.copy(CERTIFICATES / f"{name}.pem", certificate)
            shutil.copy(CERTIFICATES / f"{name}.key", key)

        lay("server")
        with Server(SHOWCASE, THREADS, tls=["--certificate", certificate, "--key", key]) as server:
            root = CERTIFICATES / "ca.pem"
            tally, faults, over = collections.Counter(), [], threading.Event()

            def client(number):
                """Every request is answered, whatever its connection began with."""
                try:
                    while not over.is_set():
                        with Secure(server.secure, root) as peer:
                            for _ in range(number + 1):
                                size = 5000 * number
                                equal(len(peer.get(f"/bytes/{size}").body), size)
                                tally["answered"] += 1
                            tally[peer.certificate()] += 1
                except Exception as error:
                    faults.append(repr(error))

            clients = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(10)]
            old = Secure(server.secure, root)
            equal(old.get().body, b"Hello, World!")
            for one in clients:
                one.start()
            names = ["other", "server", "other"]
            for turn, name in enumerate(names):
                eventually(lambda: faults or tally["answered"] > 150 * (turn + 1), "requests are answered", 200)
                lay(name)
                server.tell(signal.SIGHUP)
                wanted = der(CERTIFICATES / f"{name}.pem")
                before = tally[wanted]
                eventually(lambda: faults or tally[wanted] > before + 10, f"connections see {name}.pem", 100)
                # A connection that is open keeps what it began with.
                equal(old.get().body, b"Hello, World!")
            # What is wrong changes nothing.
            key.write_text("no key\n")
            reloads = len([line for line in server.said if "reloaded" in line])
            equal(reloads, len(names))
            server.tell(signal.SIGHUP)
            before = tally["answered"]
            eventually(lambda: faults or tally["answered"] > before + 100, "requests are answered", 100)
            with Secure(server.secure, root) as peer:
                equal(peer.certificate(), der(CERTIFICATES / "other.pem"))
            over.set()
            for one in clients:
                one.join(PATIENCE)
                assert not one.is_alive(), "a client still waits"
            old.socket.close()
            assert not faults, f"{len(faults)}: {faults[:3]}"
            server.tell(signal.SIGTERM)
            server.ended()


@check("tls server: certificates of clients are asked for, verified and seen")
def clients():
    files = ["--certificate", CERTIFICATES / "server.pem", "--key", CERTIFICATES / "server.key"]
    root = CERTIFICATES / "ca.pem"
    with Server(SHOWCASE, THREADS, tls=[*files, "--client-roots", root]) as server:
        for version, name in [(ssl.TLSVersion.TLSv1_2, "TLS 1.2"), (ssl.TLSVersion.TLSv1_3, "TLS 1.3")]:
            for show, shown in [(None, False), ("client", True)]:
                with Secure(server.secure, root, show, version) as peer:
                    told = json.loads(peer.get("/tls").body)
                    # With it comes what leads to its root.
                    seen = (told["version"], told["clientCertificates"] > 0, told["serverName"])
                    equal(seen, (name, shown, "localhost"))
            # Of an authority that is not asked for, and one that is not for clients.
            for show in ("stranger", "other"):
                try:
                    with Secure(server.secure, root, show, version) as peer:
                        peer.get()
                except ssl.SSLError as error:
                    assert "ALERT" in str(error), error
                else:
                    raise AssertionError(f"{show} was let in by {name}")
        # openssl says what was asked for.
        said = subprocess.run(
            ["openssl", "s_client", "-connect", server.secure.removeprefix("https://"), "-CAfile", root, "-cert",
             CERTIFICATES / "client.pem", "-key", CERTIFICATES / "client.key"],
            input="", capture_output=True, text=True, timeout=PATIENCE,
        ).stdout
        assert "Acceptable client certificate CA names" in said and "barewire checks, ca" in said, said[-600:]


@check("tls server: SIGTERM answers what has begun, and ends connections as TLS does")
def shutdown():
    files = ["--certificate", CERTIFICATES / "server.pem", "--key", CERTIFICATES / "server.key"]
    with Server(SHOWCASE, THREADS, tls=files) as server:
        root = CERTIFICATES / "ca.pem"
        idle, busy = Secure(server.secure, root), Secure(server.secure, root)
        equal(idle.get().body, b"Hello, World!")
        whole = b"0123456789" * 2000
        busy.send(request("GET", "/plaintext") + request("POST", "/echo", f"Content-Length: {len(whole)}") + whole[:50])
        equal(busy.answer().body, b"Hello, World!")
        server.tell(signal.SIGTERM)
        assert idle.is_closed(), "bytes that nobody asked for"
        busy.send(whole[50:])
        answer = busy.answer()
        equal((answer.body, answer.field("connection")), (whole, "close"))
        assert busy.is_closed(), "still open"
        server.ended()


finish()
