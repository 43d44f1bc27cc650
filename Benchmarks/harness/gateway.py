"""What clients of pm-gateway wait while others send much: small requests beside bodies of 4 MB."""

import http.client
import json
import socket
import subprocess
import sys
import threading
import time

from .daemon import Daemon, workspace
from .machine import wait_until
from .programs import STAGE
from .table import Row

BODIES = 20
BODY = bytes(range(256)) * (4 << 12)
LEAST_SMALL = 200


def command(name, http_route, inject):
    config = {"fs": {"path": f"./{name}.mjs"}, "": {"inject": ["params.0"]}}
    config["http"] = {**http_route, "inject": inject}
    return {"name": name, "config": config}


def services(directory):
    """Two services in node/host: one takes bodies, the other small requests. pm's containers."""
    containers = {}
    for unit, name, route, inject, code in (
        ("sink", "put", {"method": "post", "route": "/put"}, ["rawBody"], "(body) => body.data.length"),
        ("small", "echo", {"method": "get", "route": "/echo/{id}"}, ["route.id"], "(id) => id"),
    ):
        folder = directory / unit
        folder.mkdir()
        (folder / f"{name}.mjs").write_text(f"export default {code};\n")
        (folder / "commands.json").write_text(json.dumps({"name": unit, "commands": [command(name, route, inject)]}))
        containers[unit] = {"path": f"./{unit}/commands.json", "type": "nodejs", "commandable": True}
    return containers


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def small_requests(port):
    """Prints the milliseconds of one small request after another, until its standard input ends."""
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    taken = []
    while not over.is_set() or len(taken) < LEAST_SMALL:
        began = time.monotonic()
        connection.request("GET", "/echo/7")
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200 or said.strip() != b'"7"':
            raise RuntimeError(f"status {answer.status}: {said}")
        taken.append((time.monotonic() - began) * 1e3)
        time.sleep(0.001)
    print(*taken)


def post(port, statuses):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", "/put", BODY, {"Content-Type": "application/octet-stream"})
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200:
        print(f"a body got status {answer.status}: {said[:200]}", file=sys.stderr)
    statuses.append(answer.status)


def round_of(port):
    """Small requests while all bodies are posted at once: (their milliseconds, the status of each body)."""
    words = [sys.executable, "-c", f"from harness.gateway import small_requests; small_requests({port})"]
    small = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=sys.path[0])
    time.sleep(0.2)
    statuses = []
    threads = [threading.Thread(target=post, args=(port, statuses)) for _ in range(BODIES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    printed, _ = small.communicate("")
    return [float(word) for word in printed.split()], statuses


def gateway(plan):
    taken, statuses, port = [], [], free_port()
    with workspace() as directory:
        containers = services(directory)
        with Daemon(directory, containers, {name: {"container": name} for name in containers}) as pm:
            for name in containers:
                pm.run("start", name, "--wait")
            words = [STAGE / "lib/pm/pm-gateway", "--daemon", pm.socket, "--listen", f"http://127.0.0.1:{port}"]
            served = subprocess.Popen(words, env=pm.environment, stdout=subprocess.DEVNULL)
            try:
                wait_until(lambda: listens(port), 10, "pm-gateway")
                for _ in range(plan.rounds):
                    small, answered = round_of(port)
                    taken += small
                    statuses += answered
            finally:
                served.terminate()
                served.wait()
    taken.sort()
    refused = sum(status != 200 for status in statuses)
    note = f"{len(taken)} small requests beside {plan.rounds} rounds of {BODIES} bodies of 4 MB at once"
    return [
        Row("small request beside large bodies, p99", "ms", taken[len(taken) * 99 // 100], aim=50, note=note),
        Row("... the longest", "ms", taken[-1], note=note),
        Row("... bodies that were refused", "", refused, aim=0, note=note),
    ]
