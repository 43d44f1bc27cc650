"""What /proc says of processes, and the slots in which services say that they run."""

import mmap
import os
import statistics
import struct
import time
from contextlib import contextmanager
from pathlib import Path


def median(values):
    return statistics.median(values) if values else None


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else None


def tasks(pid):
    """The directories of a process's threads."""
    return list(Path(f"/proc/{pid}/task").iterdir())


def cpu_ns(pids):
    """CPU that the processes have used, threads that have ended included, in nanoseconds (clock_getcpuclockid(3))."""
    return sum(time.clock_gettime_ns((~pid << 3) | 2) for pid in pids)


def switches(pids):
    """Context switches of the processes so far."""
    lines = [line for pid in pids for task in tasks(pid) for line in (task / "status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)


def memory_kb(pids, kind):
    """Sum of `Rss` or `Pss` of the processes, in KB."""
    rollups = (Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in pids)
    return sum(int(line.split()[1]) for lines in rollups for line in lines if line.startswith(kind + ":"))


def marked(mark, names=None):
    """Processes whose environment holds the mark, by pid; only those of the given names."""
    found = []
    for directory in Path("/proc").iterdir():
        if not directory.name.isdigit():
            continue
        try:
            if mark not in (directory / "environ").read_bytes().split(b"\0"):
                continue
            name = (directory / "comm").read_text().strip()
        except OSError:
            continue  # it ended meanwhile, or belongs to another user
        if names is None or name in names:
            found.append(int(directory.name))
    return sorted(found)


def settle(seconds=20):
    """Waits until the processors are mostly idle: thousands of processes of the last figure may still be ending."""
    deadline = time.monotonic() + seconds
    idle, began = 0, time.monotonic()
    while time.monotonic() < deadline:
        ticks = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
        now, share = ticks[3], (time.monotonic() - began) * os.sysconf("SC_CLK_TCK") * len(os.sched_getaffinity(0))
        if idle and now - idle > 0.95 * share:
            return
        idle, began = now, time.monotonic()
        time.sleep(0.5)


@contextmanager
def awake():
    """Keeps idle processors from halting (the kernel's PM QoS, as root), where the machine lets us.

    A halted processor of a virtual machine takes 20 to 40 us to wake, several times what is to be measured.
    """
    try:
        request = open("/dev/cpu_dma_latency", "wb", buffering=0)
    except OSError:
        yield
        return
    with request:
        request.write(struct.pack("i", 0))
        yield


def wait_until(condition, seconds, what):
    """Looks again and again, because what is waited for comes from other programs; says what did not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.001)


class Slots:
    """The file that services stamp: for each (CLOCK_MONOTONIC nanoseconds of its exec, its pid)."""

    SIZE = struct.calcsize("qq")

    def __init__(self, path, count):
        self.path, self.count = str(path), count
        with open(path, "w+b") as file:
            file.truncate(max(1, count) * self.SIZE)
            self.map = mmap.mmap(file.fileno(), 0)
        os.chmod(path, 0o666)

    def started(self, index):
        return struct.unpack_from("q", self.map, index * self.SIZE)[0]

    def pid(self, index):
        return struct.unpack_from("q", self.map, index * self.SIZE + 8)[0]

    def clear(self):
        self.map[:] = bytes(len(self.map))

    def await_all(self, seconds=60):
        """Waits until every slot is stamped and returns the latest stamp."""
        indices = range(self.count)
        wait_until(lambda: all(self.started(i) for i in indices), seconds, f"{self.count} services")
        return max(self.started(i) for i in indices)

    def await_other(self, index, before, seconds=20):
        """Waits until a slot holds another time, and returns it."""
        wait_until(lambda: self.started(index) not in (0, before), seconds, f"service {index} again")
        return self.started(index)


def gone(pids):
    """Whether none of the processes is left, zombies not counted."""
    for pid in pids:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                return False
        except OSError:
            continue  # gone
    return True
