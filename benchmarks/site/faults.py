"""Play faults on a running site under load, and count what was promised and lost.

    python -m benchmarks.site.faults [--only NAMES] [--clients 4] [--outage 10] [--soak 1200]

It runs sites of its own on this machine, on SQLite and PostgreSQL, and starts again what it kills,
as a service manager would. Clients send a drawing with one Idempotency-Key until it is stored. Of
each fault it prints how many were stored, the answers that were not 201, how many drawings that a
201 had promised are not in the database (lost) or there without or beside a promise (twice), and
the seconds until a drawing was stored again: after a kill, the longest time without any; after an
outage, from its end. The soak at 70 % load runs for 20 minutes, or as long as --soak says (0: not
at all); it prints by how much memory, open files and connections grow.
"""

from __future__ import annotations

import atexit
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import numpy as np

from benchmarks.common import clients, command_line, results
from benchmarks.common.clients import Record
from benchmarks.common.filling import digit_png
from recognizer.tests.support import servers
from recognizer.tests.support.sites import ROOT, manage
from recognizer.tests.support.waiting import wait_until

GOAL_SECONDS = 5.0
CALM, SWITCHES = 2.0, 5
TABLE = results.Table("stored", "failed", "lost", "twice", "seconds", name="fault", name_width=42)


@dataclass(frozen=True)
class Result:
    """``seconds`` until a drawing was stored again; ``failures`` by status, 0 for no answer."""

    stored: int
    failures: dict[int, int]
    lost: int
    twice: int
    seconds: float


@dataclass
class Instance:
    """One gunicorn with two workers. While it is guarded it is started again when it ends."""

    environment: dict[str, str]
    log: Path
    port: int = field(default_factory=servers.free_port)
    process: subprocess.Popen[bytes] | None = None
    guarded: bool = True

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}",
                    "--workers", "2", "--threads", "8", "--log-level", "warning", "digitsite.wsgi",
                ],
                cwd=ROOT, env=self.environment, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children]

    def guard(self, until: threading.Event) -> None:
        """Start it again a second after it has ended, as systemd's RestartSec=1 would."""
        while not until.wait(0.05):
            if self.guarded and self.process is not None and self.process.poll() is not None:
                until.wait(1)
                self.start()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)


@dataclass
class Place:
    """Where a fault is played: instances on one database."""

    url: str
    instances: list[Instance]
    database: servers.Server | None
    redis: servers.Server | None
    outage: float

    def ids(self) -> list[str]:
        query = "SELECT id FROM recognizer_prediction"
        if self.url.startswith("sqlite:///"):
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as database:
                return [row[0] for row in database.execute(query)]
        import psycopg

        with psycopg.connect(self.url) as server:
            return [row[0].hex for row in server.execute(query)]


