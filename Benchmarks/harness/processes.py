"""Figures about services as processes: restart, start and stop of many, status, memory, idling, cold start."""

import os
import signal
import sys
import time
from contextlib import ExitStack

from .daemon import Daemon, CHILD, services, workspace
from .machine import Slots, awake, gone, median, memory_kb, percentile, switches, wait_until
from .programs import PM, cpu_and_wall, numbers, program
from .table import Row

# No pause and no cooling: a death is forgotten after a millisecond.
AT_ONCE = {"policy": "always", "delay": 0, "maxDelay": 0, "window": 1, "resetAfter": 1}
MANY, FEW = 1000, 10
# Seconds after which a manager has given back what its start left free.
SETTLING = 2


def peer_figure(plan, row, measure):
    """Adds to a row what `measure(manager class)` says of each installed peer."""
    for peer in plan.peers:
        try:
            row.peers[peer.name] = measure(peer)
        except (RuntimeError, TimeoutError) as error:  # its trouble is no reason to lose our figures
            print(f"{peer.name}: {error}", file=sys.stderr)
    return row


def kill_once(slots, uptime=0.005):
    """Kills the service once it ran so long; nanoseconds until its successor is executed. pm forgets after 1 ms."""
    before, pid = slots.started(0), slots.pid(0)
    time.sleep(uptime)
    killed = time.monotonic_ns()
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.003)  # out of the way of what is measured
    return slots.await_other(0, before) - killed


def kills(plan, user=None):
    """Times to the successor, of pm and of its floor, in turns; as root the service may run as another user."""
    ours, floor = [], []
    with awake(), services(1, AT_ONCE, user) as (pm, slots, names):
        pm.start_all(names)
        slots.await_all()
        for _ in range(plan.rounds):
            floor += numbers(program("floor_restart"), program("child"), pm.directory / "floor", plan.kills)
            ours += [kill_once(slots) for _ in range(plan.kills)]
    return ours, floor


def other_user(plan):
    """The same of a service with `user`: pm-exec takes the ids, between pm-init and the service."""
    if os.getuid() != 0:
        return []
    ours, floor = kills(plan, user="nobody")
    row = Row("... with another user, p50", "ms", median(ours) / 1e6, median(floor) / 1e6, aim=1.6)
    row.note = f"{len(ours)} kills, as root, user nobody, processors awake"
    return [row]


def restart(plan):
    ours, floor = kills(plan)
    note = f"{len(ours)} kills, processors awake; floor_restart child slots {plan.kills}"
    p50 = Row("service killed -> successor exec'd, p50", "ms", median(ours) / 1e6, median(floor) / 1e6, note=note)
    p99 = Row("service killed -> successor exec'd, p99", "ms", percentile(ours, 99) / 1e6, percentile(floor, 99) / 1e6)
    p50.aim_ratio, p99.aim, p99.note = 2, 10, note
    return [peer_figure(plan, p50, lambda peer: median(peer_kills(peer)) / 1e6), p99, *other_user(plan)]


def peer_kills(peer, kills=5):
    with workspace() as directory:
        slots = Slots(directory / "slots", 1)
        with peer(directory, slots) as manager:
            manager.start_all()
            slots.await_all()
            # runit and s6 start nothing twice within a second
            return [kill_once(slots, uptime=1.2) for _ in range(kills)]


def timed(action, until):
    """Nanoseconds from the begin of an action to the moment that `until` returns, or to now."""
    began = time.monotonic_ns()
    action()
    return (until() or time.monotonic_ns()) - began


def cycle(manager, slots, *names):
    """Starts all services, then stops them: nanoseconds to the last exec, and until all are gone."""
    slots.clear()
    started = timed(lambda: manager.start_all(*names), slots.await_all)
    pids = [slots.pid(index) for index in range(slots.count)]
    stopped = timed(lambda: manager.stop_all(*names), lambda: wait_until(lambda: gone(pids), 120, "the end of all"))
    return started, stopped


def many(plan):
    ours, floor = [], []
    for _ in range(plan.rounds):
        with ExitStack() as stack:
            pm, slots, names = stack.enter_context(services(MANY))
            floor.append(numbers(program("floor_spawn"), program("child"), pm.directory / "floor", MANY))
            ours.append(cycle(pm, slots, names))
    peers = {peer.name: peer_cycle(peer) for peer in plan.peers}
    note = f"{plan.rounds} rounds; floor_spawn child slots {MANY}"
    rows = []
    for place, name, aim in (0, f"start {MANY} services", {"aim_ratio": 2}), (1, f"stop {MANY} services", {"aim": 100}):
        row = Row(name, "ms", median([x[place] for x in ours]) / 1e6, median([x[place] for x in floor]) / 1e6, **aim)
        row.note, row.peers = note, {name: value[place] / 1e6 for name, value in peers.items()}
        rows.append(row)
    return rows


