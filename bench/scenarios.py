"""What is measured, as one table: a scenario is a job, a load and the rows it prints.

To add one, add an entry; a job that is new needs a line in each subject (subjects.py).
"""

import contextlib
import dataclasses
import statistics
import sys
from collections.abc import Callable

import counts
import measure
import observers
import subjects

MIB = 1 << 20
GIB = 1 << 30
SMALL = ["--connections", 64]
ABORTED = ["--only-aborted"]
SOME_ABORTED = ["--allow-aborted"]
DELAYED = ["--delay-ms", subjects.DELAY_MS, "--warmup-ms", 1000]


@dataclasses.dataclass(frozen=True)
class Row:
    label: str
    unit: str
    value: Callable
    ratio: bool = True
    digits: int = 1


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    job: str
    load: list
    rows: list
    kind: str = "timed"  # timed, syscalls, instructions, held
    seconds: float = 2.0
    base_job: str = ""  # the ratio is to the subject itself doing this, and not to the floor
    place: measure.Place = measure.APART
    watch: Callable = contextlib.nullcontext  # entered with each instance
    attack: str = ""  # what others do to it meanwhile
    awake: bool = False  # the subject's core is kept from halting


@dataclasses.dataclass
class Settings:
    load_binary: str
    rounds: int
    time_scale: float
    requests: int  # of the counted scenarios
    held: int
    steadiness: measure.Steadiness
    progress: Callable


def cpu_us(result):
    return result["cpu_ns"] / 1e3 / result["completed"]


def cpu_ms_per_gib(result):
    return result["cpu_ns"] / 1e6 / (result["content_bytes"] / GIB)


def rate(result):
    return result["completed"] / result["seconds"]


def load_percent(result):
    return 100 * result["cpu_ns"] / 1e9 / result["seconds"]


def aborted_percent(result):
    return 100 * result["aborted"] / result["completed"]


def latency(name):
    return lambda result: result["latency_us"][name]


def delay_error(name):
    return lambda result: result["delay_error_us"][name]


def cores_used(result):
    return result["cpu_ns"] / 1e9 / result["seconds"]


def lost_percent(result):
    return 100 * result["lost"] / result["seen"]


def calls_per_request(result):
    return result["total"] / result["requests"]


def calls_named(name):
    return lambda result: result["calls"].get(name, 0)


CPU = Row("CPU per request", "us", cpu_us, digits=2)
PER_GIB = Row("CPU per GiB", "ms", cpu_ms_per_gib, digits=0)
DELAY_ROWS = [
    Row("error, earliest", "us", delay_error("min"), ratio=False),
    Row("error, p50", "us", delay_error("p50"), ratio=False),
    Row("error, p99", "us", delay_error("p99")),
    Row("error, max", "us", delay_error("max"), ratio=False),
    CPU,
]
WORKER_ROWS = [
    CPU,
    Row("throughput", "req/s", rate, digits=0),
    Row("cores used", "", cores_used, digits=2),
]
OBSERVED_ROWS = [CPU, Row("records lost", "%", lost_percent, ratio=False, digits=2)]
# The generator needs its share of the two cores: many requests in one call make it small, and it sleeps when it can.
CHEAP = ["--connections", 64, "--patient"]
SYSCALL_ROWS = [
    Row("system calls per request", "", calls_per_request, digits=3),
    Row("epoll_ctl, all of them", "", calls_named("epoll_ctl"), ratio=False, digits=0),
]
INSTRUCTION_ROWS = [Row("user instructions per request", "", lambda result: result, digits=0)]

ATTACKED_ROWS = [
    Row("latency p50", "us", latency("p50")),
    Row("latency p99", "us", latency("p99")),
    Row("latency max", "us", latency("max")),
]
# What they ask for needs some time to have come.
POLITE = SMALL + ["--rate", 1000, "--warmup-ms", 2000]


def attacked(name, title, awake=True):
    return Scenario(f"attack-{name}", f"GET 1 KiB, 1,000 req/s, beside {title}; ratio to nobody else", "attacked", POLITE,
                    ATTACKED_ROWS, base_job="forward", attack=name, seconds=6.0, awake=awake)


