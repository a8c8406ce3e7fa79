"""Our clients against others' servers and the showcase, plain and over TLS: the WebSocket
client that blocks against websockets' server, and the examples `chat_client` and
`follow_events`.

usage: websocket_servers.py CLIENT CERTIFICATES [http://HOST:PORT https://HOST:PORT]
  CLIENT        websocket_blocking_client of the package interop-clients; chat_client and
                follow_events are beside it
  CERTIFICATES  the folder that certificates.sh has filled
Without a showcase only websockets' server is asked.
"""

import os
import queue
import ssl
import subprocess
import sys
import threading

from checks import PATIENCE, check, equal, finish
from websockets.sync.server import serve

client, certificates = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
bases = sys.argv[3:]
environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
environment["SSL_CERT_FILE"] = os.path.join(certificates, "ca.pem")


def example(name, *arguments):
    """Starts an example; its lines come in a queue, the last being None."""
    program = os.path.join(os.path.dirname(client), name)
    process = subprocess.Popen(
        [program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    lines = queue.Queue()

    def read():
        for line in process.stdout:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    process.lines = lines
    return process


def await_line(process, found, what):
    """Waits for a line that fits."""
    seen = []
    while (line := process.lines.get(timeout=PATIENCE)) is not None:
        seen.append(line)
        if found(line):
            return line
    raise AssertionError(f"{what}: {seen}")


def say(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()


def converse(socket, faults):
    """Sends what is to come back, and closes."""
    try:
        for size in [0, 1, 125, 126, 65535, 65536, 1 << 20]:
            for message in ["ä" * (size // 2), os.urandom(size)]:
                socket.send(message)
                equal(socket.recv(timeout=PATIENCE), message, f"{size}")
        socket.send(["in ", "three ", "pieces"])
        equal(socket.recv(timeout=PATIENCE), "in three pieces")
        if not socket.ping(b"are you there").wait(PATIENCE):
            raise AssertionError("no pong")
        for nth in range(1000):
            socket.send(f"{nth}")
        for nth in range(1000):
            equal(socket.recv(timeout=PATIENCE), f"{nth}")
        socket.close(1000, "done")
        equal(socket.close_code, 1000)
    except Exception as error:  # told by the check
        faults.append(error)


for secure in [False, True]:
    name = "wss" if secure else "ws"

    @check(f"client::WebSocket to websockets by {name}")
    def _(secure=secure, name=name):
        context = None
        if secure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(
                os.path.join(certificates, "server.pem"), os.path.join(certificates, "server.key")
            )
        faults, served = [], []

        def one(socket):
            converse(socket, faults)
            served.append(socket.request.path)

        with serve(one, "127.0.0.1", 0, ssl=context, max_size=None, compression=None) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"{name}://localhost:{server.socket.getsockname()[1]}/a?b=c"
            done = subprocess.run([client, url], env=environment, timeout=PATIENCE, capture_output=True, text=True)
            server.shutdown()
        if faults:
            raise faults[0]
        equal((done.returncode, done.stderr, served), (0, "", ["/a?b=c"]))


for base in bases:
    scheme = base.split(":")[0]
    socket_url = "ws" + base.removeprefix("http") + "/ws/chat"

    @check(f"example chat_client over {scheme}")
    def _(socket_url=socket_url):
        first, second = (example("chat_client", socket_url) for _ in range(2))
        try:
            for each in (first, second):
                await_line(each, lambda line: line == "* connected", "no connection")
                say(each, "/join tea")
                say(each, "/ping")
                await_line(each, lambda line: line.startswith("* pong"), "no pong")
            say(first, "Hello, größer")
            await_line(second, lambda line: line.startswith("[tea] ") and line.endswith(": Hello, größer"), "no chat")
            for each in (first, second):
                say(each, "/quit")
                equal(each.wait(PATIENCE), 0)
        finally:
            first.kill()
            second.kill()

    @check(f"example follow_events over {scheme}")
    def _(base=base):
        follows = example("follow_events", f"{base}/sse/ticks", "41")
        try:
            await_line(follows, lambda line: line == "-- open", "it does not open")
            await_line(follows, lambda line: line.startswith("[42] "), "no event behind the last")
            await_line(follows, lambda line: line.startswith("[43] "), "no further event")
        finally:
            follows.kill()


finish()
