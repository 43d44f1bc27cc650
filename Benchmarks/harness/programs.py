"""Builds the C programs of the benchmarks and runs them and others."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STAGE = ROOT / ".build/stage"
BUILT = ROOT / ".build/bench"
PM = STAGE / "bin/pm"
HOST = STAGE / "lib/pm/node/host/main.mjs"


def build():
    """Compiles each program that is older than its sources; all are static, as a floor should be."""
    sources = ROOT / "Benchmarks/c"
    shared = [sources / "bench.c", sources / "bench.h"]
    BUILT.mkdir(parents=True, exist_ok=True)
    for source in sorted(sources.glob("*.c")):
        target = BUILT / source.stem
        newest = max(path.stat().st_mtime for path in [source, *shared])
        if source.name == "bench.c" or (target.exists() and target.stat().st_mtime >= newest):
            continue
        subprocess.run(
            ["cc", "-std=gnu11", "-O2", "-static", "-o", target, source, sources / "bench.c"], check=True
        )


def program(name):
    """The path of a program of Benchmarks/c."""
    return str(BUILT / name)


def output(*command, **options):
    """What a command prints; its failure, with what it said, is an exception."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: status {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def numbers(*command, **options):
    """The numbers that a command prints."""
    return [float(word) for word in output(*command, **options).split()]


def cpu_and_wall(command, environment=None, cwd=None):
    """Runs a command to its end: (CPU, wall), milliseconds. Its output goes to /dev/null."""
    import time

    began = time.monotonic()
    with open(os.devnull, "w") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, stdin=sink, env=environment, cwd=cwd)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: status {process.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1e3, (time.monotonic() - began) * 1e3