def peer_cycle(peer):
    with workspace() as directory:
        slots = Slots(directory / "slots", MANY)
        with peer(directory, slots) as manager:
            return cycle(manager, slots)


def cold(plan):
    """From the command that starts the daemon to its end, which is when the socket serves."""
    ours, floor = [], []
    for _ in range(plan.rounds * 3):
        with workspace() as directory:
            floor.append(numbers(program("floor_spawn"), program("child"), directory / "floor", 1)[0])
            pm = Daemon(directory, {}, {})
            try:
                ours.append(timed(pm.launch, lambda: None))
                pm.stop()
            finally:
                pm.kill()
    row = Row("daemon cold start to serving", "ms", median(ours) / 1e6, median(floor) / 1e6, aim=20)
    row.note = f"pm start pm --wait, {len(ours)} times; floor: one exec"
    return [row]


def running(stack, count):
    """A daemon with `count` running services, which ends with the stack."""
    pm, slots, names = stack.enter_context(services(count))
    if names:
        pm.start_all(names)
        slots.await_all()
    return pm


def status(plan):
    rows = []
    for count, aim in (10, 6), (MANY, 15):
        with ExitStack() as stack:
            pm = running(stack, count)
            client = [program("rpc_client"), pm.socket, "status", "1", "2", "[null]"]
            for words in (), ("-o", "json"):
                ours, floor = [], []
                for _ in range(plan.rounds * 5):
                    ours.append(cpu_and_wall(pm.status_command(*words), pm.environment, pm.directory))
                    floor.append(cpu_and_wall(client))
                name = " ".join(["pm status", *words, f"CPU, {count} services"])
                row = Row(name, "ms", median([x[0] for x in ours]), median([x[0] for x in floor]), aim=aim)
                row.note = f"{len(ours)} runs; floor: rpc_client, which prints nothing"
                rows.append(row)
        peer_figure(plan, rows[-2], lambda peer: peer_running(peer, count, peer_status))
    return rows


def peer_running(peer, count, measure):
    """What `measure` says of a peer while it runs `count` services."""
    with workspace() as directory:
        slots = Slots(directory / "slots", count)
        with peer(directory, slots) as manager:
            if count:
                manager.start_all()
                slots.await_all()
            return measure(manager)


def peer_status(manager, runs=3):
    command = manager.status_command()
    return median([cpu_and_wall(command, manager.environment, manager.directory)[0] for _ in range(runs)])


def memory(plan):
    rows, ours = [], {}
    # What the first service costs is not what each costs: it brings in the code that all use.
    for count, aim in (0, 10), (FEW, None), (MANY, 15):
        with ExitStack() as stack:
            pm = running(stack, count)
            time.sleep(SETTLING)
            ours[count] = memory_kb(pm.pids, "Rss") / 1024
            if count != FEW:
                rows += [memory_row(plan, pm, count, "Rss", aim), memory_row(plan, pm, count, "Pss", None)]
    growth = (ours[MANY] - ours[FEW]) * 1024 / (MANY - FEW)
    note = f"from {FEW} services to {MANY}"
    return [*rows, Row("RSS for each service", "KB", growth, aim=4, note=f"the same, {note}")]


def memory_row(plan, pm, count, kind, aim):
    row = Row(f"pm-init + pmd {kind.upper()}, {count} services", "MB", memory_kb(pm.pids, kind) / 1024, aim=aim)
    row.note = "/proc/PID/smaps_rollup"

    def measure(manager):
        time.sleep(SETTLING)
        return memory_kb(manager.pids, kind) / 1024

    return peer_figure(plan, row, lambda peer: peer_running(peer, count, measure))


def idle(plan):
    rows = []
    for count in 0, MANY:
        with ExitStack() as stack:
            pm = running(stack, count)
            row = Row(f"context switches a second, {count} services idle", "1/s", idling(pm, plan), aim=0)
            row.note = f"/proc/PID/task/*/status over {plan.idle_seconds} s"
            rows.append(peer_figure(plan, row, lambda peer: peer_running(peer, count, lambda it: idling(it, plan))))
    return rows


def idling(manager, plan):
    """Context switches a second after what the start left to do is done."""
    time.sleep(1)
    pids = manager.pids
    before = switches(pids)
    time.sleep(plan.idle_seconds)
    return (switches(pids) - before) / plan.idle_seconds
