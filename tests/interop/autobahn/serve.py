"""Runs one WebSocket client against the Autobahn fuzzing server.

usage: serve.py FOLDER CASES PROGRAM...

PROGRAM is called with ws://127.0.0.1:PORT and `--cases`: it asks /getCaseCount,
runs /runCase?case=N&agent=barewire for each, sending back every message, and
ends with /updateReports?agent=barewire. FOLDER and CASES, and what is printed,
as in drive.py.
"""

import os
import random
import subprocess
import sys
import threading

from drive import PATIENCE, report, suite

AGENT = "barewire"


def serve(folder, cases, program):
    fuzzing = suite()
    from twisted.internet import reactor
    from twisted.internet.error import CannotListenError

    def run(url):
        try:
            with open(os.path.join(folder, "client.txt"), "w") as log:
                subprocess.run([*program, url, "--cases"], stdout=log, stderr=log, timeout=1500, check=False)
        finally:
            reactor.callFromThread(reactor.stop)

    # The suite reports its progress on standard output.
    stdout, sys.stdout = sys.stdout, sys.stderr
    # The suite must know its port beforehand: one that the system gives to nobody else.
    for port in random.sample(range(15_000, 32_000), 50):
        url = f"ws://127.0.0.1:{port}"
        options = {"openHandshakeTimeout": PATIENCE, "closeHandshakeTimeout": PATIENCE}
        spec = {"outdir": folder, "url": url, "cases": cases.split(","), "options": options}
        try:
            fuzzing.startServer({**spec, "exclude-cases": [], "exclude-agent-cases": {}}, 0)
            break
        except CannotListenError:
            continue  # taken
    # Called once the server listens.
    reactor.callWhenRunning(threading.Thread(target=run, args=(url,), daemon=True).start)
    reactor.run()
    sys.stdout = stdout


def main(folder, cases, *program):
    os.makedirs(folder, exist_ok=True)
    index = os.path.join(folder, "index.json")
    if os.path.exists(index):
        os.remove(index)
    serve(folder, cases, program)
    return report(index, AGENT, cases, "autobahn client")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
