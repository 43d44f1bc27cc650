"""Figures about relays: connections to a service that lead through the daemon, beside relays in C and in Node."""

import os
import subprocess

from .daemon import Daemon, Manager, workspace
from .machine import awake, cpu_ns, median, wait_until
from .programs import ROOT, numbers, program
from .table import Row

CONNECTIONS, WINDOW, RATE = 64, 16, 20_000


class Listening(Manager):
    """A program that listens at a socket in a directory of its own."""

    def __init__(self, directory, *words):
        super().__init__(directory)
        self.words = words

    def launch(self):
        self.socket = str(self.directory / "relay.sock")
        self.process = subprocess.Popen(
            [str(word).replace("SOCKET", self.socket) for word in self.words], env=self.environment
        )
        wait_until(lambda: os.path.exists(self.socket), 10, "the relay")

    @property
    def pids(self):
        return [self.process.pid]

    def kill(self):
        super().kill()
        self.process.wait()


class Measured:
    """What calls through one relay cost: CPU of the relay for each message, and how long they took."""

    def __init__(self, socket, pids, *service):
        self.socket, self.pids, self.service = socket, pids, service
        self.cpu, self.rate, self.times = [], [], []

    def load(self, calls, rate):
        words = [self.socket, CONNECTIONS, WINDOW, calls, rate, *self.service]
        return numbers(program("relay_load"), *words)

    def round(self, calls):
        before = cpu_ns(self.pids())
        self.rate += self.load(calls, 0)
        # A call is two messages: there and back.
        self.cpu.append((cpu_ns(self.pids()) - before) / calls / 2 / 1e3)
        self.times.append(sorted(self.load(calls // 4, RATE)))

    def time(self, part):
        """A percentile: the median of those of all rounds, for in some of them the machine did something else."""
        return median([times[int(len(times) * part)] for times in self.times]) / 1e3


def relay(plan):
    calls = plan.calls * 20
    containers = {
        "far": {"path": program("relay_echo"), "commandable": True},
        "echo": {"path": program("echo"), "commandable": True},
    }
    node = ["node", ROOT / "Benchmarks/node/relay.mjs", "SOCKET"]
    with workspace() as a, workspace() as b, workspace() as c, workspace() as d, awake():
        with Listening(a, program("relay_echo"), "--listen", "SOCKET") as echo, Daemon(d, containers, {}) as pm:
            pm.run("start", "far", "--wait")
            pm.run("start", "echo", "--wait")
            floor = Listening(b, program("relay_floor"), "SOCKET", echo.socket)
            peer = Listening(c, *node, echo.socket)
            with floor, peer:
                found = {
                    "floor": Measured(floor.socket, lambda: floor.pids),
                    "node": Measured(peer.socket, lambda: peer.pids),
                    "bridge": Measured(pm.socket, lambda: pm.pids, "far"),
                    "channel": Measured(pm.socket, lambda: pm.pids, "echo"),
                }
                for _ in range(plan.rounds):
                    for measured in found.values():
                        measured.round(calls)
    return rows(found, calls)


def rows(found, calls):
    note = f"relay_load SOCKET {CONNECTIONS} {WINDOW} {calls} 0"
    paced = f"relay_load SOCKET {CONNECTIONS} {WINDOW} {calls // 4} {RATE}"
    floor, node = found["floor"], found["node"]
    every = []
    for name, text in ("bridge", "bridge"), ("channel", "proxy over a channel"):
        ours = found[name]
        cpu = Row(f"{text}: CPU for each message of 200 bytes", "us", median(ours.cpu), median(floor.cpu), note=note)
        cpu.aim_ratio = 2 if name == "bridge" else None
        cpu.peers = {"Node": median(node.cpu)}
        rate = Row(f"{text}: calls a second", "1/s", median(ours.rate), median(floor.rate), note=note)
        rate.peers = {"Node": median(node.rate)}
        every += [cpu, rate]
        for part, label in (0.5, "p50"), (0.99, "p99"):
            row = Row(f"{text}: call at 20,000 a second, {label}", "us", ours.time(part), floor.time(part), note=paced)
            row.aim = 1000 if label == "p99" else None
            row.peers = {"Node": node.time(part)}
            every.append(row)
    return every
