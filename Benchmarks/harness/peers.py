"""Other managers, as Debian packages them, driven the way their users do. Each runs the same trivial services."""

import os
import shutil
import subprocess

from .daemon import Manager
from .machine import marked, wait_until
from .programs import program


class Peer(Manager):
    """A manager of the services of `slots`, none of which runs at first."""

    programs: tuple[str, ...] = ()
    name = ""
    #: Names of the manager's own processes.
    processes: set[str] = set()

    def __init__(self, directory, slots):
        super().__init__(directory)
        self.slots = slots
        self.names = [f"s{index}" for index in range(slots.count)]

    @classmethod
    def is_installed(cls):
        return all(shutil.which(name) for name in cls.programs)

    @property
    def pids(self):
        return marked(self.mark.encode(), self.processes)

    def background(self, *command):
        subprocess.Popen(
            command, env=self.environment, cwd=self.directory,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def arguments(self, index):
        return f"{program('child')} {self.slots.path} {index}"


class Supervisor(Peer):
    name, programs, processes = "supervisor", ("supervisord", "supervisorctl"), {"supervisord", "python3"}

    def launch(self):
        control = self.directory / "control"
        lines = [
            "[supervisord]", f"minfds={3 * len(self.names) + 200}", f"logfile={self.directory}/log",
            f"pidfile={self.directory}/pid", f"childlogdir={self.directory}",
            "[unix_http_server]", f"file={control}", "[supervisorctl]", f"serverurl=unix://{control}",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        ]  # fmt: skip
        for index, name in enumerate(self.names):
            lines += [f"[program:{name}]", f"command={self.arguments(index)}", "autostart=false", "autorestart=true"]
            lines += ["startsecs=0", "startretries=1000000", "stdout_logfile=NONE", "stderr_logfile=NONE"]
        self.config = self.directory / "supervisord.conf"
        self.config.write_text("\n".join(lines) + "\n")
        self.background("supervisord", "-n", "-c", str(self.config))
        wait_until(control.exists, 30, "supervisord")

    def control(self, *words):
        return ["supervisorctl", "-c", str(self.config), *words]

    def start_all(self):
        self.output(*self.control("start", "all"))

    def stop_all(self):
        self.output(*self.control("stop", "all"))

    def status_command(self):
        return self.control("status")


class Directories(Peer):
    """What s6 and runit share: a directory with a `run` script for each service."""

    scanner = ""

    def launch(self):
        self.scan = self.directory / "scan"
        for index, name in enumerate(self.names):
            service = self.scan / name
            service.mkdir(parents=True)
            (service / "run").write_text(f"#!/bin/sh\nexec {self.arguments(index)}\n")
            (service / "run").chmod(0o755)
            (service / "down").touch()
        self.scan.mkdir(exist_ok=True)
        self.background(*self.scan_command())
        wait_until(lambda: len(self.pids) > len(self.names), 60, self.scanner)
        wait_until(lambda: all(self.is_up(self.scan / name) for name in self.names), 60, self.name)

    def is_up(self, service):
        return (service / "supervise/control").exists()

    def each(self, *words):
        """The command for all services: as many at once as it takes."""
        return [*words, *(str(self.scan / name) for name in self.names)]


class S6(Directories):
    name, programs, scanner = "s6", ("s6-svscan", "s6-svc", "s6-svstat"), "s6-svscan"
    processes = {"s6-svscan", "s6-supervise"}

    def scan_command(self):
        return ["s6-svscan", "-c", "4000", str(self.scan)]

    def loop(self, command):
        """s6's commands take one service each."""
        return ["sh", "-c", f'for s in "$@"; do {command} "$s" >/dev/null; done', *self.each("sh")]

    def start_all(self):
        self.output(*self.loop("s6-svc -u"))

    def stop_all(self):
        self.output(*self.loop("s6-svc -d"))

    def status_command(self):
        return self.loop("s6-svstat")


class Runit(Directories):
    name, programs, scanner = "runit", ("runsvdir", "sv"), "runsvdir"
    processes = {"runsvdir", "runsv"}

    def scan_command(self):
        return ["runsvdir", str(self.scan)]

    def start_all(self):
        self.output(*self.each("sv", "up"))

    def stop_all(self):
        self.output(*self.each("sv", "down"))

    def status_command(self):
        return self.each("sv", "status")


def installed():
    """The peers that can be run here; SVDIR and the like of the caller must not reach them."""
    for name in ("SVDIR", "SVWAIT"):
        os.environ.pop(name, None)
    return [peer for peer in (Supervisor, S6, Runit) if peer.is_installed()]
