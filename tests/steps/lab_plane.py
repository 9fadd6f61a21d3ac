"""A control plane on the lab's Azure in this process, by the lab's own clock; and the ways to disturb it.

What stands for a process is a :class:`Life`: everything Python keeps of a run. Killing it raises through all
of the product at once, and from then on its store takes nothing more, so that what only a living process
could do (giving back a lease, say) is not done. The store and the cloud survive.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast

from azure.core.credentials import AccessToken
from sqlalchemy import Connection

from azmdr.azure.address import ArmAddress
from azmdr.azure.arm import Arm
from azmdr.azure.dispatch import Gateway
from azmdr.azure.pacing import Pacer
from azmdr.reconcile.category_policy import CategoryPolicy
from azmdr.steps.bounds import ProviderPlace, StepBounds
from azmdr.steps.control_plane import ControlPlane
from azmdr.store.database import Store
from azmdr.store.tables import METADATA
from lab.azure.front_door import FrontDoor
from lab.azure.in_process import URL, in_process_transport
from lab.azure.scenario import INGEST_GROUP, SEND_RULE, Scene
from lab.azure.tokens import issue
from lab.azure.virtual_clock import VirtualClock
from lab.azure.wire import Answer, Request

OWN: Final = "azmdr"
"""The name that makes a setting or a rule ours."""
_FAR_AHEAD: Final = 10**6
"""Seconds of the machine's clock a token seems good for: only Azure, by its own clock, says it is not."""


class Killed(BaseException):
    """The process is no more."""


class Where(StrEnum):
    """The boundaries of a life: before a request reaches Azure, after it was answered, around each commit."""

    BEFORE_CALL = "before call"
    AFTER_CALL = "after call"
    BEFORE_COMMIT = "before commit"
    AFTER_COMMIT = "after commit"


Reached = Callable[[Where, int], None]
"""Told of each boundary and of how many of its kind came before it."""


def undisturbed(where: Where, number: int) -> None:
    """A life in which nothing happens."""


@dataclass(slots=True)
class Life:
    """One process, from its start to its end."""

    reached: Reached = undisturbed
    is_over: bool = False
    _counts: dict[Where, int] = field(default_factory=lambda: dict.fromkeys(Where, 0))

    def reach(self, where: Where) -> None:
        """Come to a boundary."""
        if self.is_over:
            raise Killed
        number = self._counts[where]
        self._counts[where] += 1
        self.reached(where, number)

    def end(self) -> None:
        """Kill it, here."""
        self.is_over = True
        raise Killed


class MortalStore(Store):
    """A store as one process has it opened; with the process it ends."""

    def __init__(self, store: Store, life: Life) -> None:
        super().__init__(store._engine)  # noqa: SLF001 - the same database, opened once for all lives
        self._life = life

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is lost when the process dies within it."""
        if self._life.is_over:
            raise Killed
        with super().write() as connection:
            yield connection
            self._life.reach(Where.BEFORE_COMMIT)
        self._life.reach(Where.AFTER_COMMIT)


class _Doorway:
    """The front door as one process comes to it."""

    def __init__(self, door: FrontDoor, life: Life) -> None:
        self._door = door
        self._life = life

    def answer(self, request: Request) -> Answer:
        self._life.reach(Where.BEFORE_CALL)
        answer = self._door.answer(request)
        self._life.reach(Where.AFTER_CALL)
        return answer


@dataclass(frozen=True, slots=True)
class LabClock:
    """The lab's clock as the product's."""

    clock: VirtualClock

    def now(self) -> datetime:
        """The time."""
        return self.clock.now()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)


class LabCredential:
    """Tokens of the lab, issued by its clock; asked again only when Azure has refused one."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token that is good for as long as the lab's tokens are."""
        del scopes, options
        cloud = self._scene.cloud
        audience = "https://management.azure.com"
        token = issue(
            self._scene.principal, audience, cloud.clock.now(), cloud.token_lifetime, cloud.signing_key
        )
        return AccessToken(token, int(time.time()) + _FAR_AHEAD)


def lab_plane(
    scene: Scene,
    door: FrontDoor,
    store: Store,
    policy: CategoryPolicy,
    *,
    owner: str = "run",
    life: Life | None = None,
    bounds: StepBounds | None = None,
) -> ControlPlane:
    """A control plane as a new process puts it together."""
    clock, pacer, life = LabClock(scene.cloud.clock), Pacer(), life or Life()
    transport = in_process_transport(cast("FrontDoor", _Doorway(door, life)))
    return ControlPlane(
        store=MortalStore(store, life),
        arm=Arm(LabCredential(scene), ArmAddress(URL), pacer, clock, transport=transport),
        gateway=Gateway(pacer, clock),
        policy=policy,
        place=ProviderPlace(scene.subscription_id, INGEST_GROUP, SEND_RULE),
        own_name=OWN,
        owner=owner,
        clock=clock,
        bounds=bounds or StepBounds(),
    )


def wipe(store: Store) -> None:
    """Empty a store: much quicker than making a new one, and its prepared statements stay."""
    with store.write() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(table.delete())
