"""What one request costs in counts that are exact on any machine: system calls, user instructions, calls of functions."""

import collections
import dataclasses
import glob
import os
import re
import signal
import subprocess
import tempfile

from measure import APART, BenchError, Load, NotTraceable, run_load, running, spawn, stop

FUNCTION = re.compile(r"^(c?fn)=\((\d+)\)(?: (\S+))?")


class Tracer:
    """Counts the system calls of a process, all its threads, into a report."""

    def __init__(self, instance, report):
        command = ["strace", "-c", "-f", "-o", report, "-p", str(instance.pid)]
        self.process = spawn(command, instance.place.load, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        if "attached" not in self.process.stderr.readline():
            self.stop()
            raise NotTraceable("strace cannot attach")
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        stop(self.process, signal.SIGINT)


def count_syscalls(binary, instance, arguments, requests):
    """System calls by name of exactly so many requests in steady state: connections open, pools filled, buffers warm.

    The warm-up is traced, too, and thrown away: a subject that is slowed down has more requests at the upstream at once,
    and opens its connections for them then.
    """
    report = os.path.join(instance.folder, "strace")
    gated = [*arguments, "--gate", "--requests", requests]
    with Tracer(instance, "/dev/null") as warmup, Load(binary, instance, gated) as load:
        load.wait_word("ready")
        warmup.stop()
        with Tracer(instance, report):
            load.go_on()
            load.result()
    counts = {}
    with open(report, encoding="ascii") as file:
        for line in file:
            words = line.split()
            if len(words) >= 5 and words[0][0].isdigit() and words[-1] != "total":
                counts[words[-1]] = int(words[3])
    return counts


@dataclasses.dataclass
class Profile:
    instructions: float
    calls: dict  # by the name of the called function, without the version that libc puts behind it


def read_profile(path):
    """What callgrind has written: instructions of a whole run, calls of each function."""
    names = {}
    calls = {}
    called = ""
    total = None
    with open(path, encoding="utf-8") as file:
        for line in file:
            if found := FUNCTION.match(line):
                kind, number, name = found.groups()
                if name:
                    names[number] = name.split("@")[0]
                if kind == "cfn":
                    called = names[number]
            elif line.startswith("calls="):
                calls[called] = calls.get(called, 0) + int(line[6:].split()[0])
            elif line.startswith("totals:"):
                total = int(line.split()[1])
    if total is None:
        raise BenchError("callgrind has written no totals")
    return Profile(total, calls)


def add_profiles(profiles):
    calls = collections.Counter()
    for profile in profiles:
        calls.update(profile.calls)
    return Profile(sum(profile.instructions for profile in profiles), calls)


def profile_run(binary, subject, job, arguments, requests, place, of):
    """The whole run of a subject that answers so many requests, or None where it has no way to do the job."""
    with tempfile.TemporaryDirectory(prefix="brownout-bench-") as folder:
        path = os.path.join(folder, "profile")
        tool = ["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={path}"]
        with running(subject, job, tool, place) as instance:
            if instance is None:
                return None
            run_load(binary, instance, [*arguments, "--warmup-ms", 0, "--requests", requests])
            stop(instance.process, patience_s=60)
        threads = [read_profile(found) for found in glob.glob(f"{path}-*")]
    return add_profiles([thread for thread in threads if not of or of in thread.calls])


def profile_request(binary, subject, job, arguments, requests, place=APART, of=None):
    """One request's share: of twice as many requests less that of once, so that start and warm-up cancel.

    of: only of the threads that call this function. Others wake up by time, however many requests there are.
    """
    runs = [profile_run(binary, subject, job, arguments, n, place, of) for n in (requests, 2 * requests)]
    if runs[0] is None:
        return None
    once, twice = runs
    calls = {name: (n - once.calls[name]) / requests for name, n in twice.calls.items()}
    return Profile((twice.instructions - once.instructions) / requests, calls)
