"""What the tests of commits share: a world, the product's repository on it, git's own view of the result."""

from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pydantic import SecretStr

from lab.azure.faults import Fault, FaultKind, PlannedFaults, Seen
from lab.github.front_door import FrontDoor
from lab.github.rate_limits import RateLimits
from lab.github.scenario import PERSON_TOKEN, Scene, build_scene
from lab.github.world import World
from terraform_gen.github_calls import Patience
from terraform_gen.github_credentials import AppCredentials, Connection, Credentials, TokenCredentials
from terraform_gen.github_repository import GitHubRepository, Target
from terraform_gen.repository import Mode, Proposal
from tests.terraform_gen.committing.lab_time import LabTime

NAME: Final = "contoso-soc/event-hubs"
PATH: Final = "event_hub_mapping.tf"
TEXT: Final = 'locals {\n  mapping = {\n    eastus = ["contoso"]\n  }\n}\n'
PROPOSAL: Final = Proposal({PATH: TEXT}, "Add 1 event hub in 1 region", "| region |\n| --- |\n| eastus |")
PROPOSING: Final = "azmdr/event-hubs"


def proposal(text: str, title: str = "Update the event hub mapping") -> Proposal:
    return Proposal({PATH: text}, title, f"about {title}")


@dataclass
class FaultAt:
    """One fault, at the so-manieth request whatever it is."""

    number: int
    fault: Fault
    seen: list[str] = field(default_factory=list)

    def decide(self, seen: Seen) -> Fault | None:
        self.seen.append(f"{seen.method} {seen.path}")
        return self.fault if len(self.seen) == self.number + 1 else None

    def latency(self, seen: Seen) -> float:  # noqa: ARG002 - none for any
        return 0.0


@dataclass
class Workbench:
    door: FrontDoor
    url: str
    scene: Scene
    time: LabTime

    @classmethod
    def fresh(cls, door: FrontDoor, url: str, key: RSAPrivateKey) -> Self:
        world = World()
        door.world, door.faults, door.limits, door.before = world, PlannedFaults(), RateLimits(), None
        door.log.clear()
        door._asked.clear()  # noqa: SLF001 - the counts of planned faults begin anew
        return cls(door, url, build_scene(world, key), LabTime(world.clock))

    @property
    def app(self) -> AppCredentials:
        return AppCredentials(str(self.scene.app.id), SecretStr(self.scene.app.pem))

    @property
    def person(self) -> TokenCredentials:
        return TokenCredentials(SecretStr(PERSON_TOKEN))

    def repository(
        self,
        mode: Mode = Mode.PUSH,
        credentials: Credentials | None = None,
        patience: Patience | None = None,
        **target: str,
    ) -> GitHubRepository:
        """The product's, which signs in with a token unless told otherwise: that takes no requests."""
        connection = Connection(self.url, between_requests=0, between_writes=0)
        where = Target(**{"name": NAME, **target, "mode": mode})  # type: ignore[arg-type]  # names from tests
        return GitHubRepository(where, credentials or self.person, connection, self.time, patience)

    def fail(
        self, method: str, part: str, *kinds: FaultKind, status: int = 503, wait: int | None = None
    ) -> None:
        """Plan faults for the first times that something is asked."""
        self.door.faults = PlannedFaults(
            {(method, part, number): Fault(kind, status, wait) for number, kind in enumerate(kinds)}
        )

    def push(self, files: dict[str, str | None], message: str = "By hand", branch: str = "main") -> str:
        """What somebody else commits."""
        return self.scene.world.push(self.scene.repository, files, message, self.scene.person, branch)

    def git(self, *arguments: str) -> str:
        return self.scene.repository.git.git(*arguments).decode()

    def subjects(self, branch: str = "main") -> list[str]:
        return self.git("log", "--format=%s", branch).splitlines()

    def text(self, branch: str = "main", path: str = PATH) -> str:
        return self.git("show", f"{branch}:{path}")

    def check_history(self, branch: str = "main") -> None:
        """No object is broken, and the branch is one line."""
        self.git("fsck", "--strict", "--no-dangling")
        assert all(len(line.split()) <= 2 for line in self.git("rev-list", "--parents", branch).splitlines())

    def branches(self) -> set[str]:
        return set(self.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split())
