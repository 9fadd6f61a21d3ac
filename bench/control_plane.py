"""What the reconciling steps cost, on a virtual clock: ``python -m bench.control_plane [--small]``.

The lab's Azure runs in a process of its own and enforces the token buckets; the product runs here, in one
thread, on SQLite, with Microsoft's clients. Virtual seconds pass only while the product waits for a bucket,
so the time it takes can be compared with the floor those buckets allow.
"""

import argparse
import math
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, cast

from azure.core.credentials import AccessToken

from azmdr.azure.address import ArmAddress
from azmdr.azure.arm import Arm
from azmdr.azure.dispatch import Gateway
from azmdr.azure.pacing import Pacer
from azmdr.inventory.customers import Customer
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.category_policy import CategoryPolicy
from azmdr.reconcile.changes import Change, ChangeKind
from azmdr.steps.bounds import ProviderPlace, StepBounds
from azmdr.steps.control_plane import ControlPlane
from azmdr.steps.resource_settings import reconcile_resources
from azmdr.steps.rounds import reconcile_all
from azmdr.store.customers import add_customer, all_customers
from azmdr.store.database import Store
from azmdr.store.requests import note_changes
from azmdr.store.targets import counts_by_reason
from bench.estate import OWN, REGION, Counts, Shape, a_vault, floor_of, serve
from lab.azure.directory import Principal
from lab.azure.front_door import FrontDoor
from lab.azure.in_process import URL, in_process_transport
from lab.azure.scenario import INGEST_GROUP, SEND_RULE, identity
from lab.azure.tokens import issue
from lab.azure.virtual_clock import EPOCH, VirtualClock
from lab.azure.wire import Cut, Request

ONE_LARGE: Final = Shape(1, 300, 50_000)
MANY: Final = Shape(200, 20, 20 * 200)
SMALL: Final = (Shape(1, 30, 2_000), Shape(5, 5, 5 * 40), Shape(20, 5, 5 * 40))


@dataclass(slots=True)
class Clock:
    """Virtual time, as the product sees it."""

    clock: VirtualClock = field(default_factory=VirtualClock)

    def now(self) -> datetime:
        """The time."""
        return self.clock.now()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return (self.clock.now() - EPOCH).total_seconds()


@dataclass(frozen=True, slots=True)
class Arrived:
    """An answer as it came from the lab's process."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: Cut = Cut.NOT

    def content(self) -> bytes:
        """The body."""
        return self.body

    def all_headers(self) -> dict[str, str]:
        """The headers."""
        return self.headers


class Door:
    """The way to the lab's process; ``watch`` is shown every request before it goes there."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self.watch: Callable[[Request], None] = lambda _: None

    def answer(self, request: Request) -> Arrived:
        """Ask."""
        self.watch(request)
        self._connection.send((self._clock.seconds, request))
        return Arrived(*self._connection.recv())

    def counts(self) -> Counts:
        """What was counted since the last time."""
        self._connection.send("counts")
        counted: Counts = self._connection.recv()
        return counted

    def remove(self, target: str) -> None:
        """Have somebody remove our setting."""
        self._connection.send(("remove", target.lower()))
        self._connection.recv()


class Credential:
    """A token that is good for the whole run."""

    def __init__(self, principal: Principal, key: bytes) -> None:
        month = timedelta(days=30)
        self._token = issue(principal, "https://management.azure.com", EPOCH, month, key)

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """The token."""
        del scopes, options
        return AccessToken(self._token, int(time.time()) + 10**6)


@dataclass(slots=True)
class Measured:
    """One shape, measured."""

    shape: Shape
    first: Counts
    first_seconds: float
    first_cpu: float
    sweep: Counts
    sweep_seconds: float
    sweep_cpu: float
    repaired_after: float
    peak_mib: float
    base_mib: float


def measure(shape: Shape, folder: Path) -> Measured:
    """Converge an estate for the first time, then sweep it once more, with a change in the middle."""
    ours, theirs = multiprocessing.Pipe()
    lab = multiprocessing.get_context("fork").Process(target=_serve, args=(ours, theirs, shape), daemon=True)
    lab.start()
    theirs.close()
    principal, subscription_id, key = ours.recv()
    clock = Clock()
    door = Door(ours, clock)
    store = Store.open(f"sqlite:///{folder / f'{shape.customers}-{shape.subscriptions}.db'}")
    plane = _plane(store, door, clock, Credential(principal, key), subscription_id)
    customers = _enter(store, shape, clock)
    base = _memory_mib("VmRSS")

    began, cpu = clock.seconds, time.process_time()
    reconcile_all(plane, customers)
    first_seconds, first_cpu = clock.seconds - began, time.process_time() - cpu
    first = door.counts()
    _check_covered(store, shape, first)

    # What needs no setting is looked at a second time, and then no more.
    clock.sleep(3600)
    reconcile_resources(plane, customers)
    door.counts()

    clock.sleep(3600)
    incident = _Incident(shape, store, door, clock, due=clock.seconds + floor_of(shape).sweep_seconds / 3)
    door.watch = incident.watch
    began, cpu = clock.seconds, time.process_time()
    reconcile_resources(plane, customers)
    sweep_seconds, sweep_cpu = clock.seconds - began, time.process_time() - cpu
    sweep = door.counts()
    peak = _memory_mib("VmHWM")
    store.close()
    ours.close()
    lab.join()
    return Measured(
        *(shape, first, first_seconds, first_cpu, sweep, sweep_seconds, sweep_cpu),
        *(incident.repaired_after, peak, base),
    )


def _serve(ours: Connection, theirs: Connection, shape: Shape) -> None:
    ours.close()
    serve(theirs, shape)


