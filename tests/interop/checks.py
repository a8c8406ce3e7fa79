"""Named checks: each prints `ok NAME` or `FAIL NAME: why`, none can hang.

A program collects its checks with `@check`, in the order in which they run, and
ends with `finish()`, which exits with 1 if one failed.

No check measures the machine: whatever must happen is waited for, for as long as
a machine under heavy load may take. Where it matters that something happens at
once, the limit is AT_ONCE.
"""

import signal
import sys
import time
import traceback

REGISTERED = []
# Seconds that anything may take.
PATIENCE = 60.0
# Seconds in which the server has to notice something by itself: less than half of
# its shortest timer that would do so later (heartbeats and pings: 30 s).
AT_ONCE = 14.0


class TimedOut(BaseException):
    """Not an `Exception`: no client library swallows it on its way up."""


def check(name, seconds=150):
    """Registers a function under `name`; it fails by raising, or by the time limit."""

    def register(function):
        REGISTERED.append((name, seconds, function))
        return function

    return register


def run(name, seconds, function):
    def stop(_signal, _frame):
        raise TimedOut(f"not done after {seconds} s")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        function()
    except (Exception, TimedOut) as error:
        # An assertion without words is named by the line that holds it.
        place = traceback.extract_tb(error.__traceback__)[-1]
        words = str(error) or f"{type(error).__name__} at {place.name}: {place.line}"
        if not isinstance(error, (AssertionError, TimedOut)):
            words = f"{type(error).__name__}: {words}"
        mine = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == function.__code__.co_filename]
        line = mine[-1].lineno if mine else place.lineno
        print(f"FAIL {name}: {' '.join(words.split())[:300]} (line {line})", flush=True)
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    print(f"ok {name}", flush=True)
    return True


def finish():
    results = [run(*entry) for entry in REGISTERED]
    sys.stdout.flush()
    sys.exit(0 if results and all(results) else 1)


def equal(found, wanted, what=""):
    if found != wanted:
        raise AssertionError(f"{what + ': ' if what else ''}{brief(found)}, not {brief(wanted)}")


def brief(value):
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:100]}... ({len(value) if hasattr(value, '__len__') else '?'} long)"


def eventually(condition, what, seconds=PATIENCE):
    """Waits until `condition()` is true, and returns its value; fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: still not so after {seconds} s")
        time.sleep(0.02)
