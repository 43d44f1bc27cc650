"""How the cost of a request grows: with 100, 1,000 and 5,000 services, and with 1, 100 and 1,000 clients.

A row is the CPU of pmd and pm-init. Its aim is n log n, from the row with the smallest number; the note has the longest wait of
another client meanwhile, which is about the longest turn of the loop, and the turns over 50 ms that pmd counted.
"""

import json
import math
import os
import resource
import socket
import subprocess
import sys
from contextlib import contextmanager

from .daemon import CHILD, Daemon, trivial, workspace
from .machine import Slots, cpu_ns, wait_until
from .programs import program
from .table import Row

SERVICES = 100, 1000, 5000
CLIENTS = 1, 100, 1000
# Calls under way of all clients together.
CALLS = 2000
# Costs that do not grow are a large part of small figures.
LEAST_MS = 2

# Asks for the name of the daemon again and again, and prints the longest wait in milliseconds at the end of its input.
PROBE = """
import select, socket, sys, time
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
answers, longest = connection.makefile('rb'), 0
while not select.select([sys.stdin], [], [], 0.002)[0]:
    began = time.monotonic()
    connection.sendall(b'{"jsonrpc":"2.0","id":1,"method":"version","params":[]}\\n')
    answers.readline()
    longest = max(longest, time.monotonic() - began)
print(longest * 1e3)
"""

# A service with one command that it never answers.
SILENT = """#!/usr/bin/env python3
import os, socket, sys
channel = socket.socket(fileno=int(os.environ['PM_CHANNEL_FD']))
channel.sendall(b'{"jsonrpc":"2.0","id":1,"method":"ready","params":[{"name":"silent","commands":[{"name":"wait"}]}]}\\n')
while channel.recv(1 << 20):
    pass
"""


class Client:
    """A connection to the daemon."""

    def __init__(self, pm):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(pm.socket)
        self.answers = self.socket.makefile("rb")

    def send(self, messages):
        self.socket.sendall("".join(json.dumps({"jsonrpc": "2.0", **each}) + "\n" for each in messages).encode())

    def read(self, count):
        return [json.loads(self.answers.readline()) for _ in range(count)]

    def close(self):
        self.answers.close()
        self.socket.close()


