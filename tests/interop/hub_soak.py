#!/usr/bin/env python3
"""Channels that three showcases share through Redis, at a steady rate for long: memory stays.

usage: hub_soak.py SHOWCASE THREADS       MINUTES=20 for longer than the usual one

Six members publish some 120 messages a second, and visitors come and go. In the second third
of the time and in the last one each process is weighed; it may have grown by MOST bytes
between the two.
"""

import os
import statistics
import sys
import threading
import time
import uuid

import websockets.sync.client

from broker import Broker
from checks import PATIENCE, check, finish
from hub_members import Crew, Machine

SHOWCASE, THREADS = sys.argv[1], sys.argv[2]
SECONDS = 60 * float(os.environ.get("MINUTES", "1"))
MIB = 1 << 20
MOST = 1 * MIB
# The broker knows each publication's id for a minute, and is weighed after two.
SATURATED = 120


def visit(machines, over):
    """Somebody comes to a room of a few, says something, and leaves without a word."""
    number = 0
    while not over.wait(0.2):
        number += 1
        machine = machines[number % len(machines)]
        with websockets.sync.client.connect(machine.hub, open_timeout=PATIENCE, proxy=None) as peer:
            room = f"room {number % 30}"
            peer.send('{"message_id":"1","message_type":"text","payload":{"type":"subscribe","channel":"%s"}}' % room)
            peer.recv(timeout=PATIENCE)
            peer.send('{"message_id":"2","message_type":"text","payload":{"type":"broadcast","channel":"%s","data":"hello"}}' % room)
            while '"2"' not in peer.recv(timeout=PATIENCE):
                pass


@check(f"hub soak, memory stays at a steady rate for {SECONDS:.0f} s", SECONDS + 240)
def soak():
    with Broker() as broker:
        machines = [Machine(SHOWCASE, THREADS, broker.port) for _ in range(3)]
        try:
            weigh(broker, machines)
        finally:
            for machine in machines:
                machine.kill()


def weigh(broker, machines):
    over, begun = threading.Event(), time.monotonic()
    visitor = threading.Thread(target=visit, args=(machines, over), daemon=True)
    scales = [[] for _ in machines]
    brokers = []
    with Crew(f"soak {uuid.uuid4()}") as crew:
        for at, kind in enumerate(("python", "node", "ours", "ours", "python", "node")):
            crew.add(kind, machines[at % 3])
        crew.joined()
        visitor.start()
        with crew.steady(0.05):
            while (now := time.monotonic() - begun) < SECONDS:
                time.sleep(1)
                crew.sound()
                assert visitor.is_alive(), "the visitor has failed"
                for machine, scale in zip(machines, scales):
                    scale.append((now, machine.memory()))
                brokers.append((now, broker.memory()))
        over.set()
        crew.answered()
        crew.settled(machines[0])
        found = crew.judge()
        for member in crew.members:
            assert not member.refused and not member.lost, f"{member.name}: {member.refused[:3]}, lost {member.lost}"
    print(f"# {len(found)} publications in {SECONDS:.0f} s")
    for name, scale in [*((f"machine {at}", it) for at, it in enumerate(scales, 1)), ("broker", brokers)]:
        start = scale[0][1]
        middle, last = part(scale, 1), part(scale, 2)
        print(f"# {name}: {start / MIB:.2f} MiB, {middle / MIB:.2f} in the second third, {last / MIB:.2f} in the last one")
        if name != "broker" or SECONDS / 3 >= SATURATED:
            assert last - middle <= MOST, f"{name} has grown by {(last - middle) / MIB:.2f} MiB"


def part(scale, nth):
    """The median of one third of the time."""
    return statistics.median(bytes for at, bytes in scale if nth <= 3 * at / SECONDS < nth + 1)


finish()