SCENARIOS = [
    Scenario("forward", "GET 1 KiB, 64 connections, closed loop", "forward", SMALL, [
        CPU,
        Row("throughput on one core", "req/s", rate, digits=0),
        Row("of the core used", "%", load_percent, ratio=False, digits=0),
    ]),
    Scenario("abort10", "the same, 10 % answered 503", "abort10", SMALL + SOME_ABORTED, [
        CPU,
        Row("answered 503", "%", aborted_percent, ratio=False, digits=2),
    ]),
    Scenario("abort", "503 on every request, no upstream", "abort", SMALL + ABORTED, [
        CPU,
        Row("throughput on one core", "req/s", rate, digits=0),
    ]),
    Scenario("body64k", "64 KiB bodies, 16 connections", "forward", ["--connections", 16, "--bytes", 65536], [PER_GIB]),
    Scenario("body1m", "1 MiB bodies, 16 connections", "forward", ["--connections", 16, "--bytes", MIB], [PER_GIB]),
    Scenario("chunked1m", "1 MiB bodies, chunked", "forward", ["--connections", 16, "--bytes", MIB, "--chunked"], [PER_GIB]),
    Scenario("open", "GET 1 KiB, 5,000 req/s, open loop", "forward", SMALL + ["--rate", 5000], [
        CPU,
        Row("latency p50", "us", latency("p50")),
        Row("latency p99", "us", latency("p99")),
    ]),
    Scenario("reconnect", "a new client connection per request", "forward", SMALL + ["--reconnect"], [CPU]),
    Scenario("quota100k", f"token buckets, {subjects.QUOTA_KEYS:,} keys, none refused", "quota",
             SMALL + ["--keys", subjects.QUOTA_KEYS, "--warmup-ms", 3000], [CPU]),
    Scenario("rules1k", "1,000 path rules, the last matches (503); ratio to one rule", "rules1k", SMALL + ABORTED, [CPU],
             base_job="rules1"),
    Scenario("judged", "GET 1 KiB with a live judge; ratio to none", "judged", SMALL, [CPU], base_job="forward"),
    Scenario("observed", "GET 1 KiB with metrics, JSON access log, judge; ratio to none of them", "observed", SMALL,
             OBSERVED_ROWS, base_job="forward", watch=observers.Totals),
    Scenario("dashboard", "the same, and a dashboard that watches", "observed", SMALL, OBSERVED_ROWS, base_job="forward",
             watch=observers.Dashboard),
    Scenario("workers2", "503, 16 at once, two workers on two cores; ratio to one", "workers2",
             CHEAP + ABORTED + ["--pipelined", 16], WORKER_ROWS, base_job="workers1", place=measure.BOTH),
    Scenario("workers2-forward", "GET 1 KiB, two workers on two cores; ratio to one", "workers2-forward", CHEAP, WORKER_ROWS,
             base_job="workers1-forward", place=measure.BOTH),
    # Open loop: in a closed one, requests that were once late together stay together.
    Scenario("delay1k", "delay 100 ms, 10,000 req/s: 1,000 at a time", "delay",
             ["--connections", 2000, "--rate", 10000] + DELAYED, DELAY_ROWS),
    Scenario("delay10k", "delay 100 ms, 10,000 connections, 5,000 req/s", "delay",
             ["--connections", 10000, "--rate", 5000] + DELAYED, DELAY_ROWS),
    attacked("slow-readers", "200 clients that take nothing of 10 MiB"),
    attacked("silent", "10,000 that say nothing"),
    attacked("slow-heads", "2,000 whose heads drip"),
    attacked("slow-bodies", "900 whose bodies drip"),
    # Which keeps the core busy by itself.
    attacked("pipeline", "4 that ask without a pause", awake=False),
    attacked("storm", "1,000 a second that come and go"),
    Scenario("held", "requests held", "hold", [], [
        Row("user memory each", "B", lambda result: result["held"], digits=0),
        Row("still there when they left", "B", lambda result: result["after"], ratio=False, digits=0),
    ], kind="held"),
    Scenario("syscalls", "GET 1 KiB, counted by strace", "forward", SMALL, SYSCALL_ROWS, kind="syscalls"),
    Scenario("syscalls-abort", "503, counted by strace", "abort", SMALL + ABORTED, SYSCALL_ROWS, kind="syscalls"),
    Scenario("instructions", "GET 1 KiB, counted by callgrind", "forward", SMALL, INSTRUCTION_ROWS, kind="instructions"),
    Scenario("instructions-abort", "503, counted by callgrind", "abort", SMALL + ABORTED, INSTRUCTION_ROWS, kind="instructions"),
]


