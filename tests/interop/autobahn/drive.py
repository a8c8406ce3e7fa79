"""Runs the Autobahn fuzzing client against one WebSocket server.

usage: drive.py URL FOLDER CASES

URL is ws://HOST:PORT/PATH of a server that echoes, FOLDER takes the reports and
CASES is a comma-separated list of ids or patterns (`1.*,6.4.*`). Prints
`ok autobahn ID` or `FAIL autobahn ID: why` for each case, and exits with 1
unless every case is OK or informational: non-strict counts as failed, and so
does a case whose closing handshake went wrong.
"""

import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")
here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", ".env", "autobahn", "suite"))


# Seconds for each step of a handshake. The suite's own 1 to 5 are missed on a busy machine.
PATIENCE = 60


def suite():
    """The suite, which gives a peer longer before it cuts off a case."""
    import txaio

    txaio.use_twisted()
    from autobahntestsuite import fuzzing

    for name in ("closeAfter", "killAfter"):
        once = getattr(fuzzing.FuzzingProtocol, name)
        setattr(fuzzing.FuzzingProtocol, name, lambda self, delay, once=once: once(self, 20 * delay))
    return fuzzing


def run(url, folder, cases):
    fuzzing = suite()
    from twisted.internet import reactor

    # The suite reports its progress on standard output.
    stdout, sys.stdout = sys.stdout, sys.stderr
    fuzzing.startClient(
        {
            "outdir": folder,
            "options": {"openHandshakeTimeout": PATIENCE, "closeHandshakeTimeout": PATIENCE, "serverConnectionDropTimeout": PATIENCE},
            "servers": [{"agent": "server", "url": url}],
            "cases": cases.split(","),
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
    )
    reactor.run()
    sys.stdout = stdout


def judge(index, agent):
    """Yields the id of each case and None, or what was wrong with it."""
    with open(index) as file:
        cases = json.load(file)[agent]
    for case in sorted(cases, key=lambda name: tuple(map(int, name.split(".")))):
        behaviour, closing = cases[case]["behavior"], cases[case]["behaviorClose"]
        right = {"OK", "INFORMATIONAL"}
        yield case, None if {behaviour, closing} <= right else f"{behaviour}, closing {closing}"


def main(url, folder, cases):
    os.makedirs(folder, exist_ok=True)
    index = os.path.join(folder, "index.json")
    if os.path.exists(index):
        os.remove(index)
    run(url, folder, cases)
    return report(index, "server", cases, "autobahn")


def report(index, agent, cases, name):
    """Prints a line for each case; the exit status."""
    if not os.path.exists(index):
        print(f"FAIL {name}: the suite wrote no report")
        return 1
    failed = total = 0
    for case, fault in judge(index, agent):
        total += 1
        failed += fault is not None
        print(f"ok {name} {case}" if fault is None else f"FAIL {name} {case}: {fault}")
    if total == 0:
        print(f"FAIL {name}: no case matches {cases}")
    return 1 if failed or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
