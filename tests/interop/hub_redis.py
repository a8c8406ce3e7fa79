#!/usr/bin/env python3
"""Channels that three showcases share through Redis, and what must not break them.

usage: hub_redis.py SHOWCASE THREADS      2,1: machine after machine has so many loops

Starts its own servers, redis-server among them. Members are Python's, Node's and our own
clients, and a page in Chromium, each a process (hub_member.*); what they have seen is judged by
hub_members.py: no gap that they were not told of, nothing twice, everybody the same.
"""

import hashlib
import json
import os
import pathlib
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import redis

from broker import Broker, Link
from checks import PATIENCE, check, equal, eventually, finish
from hub_members import Crew, Machine

SHOWCASE, THREADS = sys.argv[1], sys.argv[2].split(",")
BROWSER = [] if os.environ.get("WITHOUT_BROWSER") else ["chromium"]
MESSAGES = 100_000
ROOT = pathlib.Path(__file__).resolve().parents[2]
PUBLISH, DOCS = ROOT / "src/redis/publish.lua", ROOT / "docs/channels.md"
# Presence of a machine that has died is renewed no more, and gone after this.
PRESENCE = 30.0


def started(nth, port, **options):
    return Machine(SHOWCASE, THREADS[nth % len(THREADS)], port, **options)


class Scene:
    """A broker and three machines, each with a link of its own to it."""

    def __init__(self, links=True):
        self.broker = Broker()
        self.links = [Link(self.broker.port) for _ in range(3)] if links else []
        ports = [it.port for it in self.links] or [self.broker.port] * 3
        self.machines = [started(*it) for it in enumerate(ports)]

    def crew(self, *kinds):
        """Members on machine after machine."""
        crew = Crew(f"crew {uuid.uuid4()}")
        for at, kind in enumerate(kinds):
            crew.add(kind, self.machines[at % 3])
        return crew

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for machine in self.machines:
            machine.kill()
        for link in self.links:
            link.close()
        self.broker.__exit__()


SOME = ("python", "node", "ours", "python", "ours")


