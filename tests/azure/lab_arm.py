"""The product's own clients on the lab's Azure, without a socket, on a clock that a test moves."""

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from azure.core.credentials import AccessToken

from azmdr.azure.address import ArmAddress
from azmdr.azure.arm import Arm
from azmdr.azure.dispatch import Call
from azmdr.azure.errors import asked
from azmdr.azure.pacing import Pacer
from lab.azure.cloud import Cloud
from lab.azure.front_door import FrontDoor, LoggedRequest
from lab.azure.in_process import URL, in_process_transport
from lab.azure.scenario import Scene, build_scene
from lab.azure.tokens import issue

Answer = TypeVar("Answer")


@dataclass
class LabClock:
    """The cloud's clock as the product asks for it: waiting lets its time pass."""

    cloud: Cloud

    def now(self) -> datetime:
        return self.cloud.clock.now()

    def sleep(self, seconds: float) -> None:
        self.cloud.clock.advance(seconds)


@dataclass
class LabCredential:
    """Tokens of the provider's principal, good for as long as any test takes."""

    scene: Scene

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        cloud = self.scene.cloud
        audience, lifetime = "https://management.azure.com", timedelta(days=3650)
        token = issue(self.scene.principal, audience, cloud.clock.now(), lifetime, cloud.signing_key)
        return AccessToken(token, int(time.time()) + 86_400)


@dataclass
class LabArm:
    """The lab's Azure with its customers, and the product's way into it."""

    scene: Scene = field(default_factory=lambda: build_scene(Cloud()))
    pacer: Pacer = field(default_factory=Pacer)

    def __post_init__(self) -> None:
        self.door = FrontDoor(self.scene.cloud)
        self.clock = LabClock(self.scene.cloud)
        self.arm = self.new_arm()

    def new_arm(self) -> Arm:
        transport = in_process_transport(self.door)
        credential = LabCredential(self.scene)
        return Arm(credential, ArmAddress(URL), self.pacer, self.clock, transport=transport)

    @property
    def cloud(self) -> Cloud:
        return self.scene.cloud

    @property
    def log(self) -> list[LoggedRequest]:
        return list(self.door.log)


def ask(call: Call[Answer]) -> Answer:
    """Make a call as the gateway does, once."""
    return asked(call.what, call.ask)


def work_off(job: Generator[Call[Any], Any, Answer]) -> Answer:
    """Make the calls of a job, none of them twice."""
    answer = None
    while True:
        try:
            call = job.send(answer)
        except StopIteration as end:
            result: Answer = end.value
            return result
        answer = ask(call)
