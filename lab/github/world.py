"""What this GitHub holds: accounts, repositories, apps and their installations, the tokens it gave out."""

import itertools
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from lab.azure.virtual_clock import VirtualClock, WallClock
from lab.github.bare_repository import BareRepository, Change, Signature

Permissions = Mapping[str, str]
"""What may be done, such as ``{"contents": "write"}``."""

FULL: Final[Permissions] = {
    "contents": "write",
    "metadata": "read",
    "pull_requests": "write",
    "administration": "write",
}
COMMITTING: Final[Permissions] = {"contents": "write", "metadata": "read", "pull_requests": "write"}


@dataclass(frozen=True, slots=True)
class Account:
    """A person, an organization or an app's bot."""

    id: int
    login: str
    type: str = "User"

    @property
    def signature_email(self) -> str:
        """What its commits say."""
        return f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass(slots=True)
class PullRequest:
    """A request to merge one branch into another of the same repository."""

    number: int
    title: str
    body: str | None
    head: str
    """The branch to be merged."""
    base: str
    author: Account
    created_at: datetime
    updated_at: datetime
    head_sha: str
    """Where the head stood when it was last seen; kept when the branch goes."""
    base_sha: str
    is_draft: bool = False
    state: str = "open"
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: Account | None = None
    merge_commit: str | None = None

    def close(self, now: datetime) -> None:
        """End without a merge."""
        self.state, self.closed_at, self.updated_at = "closed", now, now


@dataclass(slots=True)
class HostedRepository:
    """A repository as GitHub sees it."""

    id: int
    owner: Account
    name: str
    git: BareRepository
    created_at: datetime
    is_private: bool = True
    default_branch: str = "main"
    protected: set[str] = field(default_factory=set)
    """Branches that only pull requests may move."""
    readers: set[str] = field(default_factory=set)
    """Logins that may read it beside its owner."""
    writers: set[str] = field(default_factory=set)
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    needs_linear_history: bool = False

    @property
    def full_name(self) -> str:
        """Owner and name."""
        return f"{self.owner.login}/{self.name}"

    def moved(self, branch: str, now: datetime) -> None:
        """Let the open pull requests of a branch see where it is; one that lost its head is closed."""
        sha = self.git.reference(f"refs/heads/{branch}")
        for pull in self.pulls.values():
            if pull.state != "open" or branch not in (pull.head, pull.base):
                continue
            if sha is None:
                pull.close(now)
                continue
            if branch == pull.head:
                pull.head_sha = sha
                self.keep_head(pull)
            else:
                pull.base_sha = sha
            if self.git.is_ancestor(pull.head_sha, pull.base_sha):
                # Its commits arrived by another way; GitHub calls that merged.
                pull.close(now)
                pull.merged_at, pull.merge_commit = now, pull.base_sha

    def keep_head(self, pull: PullRequest) -> None:
        """Keep the head's commit when its branch goes, as GitHub does under ``refs/pull``."""
        name = f"refs/pull/{pull.number}/head"
        self.git.move(name, pull.head_sha, self.git.reference(name))


@dataclass(frozen=True, slots=True)
class App:
    """A GitHub App; its private key is what its owner downloaded."""

    id: int
    slug: str
    owner: Account
    bot: Account
    private_key: RSAPrivateKey
    permissions: Permissions
    created_at: datetime

    @property
    def client_id(self) -> str:
        """The other name it goes by."""
        return f"Iv23li{self.id:014d}"

    @property
    def pem(self) -> str:
        """The private key as GitHub hands it out: PKCS#1."""
        return self.private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode()


@dataclass(slots=True)
class Installation:
    """An app in an account."""

    id: int
    app: App
    account: Account
    repositories: set[str]
    """Full names."""
    permissions: Permissions
    created_at: datetime
    is_suspended: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """What opens the door. Of a person it is a classic one with scopes, unless it has permissions."""

    account: Account
    scopes: tuple[str, ...] = ()
    permissions: Permissions | None = None
    repositories: frozenset[str] | None = None
    """Full names, lower-cased; None means all its account reaches."""
    installation: int | None = None
    expires_at: datetime | None = None


@dataclass
class World:
    """All of it."""

    clock: VirtualClock = field(default_factory=WallClock)
    folder: Path | None = None
    """Where the bare repositories go; None takes a temporary one."""
    accounts: dict[str, Account] = field(default_factory=dict)
    repositories: dict[str, HostedRepository] = field(default_factory=dict)
    """By full name, lower-cased."""
    apps: dict[int, App] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    token_lifetime: timedelta = timedelta(hours=1)
    """Of the tokens installations get."""
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1001))

    @cached_property
    def _temporary(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="lab-github-")

    def number(self) -> int:
        """One nobody has."""
        return next(self._numbers)

    def add_account(self, login: str, kind: str = "User") -> Account:
        """A new account."""
        account = self.accounts[login.lower()] = Account(self.number(), login, kind)
        return account

    def add_repository(
        self, owner: Account, name: str, files: Mapping[str, str] | None = None, *, private: bool = True
    ) -> HostedRepository:
        """A repository, with a first commit when it is given files and has none yet."""
        folder = (self.folder or Path(self._temporary.name)) / owner.login / f"{name}.git"
        git = BareRepository.create(folder, "main")
        made = HostedRepository(self.number(), owner, name, git, self.now(), private)
        self.repositories[made.full_name.lower()] = made
        if files and git.reference("refs/heads/main") is None:
            self.push(made, files, "Begin", owner)
        return made

    def push(
        self,
        repository: HostedRepository,
        files: Mapping[str, str | None],
        message: str,
        by: Account,
        branch: str = "main",
    ) -> str:
        """Somebody's commit, as one pushed with git; a file that is None goes away."""
        git = repository.git
        old = git.reference(f"refs/heads/{branch}")
        changes = [
            Change(path, None if text is None else git.write_blob(text.encode()))
            for path, text in files.items()
        ]
        signed = Signature(by.login, by.signature_email, self.now())
        tree = git.write_tree(old, changes)
        new = git.write_commit(tree, [old] if old else [], message, signed, signed)
        if not git.move(f"refs/heads/{branch}", new, old):
            raise RuntimeError(f"{repository.full_name}: {branch} was moved meanwhile")
        repository.moved(branch, self.now())
        return new

    def add_app(
        self,
        owner: Account,
        slug: str,
        permissions: Permissions = COMMITTING,
        key: RSAPrivateKey | None = None,
    ) -> App:
        """A new app, with a new key unless it is given one."""
        number = self.number()
        bot = Account(self.number(), f"{slug}[bot]", "Bot")
        private_key = key or generate_private_key(65537, 2048)
        app = self.apps[number] = App(number, slug, owner, bot, private_key, permissions, self.now())
        return app

    def install(self, app: App, account: Account, *repositories: HostedRepository) -> Installation:
        """Install an app in an account."""
        names = {each.full_name.lower() for each in repositories}
        number = self.number()
        made = Installation(number, app, account, names, app.permissions, self.now())
        self.installations[number] = made
        return made

    def give_token(self, text: str, token: Token) -> str:
        """Give out a token."""
        self.tokens[text] = token
        return text

    def revoke_tokens(self) -> None:
        """Take back all tokens of installations, before their time."""
        self.tokens = {text: token for text, token in self.tokens.items() if token.installation is None}

    def now(self) -> datetime:
        """The time, in whole seconds as GitHub tells it."""
        return self.clock.now().replace(microsecond=0)