@cache
def migrated() -> Path:
    """Return a migrated SQLite file without drawings, which is deleted at the end."""
    folder = tempfile.mkdtemp(prefix="digitsite-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder, "site.sqlite3")
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{path}"}
    manage("migrate", "--no-input", "-v0", environment=environment)
    return path


def answers(port: int, key: str) -> bool:
    """Whether a site stores a drawing."""
    with closing(clients.Client([port])) as client:
        return client.store(clients.body_of(digit_png(1, seed=1)), key)[1] is not None


@contextmanager
def place(kind: str, outage: float, *, instances: int = 1, redis: bool = False) -> Iterator[Place]:
    """Run a site on a temporary database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="digitsite-")))
        database = stack.enter_context(servers.postgres_server()) if kind == "postgresql" else None
        cache = stack.enter_context(servers.redis_server()) if redis else None
        url = database.url if database else f"sqlite:///{folder / 'site.sqlite3'}"
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "CACHE_FILE": str(folder / "cache.sqlite3"),
            "REDIS_URL": cache.url if cache else "",
            # Counted, but not refused.
            "THROTTLE_ANON": "1000000/min" if cache else "off",
        }
        if kind == "sqlite":
            shutil.copy(migrated(), folder / "site.sqlite3")
        else:
            manage("migrate", "--no-input", "-v0", environment=environment)
        running = [
            Instance(environment, folder / f"site-{number}.log") for number in range(instances)
        ]
        done = threading.Event()
        for instance in running:
            instance.start()
            stack.callback(instance.stop)
            threading.Thread(target=instance.guard, args=(done,), daemon=True).start()
        stack.callback(done.set)
        for instance in running:
            # With one key: an answer that came too late for the client was the same drawing.
            wait_until(partial(answers, instance.port, str(uuid.uuid4())), "the site answers")
        yield Place(url, running, database, cache, outage)


# The faults -------------------------------------------------------------------------------------

Fault = Callable[[Place], float | None]
"""Returns the moment from which to wait for the next 201, or None for a kill."""


def kill_worker(at: Place) -> None:
    os.kill(at.instances[0].workers()[0], signal.SIGKILL)


def kill_master(at: Place) -> None:
    os.kill(at.instances[0].pid, signal.SIGKILL)


def terminate(at: Place) -> None:
    os.kill(at.instances[0].pid, signal.SIGTERM)


def kill_instance(at: Place) -> None:
    at.instances[0].guarded = False
    os.killpg(at.instances[0].pid, signal.SIGKILL)


def stop_database(at: Place) -> float:
    assert at.database is not None
    at.database.stop()
    time.sleep(at.outage)
    at.database.start()
    return time.monotonic()


def stop_redis(at: Place) -> None:
    assert at.redis is not None
    at.redis.stop()
    time.sleep(at.outage)
    at.redis.start()


def hang_redis(at: Place) -> None:
    assert at.redis is not None
    at.redis.hang()
    time.sleep(at.outage)
    at.redis.go_on()


def fill_disk(at: Place) -> float:
    """Let the workers' files grow no further than 64 kB for a while: the log of SQLite is full."""
    workers = at.instances[0].workers()
    before = [resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in workers]
    for pid, (_soft, hard) in zip(workers, before, strict=True):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (64 * 1024, hard))
    time.sleep(at.outage)
    for pid, limits in zip(workers, before, strict=True):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    return time.monotonic()


SWITCHING = """
import dataclasses, sys, time, django
django.setup()
from recognizer.inference.classifier import BUNDLED, load_bundle
from recognizer.models import Cause, ModelVersion
from recognizer.versions import registry
first = ModelVersion.objects.get(is_active=True).name
registry.register_model(bundle=dataclasses.replace(load_bundle(BUNDLED), name="other"))
for number in range(int(sys.argv[1])):
    registry.activate_model(name=("other", first)[number % 2], cause=Cause.COMMAND, by=None)
    time.sleep(2)
"""


