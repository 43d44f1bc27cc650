"""A pm daemon of its own in a temporary directory, and the calls that the figures need."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from .machine import Slots, marked, wait_until
from .programs import PM, output, program

CHILD = {"child": {"path": program("child"), "type": "nodejs", "commandable": False}}


@contextmanager
def workspace():
    """A temporary directory with a short name, as the path of a socket must be."""
    directory = Path(tempfile.mkdtemp(prefix="pmb-", dir="/tmp"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class Manager:
    """What is started in a directory and ended with it: all of it carries a mark in its environment."""

    def __init__(self, directory):
        self.directory = directory
        self.mark = f"PM_BENCH_MARK={directory.name}"
        clean = {key: text for key, text in os.environ.items() if not key.startswith(("PM_", "XDG_"))}
        self.environment = {**clean, "HOME": str(directory), "XDG_RUNTIME_DIR": str(directory)}
        self.environment.update([self.mark.split("=")])

    def __enter__(self):
        try:
            self.launch()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_):
        self.kill()

    def launch(self):
        raise NotImplementedError

    def kill(self):
        """Ends everything that carries the mark; again, because what is ended may be restarted meanwhile."""
        while left := marked(self.mark.encode()):
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it ended with another one

    def output(self, *command):
        """What a command prints, run in the directory."""
        return output(*command, env=self.environment, cwd=self.directory, stdin=subprocess.DEVNULL)


class Daemon(Manager):
    """`with Daemon(directory, containers, mapping) as pm:` runs pm-init and pmd."""

    name = "pm"

    def __init__(self, directory, containers, mapping):
        super().__init__(directory)
        config = {"containers": containers, "mapping": mapping}
        (directory / ".pm.config.json").write_text(json.dumps(config))

    def launch(self):
        self.run("start", "pm", "--wait")

    def run(self, *words):
        """Runs `pm WORDS...` and returns what it prints."""
        return self.output(PM, *words)

    @property
    def pids(self):
        """pm-init and pmd."""
        return marked(self.mark.encode(), {"pm-init", "pmd"})

    @property
    def socket(self):
        return str(self.directory / "pm.sock")

    def status_command(self, *words):
        return [str(PM), "status", *words]

    def call_all(self, method, parameter_lists):
        """Makes all calls at once on one connection and waits for all answers; an error is an exception."""
        lines = [
            json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
            for id, params in enumerate(parameter_lists)
        ]
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(self.socket)
            connection.sendall("".join(line + "\n" for line in lines).encode())
            answers = connection.makefile("rb")
            for _ in lines:
                answer = json.loads(answers.readline())
                if answer.get("error"):
                    raise RuntimeError(f"{method}: {answer['error']}")

    def start_all(self, names):
        self.call_all("start", [[name, {}] for name in names])

    def stop_all(self, _):
        """What `pm stop` does: all services, then the daemon."""
        self.call_all("stop", [[]])

    def stop(self):
        """Ends the services and the daemon, and waits until it is gone."""
        self.run("stop")
        wait_until(lambda: not self.pids, 20, "the end of the daemon")


def trivial(slots, index, restart=None):
    """The mapping of a service that is the program `child`."""
    mapping = {"container": "child", "cli": [slots.path, str(index)], "ready": "started"}
    return mapping if restart is None else {**mapping, "restart": restart}


@contextmanager
def services(count, restart=None, user=None):
    """A daemon that knows `count` trivial services: (daemon, their slots, their names). None of them runs yet."""
    with workspace() as directory:
        slots = Slots(directory / "slots", count)
        mapping = {f"s{index}": trivial(slots, index, restart) for index in range(count)}
        if user is not None:
            directory.chmod(0o755)
            os.chmod(slots.path, 0o666)
            mapping = {name: {**words, "user": user} for name, words in mapping.items()}
        with Daemon(directory, CHILD, mapping) as pm:
            yield pm, slots, list(mapping)
