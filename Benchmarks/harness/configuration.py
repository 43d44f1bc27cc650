"""What a change of the configuration costs: `apply` of one changed key while 1,000 services run."""

import json
import statistics
import time

from .daemon import services
from .growth import Client
from .machine import cpu_ns
from .table import Row

SERVICES = 1000
# A key that holds at once, and one with which the process is started again.
KEYS = {"restart": "live", "env": "restart"}


def apply(how):
    """From the request after the file was saved to the answer: the file is read again, and one service follows it."""
    with services(SERVICES) as (pm, slots, names):
        pm.start_all(names)
        slots.await_all(60)
        client = Client(pm)
        rows = []
        for key, action in KEYS.items():
            costs = [one(pm, client, names[turn], key, action, turn) for turn in range(4 * how.rounds)]
            name = f"apply of one changed key of {SERVICES:,} services ({action})"
            for kind, times in zip(("time to the answer", "CPU"), zip(*costs)):
                row = Row(f"{name}, {kind}", "ms", statistics.median(times))
                row.aim = 20
                row.note = f"one service touched each time; {min(times):.0f} to {max(times):.0f} ms"
                rows.append(row)
        client.close()
        return rows


def one(pm, client, name, key, action, turn):
    """Changes a key of a service in the file and applies that: time and CPU of pmd and pm-init, in milliseconds."""
    path = pm.directory / ".pm.config.json"
    config = json.loads(path.read_text())
    config["mapping"][name][key] = {"delay": f"{turn + 1}s"} if key == "restart" else {"TURN": str(turn)}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(config))
    fresh.rename(path)
    before, began = cpu_ns(pm.pids), time.monotonic()
    client.send([{"id": 1, "method": "apply", "params": [None, {}]}])
    answer = client.read(1)[0]
    spent = (time.monotonic() - began) * 1e3, (cpu_ns(pm.pids) - before) / 1e6
    steps = answer["result"]["steps"]
    if [(step["name"], step["action"]) for step in steps] != [(name, action)]:
        raise RuntimeError(f"apply touched something else: {answer}")
    return spent