def _plane(
    store: Store, door: Door, clock: Clock, credential: Credential, subscription_id: str
) -> ControlPlane:
    pacer = Pacer()
    transport = in_process_transport(cast("FrontDoor", door))
    day = timedelta(days=1)
    return ControlPlane(
        store=store,
        arm=Arm(credential, ArmAddress(URL), pacer, clock, transport=transport),
        gateway=Gateway(pacer, clock),
        policy=CategoryPolicy.load(),
        place=ProviderPlace(subscription_id, INGEST_GROUP, SEND_RULE),
        own_name=OWN,
        owner="bench",
        clock=clock,
        bounds=StepBounds(budget=day, lease=day),
    )


def _enter(store: Store, shape: Shape, clock: Clock) -> list[Customer]:
    with store.write() as connection:
        for name in shape.names():
            customer = Customer.of(name=name, tenant_id=identity(name), home_region=REGION)
            add_customer(connection, customer, clock.now())
    with store.read() as connection:
        return all_customers(connection)


def _check_covered(store: Store, shape: Shape, counted: Counts) -> None:
    """What is measured is only worth anything if it did what it was to do."""
    wanted = floor_of(shape).targets
    told: dict[str, int] = {}
    with store.read() as connection:
        for name in shape.names():
            for (_, reason), number in counts_by_reason(connection, name).items():
                told[reason] = told.get(reason, 0) + number
    if counted.ours != wanted or told.get("created") != wanted:
        raise SystemExit(f"{counted.ours} settings stand, {wanted} should; verdicts: {told}")


class _Incident:
    """In the middle of a sweep somebody removes a setting that the sweep has already read, and it is seen."""

    def __init__(self, shape: Shape, store: Store, door: Door, clock: Clock, due: float) -> None:
        self._store, self._door, self._clock, self._due = store, door, clock, due
        self._customer = shape.names()[-1]
        self._target = a_vault(shape, self._customer, 0)
        self._was_read = False
        self._removed_at: float | None = None
        self.repaired_after = float("nan")

    def watch(self, request: Request) -> None:
        """See each request."""
        about_it = request.path.lower().startswith(f"{self._target.lower()}/")
        if self._removed_at is None:
            if self._was_read and self._clock.seconds >= self._due:
                self._remove()
            self._was_read |= about_it
        elif about_it and request.method == "PUT":
            self.repaired_after = self._clock.seconds - self._removed_at

    def _remove(self) -> None:
        self._removed_at = self._clock.seconds
        self._door.remove(self._target)
        change = Change(ChangeKind.SETTING, ResourceId.parse(self._target), self._clock.now(), "0" * 32)
        with self._store.write() as connection:
            note_changes(connection, self._customer, [change], self._clock.now())


def _memory_mib(which: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(which):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {which} on this machine")


def told(one: Measured) -> str:
    """What was measured, as a table."""
    shape, floor = one.shape, floor_of(one.shape)
    least = 2 * floor.targets + floor.looked_at + floor.listings + floor.catalogues
    calls = one.first.reads + one.first.writes
    sweep_targets = floor.targets - shape.customers * shape.subscriptions
    a_call = 1000 * one.first_cpu / calls
    cpu = f"{one.first_cpu:,.1f} s first, {a_call:.2f} ms a call; {one.sweep_cpu:,.1f} s sweep"
    repaired = "" if math.isnan(one.repaired_after) else f"{one.repaired_after:.1f} virtual s, in mid-sweep"
    subscriptions = f"{shape.customers} x {shape.subscriptions} subscriptions"
    lines = (
        ("estate", f"{subscriptions}, {shape.customers * shape.resources:,} resources"),
        ("targets covered", f"{floor.targets:,}"),
        ("first convergence", _beside(one.first_seconds, floor.seconds)),
        ("calls for it", f"{one.first.reads:,} reads, {one.first.writes:,} writes"),
        ("  at the least", f"{least:,}; x {calls / least:.3f}"),
        ("calls a target", f"{calls / floor.targets:.3f}; refused by a bucket: {one.first.throttled}"),
        ("a later sweep", _beside(one.sweep_seconds, floor.sweep_seconds)),
        ("calls of it", f"{one.sweep.reads:,} reads of {sweep_targets:,} targets, {one.sweep.writes} writes"),
        ("repaired after", repaired or "the sweep is over before anything can be in its middle"),
        ("CPU of the product", cpu),
        ("memory of the product", f"{one.peak_mib:,.0f} MiB at most, {one.base_mib:,.0f} before"),
    )
    return "\n".join(f"{name:<22} {value}" for name, value in lines)


def _beside(measured: float, floor: float) -> str:
    ratio = f"; x {measured / floor:.3f}" if floor else ""
    return f"{measured:,.1f} virtual s, floor {floor:,.1f}{ratio}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="small estates, in a minute")
    parser.add_argument("--customers", type=int, help="only the second estate, with so many customers")
    chosen = parser.parse_args()
    shapes: tuple[Shape, ...] = (ONE_LARGE, MANY)
    if chosen.small:
        shapes = SMALL
    elif chosen.customers:
        shapes = (Shape(chosen.customers, MANY.subscriptions, MANY.resources),)
    for shape in shapes:
        # Each in a process of its own: the most memory one took says nothing about the next.
        process = multiprocessing.get_context("spawn").Process(target=_measure_and_tell, args=(shape,))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(process.exitcode)


def _measure_and_tell(shape: Shape) -> None:
    with tempfile.TemporaryDirectory(prefix="azmdr-bench-") as folder:
        print(told(measure(shape, Path(folder))), end="\n\n", flush=True)  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
