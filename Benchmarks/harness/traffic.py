"""Figures about what flows through the daemon: log lines and calls; and what node/host adds to Node."""

import os
import signal
import socket
import subprocess
import time

from .daemon import Daemon, Manager, workspace
from .machine import Slots, awake, cpu_ns, median, memory_kb, wait_until
from .programs import HOST, ROOT, numbers, program
from .table import Row

LOG_BYTES = 100_000_000


def burst(pm, slots):
    """Has the service print once: (CPU of pm-init and pmd, wall) until the pipe is empty, nanoseconds."""
    pids, before = pm.pids, slots.started(0)
    cpu, began = cpu_ns(pids), time.monotonic_ns()
    os.kill(slots.pid(0), signal.SIGUSR1)
    ended = slots.await_other(0, before, seconds=120)
    return cpu_ns(pids) - cpu, ended - began


def logs(plan):
    rows = []
    for size in 65536, 100:
        with workspace() as directory:
            slots = Slots(directory / "slots", 1)
            words = [slots.path, "0", str(LOG_BYTES), str(size)]
            mapping = {"burst": {"container": "burst", "cli": words, "ready": "started"}}
            containers = {"burst": {"path": program("burst"), "type": "nodejs", "commandable": False}}
            floor_words = [program("burst"), directory / "floor", LOG_BYTES, size, directory / "out"]
            ours, floor = [], []
            with Daemon(directory, containers, mapping) as pm:
                pm.start_all(["burst"])
                slots.await_all()
                for _ in range(plan.rounds):
                    floor.append(numbers(program("floor_log"), *floor_words)[0] * 1e3)
                    ours.append(burst(pm, slots)[0])
        row = Row(f"capture of 100 MB in {size}-byte writes, CPU", "ms", median(ours) / 1e6, median(floor) / 1e6)
        row.aim_ratio, row.note = 1.3, f"{plan.rounds} rounds; floor_log burst slots {LOG_BYTES} {size} out"
        rows.append(row)
    return rows


class Direct(Manager):
    """The echo service alone on a socket."""

    def launch(self):
        self.socket = str(self.directory / "echo.sock")
        self.process = subprocess.Popen([program("echo"), "--listen", self.socket], env=self.environment)
        wait_until(lambda: os.path.exists(self.socket), 10, "the echo service")

    def kill(self):
        super().kill()
        self.process.wait()


def calls(plan):
    containers = {"echo": {"path": program("echo"), "type": "nodejs", "commandable": True}}
    client = program("rpc_client")
    ours, floor, ours_rate, floor_rate = [], [], [], []
    with awake(), workspace() as one, workspace() as other, Direct(other) as direct:
        with Daemon(one, containers, {"echo": {"container": "echo"}}) as pm:
            pm.run("start", "echo", "--wait")
            for _ in range(plan.rounds):
                floor += numbers(client, direct.socket, "echo", plan.calls, 1)
                ours += numbers(client, pm.socket, "echo.echo", plan.calls, 1)
                floor_rate += numbers(client, direct.socket, "echo", plan.calls * 20, 256)
                ours_rate += numbers(client, pm.socket, "echo.echo", plan.calls * 20, 256)
    note = f"rpc_client SOCKET echo.echo {plan.calls} 1, processors awake"
    through, alone = median(ours) / 1e3, median(floor) / 1e3
    added = Row("call through the daemon adds, p50", "us", through - alone, aim=30, note=note)
    rate = Row("pipelined calls a second", "1/s", median(ours_rate), median(floor_rate), aim=100_000, at_least=True)
    rate.note = f"rpc_client SOCKET echo.echo {plan.calls * 20} 256; floor: without the daemon"
    return [Row("call to a C service, p50", "us", through, alone, note=note), added, rate]


def node_process(words):
    """Starts Node with a channel on descriptor 3: (milliseconds to its first line there, its RSS in MB then)."""
    ours, theirs = socket.socketpair()
    # The descriptor has to be 3 in the child, and Popen leaves numbers as they are.
    command = ["bash", "-c", f'exec node "$@" 3<&{theirs.fileno()} 3>&{theirs.fileno()}', "node", *words]
    environment = {**os.environ, "PM_CHANNEL_FD": "3", "PM_NAME": "trivial"}
    began = time.monotonic()
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment, stdin=subprocess.DEVNULL)
    theirs.close()  # so that its end is seen
    try:
        return first_line(ours, began), settled_rss(ours, process.pid)
    finally:
        ours.close()
        process.kill()
        process.wait()


def first_line(channel, began):
    """Milliseconds until a line came."""
    channel.settimeout(20)
    if not channel.makefile("rb").readline():
        raise RuntimeError("node said nothing")
    return (time.monotonic() - began) * 1e3


def settled_rss(channel, pid):
    """RSS in MB once the daemon's answer has been read and what the start left to do is done."""
    channel.sendall(b'{"id":1,"result":null,"jsonrpc":"2.0"}\n')
    time.sleep(0.3)
    return memory_kb([pid], "Rss") / 1024


def host(plan):
    bare, hosted = [], []
    for _ in range(plan.rounds * 3):
        bare.append(node_process([str(ROOT / "Benchmarks/node/bare.mjs")]))
        hosted.append(node_process([str(HOST), str(ROOT / "Benchmarks/node/service/commands.json")]))
    note = f"{len(bare)} starts of node/host and of Benchmarks/node/bare.mjs"
    rows = []
    for place, name, unit, aim in (0, "start of a service in node/host", "ms", 20), (1, "its RSS", "MB", 4):
        ours, floor = median([x[place] for x in hosted]), median([x[place] for x in bare])
        rows.append(Row(name, unit, ours, floor, note=note))
        rows.append(Row("... more than bare Node", unit, ours - floor, aim=aim, note=note))
    return rows
