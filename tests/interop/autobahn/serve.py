"""Runs one WebSocket client against the Autobahn fuzzing server.

usage: serve.py FOLDER CASES PROGRAM...

PROGRAM is called with ws://127.0.0.1:PORT and `--cases`: it asks /getCaseCount,
runs /runCase?case=N&agent=barewire for each, sending back every message, and
ends with /updateReports?agent=barewire. FOLDER and CASES, and what is printed,
as in drive.py.
"""

import os
import socket
import subprocess
import sys
import threading

from drive import report

AGENT = "barewire"


def serve(folder, cases, program):
    import txaio

    txaio.use_twisted()
    from autobahntestsuite import fuzzing
    from twisted.internet import reactor

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{probe.getsockname()[1]}"

    def run():
        try:
            with open(os.path.join(folder, "client.txt"), "w") as log:
                subprocess.run([*program, url, "--cases"], stdout=log, stderr=log, timeout=600, check=False)
        finally:
            reactor.callFromThread(reactor.stop)

    # The suite reports its progress on standard output.
    stdout, sys.stdout = sys.stdout, sys.stderr
    fuzzing.startServer(
        {"outdir": folder, "url": url, "cases": cases.split(","), "exclude-cases": [], "exclude-agent-cases": {}},
        0,
    )
    # Called once the server listens.
    reactor.callWhenRunning(threading.Thread(target=run, daemon=True).start)
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
