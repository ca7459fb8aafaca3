"""Processes, and the ways of measuring one: load runs, memory. What is counted exactly: see counts.py.

Every process that is started here ends with this one, by its pid, whatever happens (also if this one is killed).
"""

import contextlib
import ctypes
import dataclasses
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

PR_SET_PDEATHSIG = 1
NICE = -10  # where allowed: whatever else runs here disturbs less
UNSTEADY_PROBE = 0.30  # off the median of all probes
UNSTEADY_WAIT = 0.05  # of the measured time, runnable but not running
IDLE_TICK_NS = 2_000_000  # CPU time that a subject may use up and still count as idle
LIBC = ctypes.CDLL(None, use_errno=True)


class BenchError(Exception):
    """Says in one line what cannot be measured."""


class NotTraceable(BenchError):
    """This machine does not let one process trace another."""


@dataclasses.dataclass(frozen=True)
class Place:
    """The cores of the subject and of the load generator; none: wherever the kernel likes, with no priority."""

    subject: frozenset = frozenset()
    load: frozenset = frozenset()

    def is_apart(self):
        """One core each: then waiting for it, or a core that is slower than usual, means that the machine is not itself."""
        return len(self.load) == 1 and not self.load & self.subject


APART = Place(frozenset({0}), frozenset({1}))
BOTH = Place(frozenset({0, 1}), frozenset({0, 1}))
ANYWHERE = Place()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spawn(command, cores, **options):
    def prepare():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if not cores:
            return
        os.sched_setaffinity(0, cores)
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, NICE)
        # Where the kernel groups processes by session, the group's nice value is what counts.
        with contextlib.suppress(OSError), open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write(str(NICE))

    # A session of its own: a Ctrl-C reaches this process only, which then ends the others in order.
    return subprocess.Popen(command, preexec_fn=prepare, start_new_session=True, **options)


@contextlib.contextmanager
def awake(cores):
    """
    Whoever has nothing to do halts the core, and a virtual one that was halted may be given back milliseconds later: what is
    seen of a latency then is the host's. Something that runs only when nobody else wants to keeps it.
    """

    def prepare():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, cores)
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

    with subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=prepare) as process:
        try:
            yield
        finally:
            process.kill()


def stop(process, how=signal.SIGTERM, patience_s=5.0):
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            with contextlib.suppress(OSError):
                stream.close()


def tail(path, lines=5):
    with open(path, encoding="utf-8", errors="replace") as file:
        return "".join(file.readlines()[-lines:]).strip()


@contextlib.contextmanager
def running(subject, job, prefix=(), place=APART):
    """A subject doing its job; yields None where it has no way to do it."""
    with tempfile.TemporaryDirectory(prefix="brownout-bench-") as folder:
        instance = Instance(subject, job, folder, place)
        command = subject.command(job, instance.port, instance.origin, folder)
        if command is None:
            yield None
            return
        log_path = os.path.join(folder, "output")
        with open(log_path, "wb") as log:
            process = spawn([*prefix, *command], place.subject, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        instance.pid = process.pid
        instance.process = process
        try:
            if not wait_for_port(process, instance.port):
                raise BenchError(f"{subject.name} does not listen ({job}): {tail(log_path)}")
            yield instance
        finally:
            stop(process)


class Instance:
    def __init__(self, subject, job, folder, place):
        self.subject = subject
        self.job = job
        self.folder = folder
        self.place = place
        self.port = free_port()
        self.origin = free_port()
        self.pid = 0
        self.process = None

    def cpu_ns(self):
        total = 0
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{thread}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total

    def wait_idle(self, quiet_s=0.3, patience_s=30.0):
        """Waits until the subject has done all that it had to do."""
        end = time.monotonic() + patience_s
        before = -1
        while before != (now := self.cpu_ns() // IDLE_TICK_NS) and time.monotonic() < end:
            before = now
            time.sleep(quiet_s)

    def private_bytes(self):
        """User memory that is this process's own."""
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as file:
            return 1024 * int(re.search(r"^Private_Dirty: +(\d+) kB", file.read(), re.M)[1])


def wait_for_port(process, port, patience_s=30.0):
    end = time.monotonic() + patience_s
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)
    return False


class Load:
    """One run of the load generator against one instance."""

    def __init__(self, binary, instance, arguments):
        self.instance = instance
        place = instance.place
        command = [binary, "--target", str(instance.port), "--origin", str(instance.origin), "--watch", str(instance.pid)]
        if place.is_apart():
            command += ["--core", str(min(place.load)), "--probe-core", str(min(place.subject))]
        self.process = spawn([*command, *map(str, arguments)], place.load, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop(self.process, signal.SIGKILL)

    def wait_word(self, word):
        line = self.process.stdout.readline().strip()
        if line != word:
            self.fail(line)

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def result(self):
        line = self.process.stdout.readline()
        if not line:
            self.fail("")
        result = json.loads(line)
        if result["errors"]:
            raise BenchError(f"{self.who()}: {result['errors']} errors, the first: {result.get('first_error') or 'garbled request'}")
        return result

    def who(self):
        return f"{self.instance.subject.name} ({self.instance.job})"

    def fail(self, said):
        self.process.wait(5)
        raise BenchError(f"{self.who()}: {said} {self.process.stderr.read().strip()}")


def run_load(binary, instance, arguments):
    with Load(binary, instance, arguments) as load:
        return load.result()


class Steadiness:
    """Tells the runs in which the machine was not itself: a core moved, or someone else ran on it."""

    def __init__(self, retries):
        self.retries = retries
        self.repeated = 0
        self.kept = 0
        self.syscall_ns = []
        self.line_ns = []

    def is_steady(self, result):
        if result["wait_ns"] + result["load_wait_ns"] > UNSTEADY_WAIT * result["seconds"] * 1e9:
            return False
        for history, values in ((self.syscall_ns, result["syscall_ns"]), (self.line_ns, result["line_ns"])):
            usual = statistics.median(history)
            if any(abs(value - usual) > UNSTEADY_PROBE * usual for value in values):
                return False
        return True

    def run(self, binary, instance, arguments):
        """The result of a load run, repeated while the machine is unsteady, but not for ever."""
        for attempt in range(self.retries + 1):
            result = run_load(binary, instance, arguments)
            if not instance.place.is_apart():
                return result
            self.syscall_ns += result["syscall_ns"]
            self.line_ns += result["line_ns"]
            if self.is_steady(result):
                return result
            if attempt < self.retries:
                self.repeated += 1
        self.kept += 1
        return result


def measure_held(binary, instance, count):
    """User bytes for each held request, above the idle process, and what is still there once the clients have left."""
    instance.wait_idle()
    before = instance.private_bytes()
    with Load(binary, instance, ["--hold", "--connections", count]) as load:
        load.wait_word("held")
        instance.wait_idle()
        held = instance.private_bytes()
        load.go_on()
        result = load.result()
    if result["held"] != count:
        raise BenchError(f"{load.who()}: only {result['held']} of {count} requests were held")
    time.sleep(1)
    instance.wait_idle()
    return {"held": (held - before) / count, "after": (instance.private_bytes() - before) / count}