def report(scenario, error):
    print(f"bench: {scenario.name}: {error}", file=sys.stderr)


def base_name(subject_name):
    return f"{subject_name}, base"


def entrants(scenario, chosen):
    """Who runs in each round, in this order: (name in the results, subject, job)."""
    for subject in chosen:
        if scenario.base_job:
            yield base_name(subject.name), subject, scenario.base_job
        yield subject.name, subject, scenario.job


def measure_timed(scenario, chosen, settings):
    """Rounds of A B C D. All subjects stay up meanwhile, idle but for one."""
    arguments = [*scenario.load, "--duration-ms", int(1000 * scenario.seconds * settings.time_scale)]
    results = {}
    with contextlib.ExitStack() as stack:
        if scenario.awake:
            stack.enter_context(measure.awake(scenario.place.subject))
        instances = {}
        for name, subject, job in entrants(scenario, chosen):
            try:
                instance = stack.enter_context(measure.running(subject, job, place=scenario.place))
            except measure.BenchError as error:
                report(scenario, error)
                results[name] = []
                continue
            if instance is not None:
                watcher = scenario.watch(instance) if job == scenario.job else contextlib.nullcontext()
                instances[name] = instance, stack.enter_context(watcher)
                results[name] = []
        for round_number in range(1, settings.rounds + 1):
            for name in list(instances):
                settings.progress(f"{scenario.name}: round {round_number} of {settings.rounds}, {name}")
                instance, watcher = instances[name]
                attacked_by = ["--attack", scenario.attack] if scenario.attack and instance.job == scenario.job else []
                try:
                    result = settings.steadiness.run(settings.load_binary, instance, arguments + attacked_by)
                    if isinstance(watcher, observers.Totals):
                        result |= watcher.news()
                    results[name].append(result)
                except (measure.BenchError, OSError) as error:
                    report(scenario, error)
                    results[name] = []
                    del instances[name]
    return results


def measure_held(scenario, subject, settings):
    with measure.running(subject, scenario.job) as instance:
        return instance and measure.measure_held(settings.load_binary, instance, settings.held)


def measure_syscalls(scenario, subject, settings):
    with measure.running(subject, scenario.job) as instance:
        if instance is None:
            return None
        calls = counts.count_syscalls(settings.load_binary, instance, scenario.load, settings.requests)
    return {"calls": calls, "total": sum(calls.values()), "requests": settings.requests}


def measure_instructions(scenario, subject, settings):
    profile = counts.profile_request(settings.load_binary, subject, scenario.job, scenario.load, settings.requests // 4)
    return profile and profile.instructions


ONCE = {"held": measure_held, "syscalls": measure_syscalls, "instructions": measure_instructions}


def measure_once(scenario, chosen, settings):
    results = {}
    for subject in chosen:
        settings.progress(f"{scenario.name}: {subject.name}")
        try:
            result = ONCE[scenario.kind](scenario, subject, settings)
            if result is not None:
                results[subject.name] = [result]
        except measure.BenchError as error:
            report(scenario, error)
            results[subject.name] = []
    return results


def run(scenario, chosen, settings):
    """{subject name: [result of each round]}: empty where it failed, no entry where it has no way to do this."""
    return (measure_timed if scenario.kind == "timed" else measure_once)(scenario, chosen, settings)


def cell(scenario, row, results, name):
    """(median, ratio or None) of one row for one subject that was measured."""
    base = base_name(name) if scenario.base_job else "floor"
    values = [row.value(result) for result in results[name]]
    ratio = None
    if row.ratio and name != base and results.get(base):
        pairs = zip(values, (row.value(result) for result in results[base]))
        ratios = [value / reference for value, reference in pairs if value > 0 and reference > 0]
        ratio = statistics.median(ratios) if ratios else None
    return statistics.median(values), ratio
