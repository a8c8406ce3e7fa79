"""Members of a channel that several servers share, and what is true of all that they see."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
from collections import Counter

import requests

from checks import PATIENCE, equal, eventually

# So many publications a member may be behind of what it is told to publish.
AHEAD = 100
HERE = pathlib.Path(__file__).resolve().parent


class Machine:
    """A showcase that shares its channels through a broker."""

    def __init__(self, showcase, threads, port, who="", log=subprocess.DEVNULL):
        self.command = [showcase, "--listen", "127.0.0.1:0", "--threads", threads]
        if port:
            self.command += ["--redis", f"redis://{who}127.0.0.1:{port}"]
        self.log = log
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        for line in self.process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                self.base = found.group(0)
                break
        else:
            raise AssertionError("a showcase ended without saying where it listens")
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.hub = "ws" + self.base[len("http") :] + "/ws/hub"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def is_alive(self):
        return self.process.poll() is None

    def present(self, channel):
        """The sessions that are in a channel, on all machines; None if that cannot be said now."""
        answer = requests.get(f"{self.base}/hub/{channel}", timeout=PATIENCE)
        return len(answer.json()) if answer.status_code == 200 else None

    def memory(self):
        """Bytes that it holds in memory now."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) * 1024


class Member:
    """A process that is a member; see hub_member.py for what it says and is told."""

    KINDS = {
        "python": [sys.executable, str(HERE / "hub_member.py")],
        "node": ["node", str(HERE / "hub_member.mjs")],
        "chromium": ["node", str(HERE / "hub_member.mjs"), "--browser"],
        "ours": [os.environ.get("HUB_MEMBER", "hub_member")],
    }

    def __init__(self, kind, url, channel, name, others=()):
        self.name, self.log, self.is_ended = name, [], False
        command = [*self.KINDS[kind], url, channel, name, ",".join(others)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.seen = {}
        # What came without a place.
        self.plain = []
        self.places = {}
        self.joins = []
        self.refused, self.lost = [], 0
        self.faults = []
        self.known = {}
        # Where it was when it was last told that what came before is not promised.
        self.begun = None
        # Publications of its own that it was told about.
        self.answered = 0
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            try:
                self.take(*json.loads(line))
            except Exception as error:  # noqa: BLE001: a fault of the check's own, which is then told
                self.faults.append(f"{line[:100]}: {error!r}")
        self.is_ended = True

    def take(self, what, *rest):
        match what:
            case "joined":
                epoch, offset, recovered = rest
                self.joins.append(recovered)
                if recovered is not True:
                    # What is behind this is not promised.
                    self.begun = (epoch, offset)
                    self.places.setdefault(epoch, []).append([offset, set()])
            case "seen":
                self.note(*rest)
            case "published":
                if self.places.get(rest[0]):
                    self.note(*rest)
                else:
                    # In a new epoch, of which it will be told as it is sent away.
                    self.seen[tuple(rest[:2])] = rest[2]
                # Without its data it has come back by recovering, and was lost before.
                if rest[2] is not None:
                    self.known[rest[2]] = (rest[0], rest[1])
                    self.answered += 1
            case "refused":
                self.refused.append(rest[0])
                self.answered += rest[1] is not None
            case "lost":
                self.lost += 1
                self.answered += len(rest[0])
            case "end":
                pass
            case _:
                self.faults.append(f"{what} {rest}")

    def note(self, epoch, offset, data):
        if epoch is None:
            return self.plain.append(data)
        place = (epoch, offset)
        if place in self.seen:
            if data is not None and self.seen[place] is not None:
                self.faults.append(f"{place} came twice: {self.seen[place]!r}, {data!r}")
            self.seen[place] = self.seen[place] or data
            return
        self.seen[place] = data
        if not self.places.get(epoch):
            self.faults.append(f"{place} came before it was in this epoch")
            return
        self.places[epoch][-1][1].add(offset)

    def __str__(self):
        last = max(self.seen, key=lambda place: place[1], default=None)
        return f"{self.name} joined {self.joins[-5:]}, begun {self.begun}, last {last}, lost {self.lost}, refused {self.refused[-3:]}"

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


def judge(members):
    """What has to be true whatever happened: no gap and nothing twice since the last time
    that a member was told that something is missing, and everybody sees the same."""
    at = {}
    for member in members:
        assert not member.faults, f"{member.name}: {member.faults[:3]} ({len(member.faults)})"
        for epoch, stretches in member.places.items():
            for begin, offsets in stretches:
                missing = set(range(begin + 1, max(offsets, default=begin) + 1)) - offsets
                assert not missing, f"{member.name} misses {sorted(missing)[:5]} ({len(missing)}) of {epoch}, without having been told"
        for place, data in member.seen.items():
            if data is not None:
                equal(at.setdefault(place, data), data, f"{member.name} at {place}")
    for member in members:
        for data, place in member.known.items():
            equal(at.get(place), data, f"what {member.name} published at {place}")
    twice = [data for data, count in Counter(at.values()).items() if count > 1]
    assert not twice, f"published twice: {twice[:5]} ({len(twice)})"
    # The order of each publisher.
    last = {}
    for (epoch, _offset), data in sorted(at.items()):
        who, number = data.split(" ")
        assert last.get((epoch, who), 0) < int(number), f"{data} came after {last[epoch, who]}"
        last[epoch, who] = int(number)
    return at


class Crew:
    """Members who publish and see each other; `with` ends them."""

    def __init__(self, channel):
        self.channel, self.members, self.quota, self.probes = channel, [], 0, 0

    def add(self, kind, machine, others=()):
        self.members.append(Member(kind, machine.hub, self.channel, f"{kind}-{len(self.members)}", others))
        return self.members[-1]

    def joined(self):
        eventually(lambda: self.sound() and all(it.joins for it in self.members), "all have joined")

    def go(self, more):
        """Each may publish some more."""
        self.quota += more
        for member in self.members:
            member.tell(f"go {self.quota}")

    def answered(self, seconds=PATIENCE):
        """Waits until each has been told what became of all that it has published."""
        eventually(lambda: self.sound() and all(it.answered >= self.quota for it in self.members), "all is answered", seconds)

    def sound(self):
        for member in self.members:
            assert not member.is_ended, f"{member.name} has ended"
        return True

    def settled(self, machine, seconds=PATIENCE):
        """Publishes until that is possible, and waits until each has seen that, or was told that
        it has missed it."""

        def published():
            self.probes += 1
            url, body = f"{machine.base}/hub/{self.channel}", json.dumps(f"probe {self.probes}")
            answer = requests.post(url, data=body, timeout=PATIENCE)
            return answer.status_code == 200 and answer.json()

        place = eventually(published, "something can be published", seconds)
        at = (place["epoch"], place["offset"])

        def missing():
            self.sound()
            has = lambda it: at in it.seen or (it.begun and it.begun[0] == at[0] and it.begun[1] >= at[1])
            return [it for it in self.members if not has(it)]

        try:
            eventually(lambda: not missing(), "all have seen what was published last", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: {at}; {'; '.join(map(str, missing()))}") from None

    def judge(self, whole=True):
        """What they have seen; `whole`: nobody was told that something is missing."""
        found = judge(self.members)
        if whole:
            for member in self.members:
                assert False not in member.joins, f"{member.name} was told that it misses something"
        return found

    @contextlib.contextmanager
    def steady(self, pause=0.2):
        """Everybody publishes now and then meanwhile."""
        over = threading.Event()

        def trickle():
            while not over.wait(pause):
                # On a busy machine the slowest one sets the pace.
                if self.quota - min(it.answered for it in self.members) < AHEAD:
                    self.go(1)

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for member in self.members:
            member.process.kill()
        for member in self.members:
            member.process.wait()
