"""Figures about workers: what twenty of them in a pool cost beside twenty processes, and what a call to one does."""

import time

from .daemon import Daemon, workspace
from .machine import awake, cpu_ns, marked, median, memory_kb
from .programs import ROOT, numbers, program
from .table import Row

COUNT = 20
# Seconds after which Node has done what its start left to do.
SETTLING = 2
SERVICE = str(ROOT / "Benchmarks/node/service/commands.json")


def services_of(pm):
    """All that runs for the services: their processes, and the host of their pool."""
    return sorted(set(marked(pm.mark.encode())) - set(pm.pids))


def started(kind):
    """Starts all services of a runtime: (CPU in ns, RSS in kB) when all are ready and at rest."""
    containers = {f"s{index}": {"path": SERVICE, "type": kind, "commandable": True} for index in range(COUNT)}
    with workspace() as directory, Daemon(directory, containers, {}) as pm:
        pm.call_all("start", [[name, {"wait": True}] for name in containers])
        time.sleep(SETTLING)
        pids = services_of(pm)
        found = cpu_ns(pids), memory_kb(pids, "Rss")
        pm.stop()
        return found


def called(rounds, calls):
    """Nanoseconds of each call through the daemon, in turns: (to a worker, to a process)."""
    kinds = {"worker": [], "nodejs": []}
    containers = {kind: {"path": SERVICE, "type": kind, "commandable": True} for kind in kinds}
    with workspace() as directory, Daemon(directory, containers, {}) as pm:
        for kind in kinds:
            pm.run("start", kind, "--wait")
            numbers(program("rpc_client"), pm.socket, f"{kind}.echo", calls, 1)  # until the code is compiled
        for _ in range(rounds * 2):
            for kind, found in kinds.items():
                found += numbers(program("rpc_client"), pm.socket, f"{kind}.echo", calls, 1)
        pm.stop()
    return kinds["worker"], kinds["nodejs"]


def workers(plan):
    ours, floor = [], []
    for _ in range(max(1, plan.rounds // 2)):
        floor.append(started("nodejs"))
        ours.append(started("worker"))
    with awake():
        calls, direct = called(plan.rounds, plan.calls)
    note = f"floor: {COUNT} services of type nodejs"
    rows = []
    for place, name, unit, scale, aim in (1, "RSS", "MB", 1024, 0.35), (0, "CPU to ready and at rest", "ms", 1e6, 0.3):
        values = [median([x[place] for x in found]) / scale for found in (ours, floor)]
        rows.append(Row(f"{COUNT} workers, {name}", unit, *values, aim_ratio=aim, note=note))
    call = Row("call to a worker through the daemon, p50", "us", median(calls) / 1e3, median(direct) / 1e3)
    call.aim_ratio, call.note = 1.3, "floor: the same to a process"
    return [*rows, call]