@check("hub redis, 100,000 messages in one order to everybody", 400)
def order():
    with Scene(links=False) as scene, Crew(f"order {uuid.uuid4()}") as crew:
        kinds = ["python", "node", "ours", "ours", "node", "python", *BROWSER]
        names = [f"{kind}-{at}" for at, kind in enumerate(kinds)]
        for at, kind in enumerate(kinds):
            crew.add(kind, scene.machines[at % 3], [it for it in names if it != names[at]])
        crew.joined()
        crew.go(-(-MESSAGES // len(kinds)))
        crew.answered(300)
        crew.settled(scene.machines[0], 300)
        found = crew.judge()
        assert len(found) >= MESSAGES, len(found)
        for member in crew.members:
            equal((len(member.joins), len(member.refused), member.lost), (1, 0, 0), member.name)
            equal(len(member.seen), len(found), member.name)


@check("hub redis, a program in Python and redis-cli publish and read", 100)
def others():
    with Scene(links=False) as scene, scene.crew("python", "node", "ours") as crew:
        crew.joined()
        crew.settled(scene.machines[0])
        channel = "hub:" + crew.channel  # as the showcase calls it
        tag = hashlib.sha1(channel.encode()).hexdigest()[:16]
        keys = {it: f"barewire:{{{tag}}}:{it}:{channel}" for it in "chsi"}

        # What is published alone reaches everybody, and has no place.
        scene.broker.cli("spublish", keys["c"], "text\nredis-cli 1")
        eventually(lambda: all(it.plain == ["redis-cli 1"] for it in crew.members), "redis-cli has reached all")
        # What is not of the form is dropped, and breaks nothing.
        for bad in ("hello", "", "text", "text o=1\nx", "text q\nx", "noise\nx", "text x=99\nx"):
            scene.broker.cli("spublish", keys["c"], bad)
        for bad in (b"text\n\xff", b"text \xff=1\nx", b"binary\n" + bytes(3 << 20)):
            client(scene).execute_command("SPUBLISH", keys["c"], bad)

        # A service that keeps what it publishes, as the documentation says.
        with client(scene) as service, service.pubsub() as listener:
            listener.ssubscribe(keys["c"])
            script = service.register_script(PUBLISH.read_text())
            for number in (1, 2):
                names = [keys["h"], keys["s"], f"{keys['i']}:{uuid.uuid4()}"]
                options = ["", uuid.uuid4().hex[:16], 1000, 1 << 20, 300_000, 3600, 60_000]
                epoch, offset, *_ = script(names, [*options, keys["c"], "text", f"service {number}"])
                at = (epoch.decode(), int(offset))
                eventually(lambda: all(at in it.seen for it in crew.members), "the service has reached all")
            # It is no second time published under one id.
            again = script(names, [*options, keys["c"], "text", "service 2"])
            equal((again[0].decode(), int(again[1])), at)
            # It reads what members publish, as it comes and from the stream.
            crew.go(1)
            crew.answered()
            crew.settled(scene.machines[0])
            wanted = {data for it in crew.members for data in it.known}
            equal(len(wanted), 3)
            heard = set()

            def hear():
                message = listener.get_message(timeout=1)
                if message and message["type"] == "smessage":
                    heard.add(payload(message["data"]))
                return wanted <= heard

            eventually(hear, "the service hears the members")
            entries = service.xrange(keys["s"])
            equal([int(id.split(b"-")[0]) for id, _ in entries], list(range(1, at[1] + 5)))
            assert wanted <= {payload(entry[b"m"]) for _, entry in entries}
        found = crew.judge()
        equal([found[(at[0], at[1] - 1)], found[at]], ["service 1", "service 2"])


@check("hub redis, a user with the rights that the documentation names", 100)
def rights():
    text = DOCS.read_text()
    words = text[text.index("ACL SETUSER chat") :].split("```")[0].split()
    with Broker() as broker:
        broker.cli(*words)
        broker.cli("acl", "setuser", "default", "off")
        machines = [started(nth, broker.port, who="chat:PASSWORD@") for nth in range(2)]
        try:
            with Crew(f"rights {uuid.uuid4()}") as crew:
                for machine in machines:
                    crew.add("python", machine)
                crew.joined()
                crew.go(1)
                crew.answered()
                for machine in machines:
                    crew.settled(machine)
                    eventually(lambda: machine.present(crew.channel) == 2, "two are present")
                equal(sum(it.refused != [] for it in crew.members), 0)
                crew.judge()
        finally:
            for machine in machines:
                machine.kill()


def client(scene):
    return redis.Redis("127.0.0.1", scene.broker.port, socket_timeout=PATIENCE)


def payload(message):
    """What is behind the line of a message, and behind its note."""
    line, _, rest = message.partition(b"\n")
    fields = dict(it.split(b"=", 1) for it in line.split(b" ")[1:])
    data = rest[int(fields.get(b"x", 0)) :].decode()
    return json.loads(data) if data.startswith('"') else data


def away():
    with Scene(links=False) as scene, scene.crew("python", "node", "ours", "python", "node") as crew:
        crew.joined()
        with crew.steady():
            for member in crew.members[3:]:
                member.tell("away")
            time.sleep(10)  # so long it is gone
            for at, member in enumerate(crew.members[3:]):
                member.tell(f"come {scene.machines[at].hub}")
            eventually(lambda: all(len(it.joins) == 2 for it in crew.members[3:]), "they are back")
        crew.answered()
        crew.settled(scene.machines[1])
        crew.judge()
        for member in crew.members[3:]:
            equal(member.joins, [None, True], member.name)


def killed():
    with Scene(links=False) as scene, scene.crew(*SOME) as crew:
        crew.joined()
        survivors = scene.machines[:2]
        channel = crew.channel
        eventually(lambda: all(it.present(channel) == 5 for it in scene.machines), "all five are present everywhere")
        with crew.steady():
            # The third one: "ours" is there alone.
            scene.machines[2].kill()
            eventually(lambda: crew.members[2].lost, "its member has noticed")
            begun = time.monotonic()
            crew.members[2].tell(f"come {survivors[0].hub}")
            eventually(lambda: len(crew.members[2].joins) == 2, "its member is back")
        crew.answered()
        crew.settled(survivors[1])
        crew.judge()
        eventually(lambda: all(it.present(channel) == 5 for it in survivors), "five are present", PRESENCE + PATIENCE)
        print(f"# presence was right after {time.monotonic() - begun:.1f} s", file=sys.stderr)


def forgetful():
    with Scene(links=False) as scene, scene.crew(*SOME) as crew:
        crew.joined()
        with crew.steady():
            crew.settled(scene.machines[0])
            scene.broker.kill()
            time.sleep(1)  # some are refused or wait
            scene.broker.start()
            for machine in scene.machines:
                crew.settled(machine)
        crew.answered()
        found = crew.judge(whole=False)
        epochs = {epoch for epoch, _ in found}
        equal(len(epochs), 2, str(epochs))


def still():
    with Scene(links=False) as scene, scene.crew(*SOME) as crew:
        crew.joined()
        with crew.steady():
            crew.settled(scene.machines[0])
            scene.broker.stop()
            time.sleep(30)  # so long it stands still
            scene.broker.go_on()
            for machine in scene.machines:
                crew.settled(machine)
        crew.answered()
        crew.judge()


@check("hub redis, faults that are waited for", 300)
def together():
    """Each in a scene of its own, beside each other: most of their time is waiting."""
    faults = {
        "who is away for ten seconds comes back on another machine": away,
        "a machine that is killed: its members go elsewhere, and presence is right": killed,
        "the broker is killed and comes back without its data": forgetful,
        "the broker stands still for 30 s": still,
    }
    with ThreadPoolExecutor(len(faults)) as pool:
        results = {name: pool.submit(function) for name, function in faults.items()}
    failed = [f"{name}: {error}" for name, it in results.items() if (error := it.exception())]
    assert not failed, "; ".join(failed)


@check("hub redis, links that are cut behind each byte, slow, or silent", 300)
def cut():
    with Scene() as scene, scene.crew(*SOME) as crew:
        crew.joined()
        with crew.steady(0.3):
            crew.settled(scene.machines[0])
            # In each state: in the greeting, behind it, and in what is asked and told then.
            counts = [*range(1, 3000, 400), *range(3000, 5400, 200)]
            for link in scene.links[:2]:
                link.cut_after(*counts)
                link.cut()
            eventually(lambda: all(it.was_cut == len(counts) for it in scene.links[:2]), "each connection was cut", 120)
            for machine in scene.machines:
                crew.settled(machine)
        crew.answered()
        crew.judge()
        with crew.steady():
            slow, silent, _ = scene.links
            slow.slow(20_000)
            silent.swallow()
            accepted = silent.accepted
            eventually(lambda: silent.accepted > accepted, "it has noticed that nobody answers")
            silent.swallow(False)
            for machine in scene.machines:
                crew.settled(machine)
            slow.slow(None)
        crew.answered()
        crew.judge()


finish()