def switch_models(at: Place) -> None:
    environment = {**at.instances[0].environment, "DJANGO_SETTINGS_MODULE": "digitsite.settings"}
    command = [sys.executable, "-c", SWITCHING, str(2 * SWITCHES)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


@dataclass(frozen=True)
class Scenario:
    name: str
    fault: Fault
    kind: str = "sqlite"
    instances: int = 1
    redis: bool = False


SCENARIOS = {
    "worker": Scenario("kill -9 of a worker", kill_worker),
    "master": Scenario("kill -9 of the master", kill_master),
    "sigterm": Scenario("SIGTERM, and started again", terminate),
    "instance": Scenario("one of two instances dies", kill_instance, "postgresql", instances=2),
    "database": Scenario("PostgreSQL stopped", stop_database, "postgresql"),
    "redis": Scenario("Redis stopped", stop_redis, redis=True),
    "hung-redis": Scenario("Redis hangs", hang_redis, redis=True),
    "disk": Scenario("disk full", fill_disk),
    "models": Scenario(f"{2 * SWITCHES} activations, one every 2 s", switch_models),
}


def play(scenario: Scenario, bodies: Sequence[bytes], count: int, outage: float) -> Result:
    with place(scenario.kind, outage, instances=scenario.instances, redis=scenario.redis) as at:
        before = at.ids()
        ports = [instance.port for instance in at.instances]
        with clients.storing(ports, bodies, count) as record:
            time.sleep(CALM)
            start = time.monotonic()
            ended = scenario.fault(at)
            since = start if ended is None else ended
            stored = len(record.times)
            wait_until(lambda: len(record.times) > stored, "drawings are stored again")
            time.sleep(2 * CALM)
            seconds = (
                record.silence(start, time.monotonic())
                if ended is None
                else record.first_after(since) or 0.0
            )
        return result_of(record, at.ids(), before, seconds)


def result_of(record: Record, ids: list[str], before: list[str], seconds: float) -> Result:
    promised = {identifier.replace("-", "") for identifier in record.promised}
    stored = set(ids) - set(before)
    twice = len(stored - promised) + len(ids) - len(set(ids))
    return Result(len(record.times), dict(record.failures), len(promised - stored), twice, seconds)


def line(name: str, found: Result) -> str:
    failed = ", ".join(
        f"{status or 'no answer'} x {count}" for status, count in sorted(found.failures.items())
    )
    reached = not found.lost and not found.twice and found.seconds <= GOAL_SECONDS
    return TABLE.line(
        name,
        found.stored,
        sum(found.failures.values()),
        found.lost,
        found.twice,
        f"{found.seconds:.1f}",
        note=results.verdict("", reached=reached).strip() + (f" ({failed})" if failed else ""),
    )


# The soak ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """``memory`` in MB, of all workers together, as are ``files`` and ``connections``."""

    seconds: float
    memory: float
    files: int
    connections: int


@dataclass(frozen=True)
class Soak:
    rate: float
    first: Sample
    last: Sample
    memory_per_hour: float
    result: Result


def sample(workers: Sequence[int], start: float) -> Sample:
    memory, files, sockets = 0.0, 0, 0
    for pid in workers:
        status = Path(f"/proc/{pid}/status").read_text()
        memory += int(status.split("VmRSS:")[1].split()[0]) / 1024
        opened = [os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir()]
        files += len(opened)
        sockets += sum(each.startswith("socket:") for each in opened)
    return Sample(time.monotonic() - start, memory, files, sockets)


def soak(seconds: float, bodies: Sequence[bytes], count: int) -> Soak:
    """Store drawings at 70 % of the rate that the site can do, on PostgreSQL."""
    with place("postgresql", 0) as at:
        ports, before = [at.instances[0].port], at.ids()
        with clients.storing(ports, bodies, count) as fastest:
            time.sleep(5)
            rate = 0.7 * len(fastest.times) / 5
        samples: list[Sample] = []
        start = time.monotonic()
        with clients.storing(ports, bodies, count, rate) as record:
            while (left := start + seconds - time.monotonic()) > 0:
                time.sleep(min(left, max(1.0, seconds / 100)))
                samples.append(sample(at.instances[0].workers(), start))
            silence = record.silence(start, time.monotonic())
        record.promised += fastest.promised
        found = result_of(record, at.ids(), before, silence)
    # What a worker loads for its first drawings is no leak.
    late = samples[len(samples) // 4 :]
    slope = float(np.polyfit([each.seconds for each in late], [e.memory for e in late], 1)[0])
    return Soak(rate, late[0], late[-1], 3600 * slope, found)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--only", help=f"faults, separated by commas: {', '.join(SCENARIOS)}")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--outage", type=float, default=10, help="seconds of an outage")
    parser.add_argument("--soak", type=float, default=1200, help="seconds; 0 leaves it out")
    options = parser.parse_args(arguments)
    names = command_line.chosen(options.only, SCENARIOS, "Faults")
    bodies = [clients.body_of(digit_png(digit, seed=digit)) for digit in range(10)]
    report = results.Report(
        clients=options.clients, outage=options.outage, soak=options.soak, only=names
    )

    results.print_title(f"Faults, {options.clients} clients, outages of {options.outage:g} s")
    print(TABLE.head, flush=True)
    for name in names:
        try:
            found = play(SCENARIOS[name], bodies, options.clients, options.outage)
        except servers.Missing as error:
            print(f"{SCENARIOS[name].name}: {error} is missing")
            continue
        print(line(SCENARIOS[name].name, found), flush=True)
        report.figures[name] = found
    if options.soak:
        soaked = soak(options.soak, bodies, options.clients)
        print(line(f"soak of {options.soak:g} s at {soaked.rate:.0f}/s", soaked.result))
        print(
            f"memory {soaked.first.memory:.1f} -> {soaked.last.memory:.1f} MB "
            f"({soaked.memory_per_hour:+.1f} MB an hour), files {soaked.first.files} -> "
            f"{soaked.last.files}, connections {soaked.first.connections} -> "
            f"{soaked.last.connections}"
        )
        report.figures["soak"] = soaked
    report.write(options.json)


if __name__ == "__main__":
    main()