class Figure:
    """The rows of one request, smallest number first."""

    def __init__(self, name, unit):
        self.name, self.unit, self.rows, self.first = name, unit, [], None

    def add(self, pm, count, body, times=1):
        """Measures `body`, which makes the request so many times."""
        turns = long_turns(pm)
        probe = subprocess.Popen(
            [sys.executable, "-c", PROBE, pm.socket], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        before = cpu_ns(pm.pids)
        body()
        spent = (cpu_ns(pm.pids) - before) / 1e6
        longest = float(probe.communicate("\n")[0])
        row = Row(f"{self.name}, {count:,} {self.unit}", "ms", spent / times)
        if self.first is None:
            self.first = count, max(row.pm, LEAST_MS / times)
        least, cost = self.first
        row.aim = cost * size(count) / size(least)
        row.note = f"another client waited {longest:.0f} ms at most, {long_turns(pm) - turns} turns over 50 ms"
        self.rows.append(row)


def size(count):
    return count * math.log2(count + 1)


def long_turns(pm):
    client = Client(pm)
    client.send([{"id": 1, "method": "status", "params": ["pm"]}])
    turns = client.read(1)[0]["result"][0].get("longTurns")
    client.close()
    return turns["count"] if turns else 0


@contextmanager
def many(count):
    """A daemon with `count` services that do nothing, one that answers and one that does not: (daemon, slots, names)."""
    with workspace() as directory:
        slots = Slots(directory / "slots", count)
        silent = directory / "silent"
        silent.write_text(SILENT)
        silent.chmod(0o755)
        containers = {
            **CHILD,
            "echo": {"path": program("echo"), "type": "nodejs", "commandable": True},
            "silent": {"path": str(silent), "type": "nodejs", "commandable": True},
        }
        mapping = {f"s{index}": trivial(slots, index) for index in range(count)}
        names = list(mapping)
        mapping.update({name: {"container": name} for name in ("echo", "silent")})
        with Daemon(directory, containers, mapping) as pm:
            yield pm, slots, names


def packages(directory, count):
    """A workspace of so many packages."""
    root = directory / "workspace"
    root.mkdir()
    (root / "package.json").write_text(json.dumps({"name": "all", "workspaces": ["p*"]}))
    for index in range(count):
        folder = root / f"p{index}"
        folder.mkdir()
        (folder / "package.json").write_text(json.dumps({"name": f"p{index}", "bin": "./run.js"}))
        (folder / "run.js").write_text("")
    return str(root)


def with_services():
    """Figures for each number of services."""
    kinds = "start of all", "status of all", "status of one", "map of one", "call", "discover"
    figures = {kind: Figure(kind, "packages" if kind == "discover" else "services") for kind in kinds}
    for count in SERVICES:
        with many(count) as (pm, slots, names):
            figures["start of all"].add(pm, count, lambda: (pm.start_all(names), slots.await_all(180)))
            pm.call_all("start", [["echo", {"wait": True}]])
            figures["status of all"].add(pm, count, lambda: one_by_one(pm, "status", [[]] * 5), 5)
            figures["status of one"].add(pm, count, lambda: one_by_one(pm, "status", [["s0"]] * 100), 100)
            figures["call"].add(pm, count, lambda: one_by_one(pm, "echo.echo", [["x"]] * 1000), 1000)
            child = CHILD["child"]["path"]
            maps = [[f"new{index}", child] for index in range(10)]
            figures["map of one"].add(pm, count, lambda: one_by_one(pm, "map", maps), 10)
            root = packages(pm.directory, count)
            figures["discover"].add(pm, count, lambda: one_by_one(pm, "discover", [[root]]))
    return figures


def one_by_one(pm, method, parameter_lists):
    client = Client(pm)
    for params in parameter_lists:
        client.send([{"id": 1, "method": method, "params": params}])
        answer = client.read(1)[0]
        if answer.get("error"):
            raise RuntimeError(f"{method}: {answer['error']}")
    client.close()


def with_clients():
    """Figures for each number of clients, which make the same number of calls in all."""
    figures = {kind: Figure(f"{kind} of {CALLS:,} calls", "clients") for kind in ("answers", "cancel", "leave")}
    for count in CLIENTS:
        with many(100) as (pm, slots, names):
            pm.start_all(names)
            pm.call_all("start", [["echo", {"wait": True}], ["silent", {"wait": True}]])
            share = CALLS // count
            clients = [Client(pm) for _ in range(count)]
            figures["answers"].add(pm, count, lambda: ask(clients, "echo.echo", share, True))
            ask(clients, "silent.wait", share, False)
            figures["cancel"].add(pm, count, lambda: cancel(clients, share))
            ask(clients, "silent.wait", share, False)
            figures["leave"].add(pm, count, lambda: leave(pm, clients))
    return figures


def ask(clients, method, share, is_answered):
    for client in clients:
        client.send([{"id": number, "method": method, "params": ["x"]} for number in range(share)])
    if is_answered:
        for client in clients:
            client.read(share)
        return
    for client in clients:  # Read by then: it is answered behind the calls.
        client.send([{"id": "last", "method": "version", "params": []}])
        client.read(1)


def cancel(clients, share):
    for client in clients:
        client.send([{"method": "$/cancel", "params": [number]} for number in range(share)])
    for client in clients:
        client.read(share)


def leave(pm, clients):
    """All leave at once, and the daemon has given back their descriptors."""
    daemon = max(pm.pids)
    before = len(os.listdir(f"/proc/{daemon}/fd"))
    for client in clients:
        client.close()
    wait_until(lambda: len(os.listdir(f"/proc/{daemon}/fd")) <= before - len(clients), 60, "the end of connections")


def growth(_):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    figures = {**with_services(), **with_clients()}
    return [row for figure in figures.values() for row in figure.rows]
