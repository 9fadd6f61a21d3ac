"""A bare git repository, read and written with git's own plumbing: git itself can be asked afterwards."""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

FILE: Final = "100644"
TREE: Final = "040000"
_SHA: Final = re.compile(r"\b[0-9a-f]{40}\b")


class GitError(Exception):
    """A git command that failed."""

    def __init__(self, arguments: Sequence[str], status: int, told: str) -> None:
        super().__init__(f"git {' '.join(arguments)}: {told.strip()}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a tree."""

    mode: str
    kind: str
    """``blob``, ``tree`` or ``commit``."""
    sha: str
    path: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a path shall hold; a sha of None removes it."""

    path: str
    sha: str | None
    mode: str = FILE


@dataclass(frozen=True, slots=True)
class Signature:
    """Who, and when."""

    name: str
    email: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, read."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that differs between two commits."""

    status: str
    path: str
    sha: str | None
    additions: int
    deletions: int


class BareRepository:
    """A repository in a folder, and nothing but git."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kinds: dict[str, str] = {}
        self._known: dict[tuple[str, ...], bytes | GitError] = {}

    @classmethod
    def create(cls, folder: Path, branch: str) -> Self:
        """An empty one, whose HEAD names a branch."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder)
        made.git("init", "--bare", "--quiet", "--template=", f"--initial-branch={branch}", ".")
        return made

    def git(self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        """Run git in the repository, untouched by the machine's own settings.

        Raises:
            GitError: it failed.
        """
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607 - git comes from the PATH, as on every machine that has it
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "GIT_DIR": str(self.folder),
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
                "LC_ALL": "C.UTF-8",
                # Nothing here outlives the machine's power.
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "core.fsync",
                "GIT_CONFIG_VALUE_0": "none",
                **(environment or {}),
            },
        )
        if done.returncode:
            raise GitError(arguments, done.returncode, done.stderr.decode(errors="replace"))
        return done.stdout

    def _of_objects(self, *arguments: str) -> bytes:
        """What git says of objects named by their shas: the same for ever, so it is asked once."""
        if _SHA.search(" ".join(arguments)) is None:
            return self.git(*arguments)
        if arguments not in self._known:
            try:
                self._known[arguments] = self.git(*arguments)
            except GitError as error:
                self._known[arguments] = error
        known = self._known[arguments]
        if isinstance(known, GitError):
            raise known
        return known

    def kind(self, sha: str) -> str | None:
        """What an object is; None where there is none."""
        known = self._kinds.get(sha)
        if known is None:
            try:
                known = self._kinds[sha] = self.git("cat-file", "-t", sha).decode().strip()
            except GitError:
                # It may come yet.
                return None
        return known

    def resolve(self, name: str) -> str | None:
        """The commit a branch, a tag or a sha stands for."""
        for spelled in (f"refs/heads/{name}", f"refs/tags/{name}", name):
            try:
                found = self.git(
                    "rev-parse", "--verify", "--quiet", "--end-of-options", f"{spelled}^{{commit}}"
                )
            except GitError:
                continue
            return found.decode().strip()
        return None

    def write_blob(self, content: bytes) -> str:
        """Keep a file's content."""
        return self.git("hash-object", "-w", "--stdin", stdin=content).decode().strip()

    def read_blob(self, sha: str) -> bytes:
        """A file's content."""
        return self.git("cat-file", "blob", sha)

    def entries(self, tree: str, *, recursive: bool = False) -> list[Entry]:
        """The entries of a tree, or of the tree of a commit."""
        deeply = ("-r", "-t") if recursive else ()
        listed = self._of_objects("ls-tree", "-z", "--long", *deeply, tree).decode()
        return [_entry(line) for line in listed.split("\0") if line]

    def entry(self, tree: str, path: str) -> Entry | None:
        """What stands under a path."""
        listed = self._of_objects("--literal-pathspecs", "ls-tree", "-z", "--long", tree, "--", path).decode()
        return next((_entry(line) for line in listed.split("\0") if line), None)

    def write_tree(self, base: str | None, changes: Sequence[Change]) -> str:
        """A tree that differs from another by some paths.

        Raises:
            GitError: a path or an object can't be used.
        """
        with tempfile.TemporaryDirectory(prefix="lab-index-") as folder:
            environment = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self.git("read-tree", *([base] if base else ["--empty"]), environment=environment)
            for change in changes:
                if change.mode == TREE and change.sha:
                    self._remove(change.path, environment)
                    self.git("read-tree", f"--prefix={change.path}/", change.sha, environment=environment)
            files = [change for change in changes if change.mode != TREE]
            lines = (
                f"{change.mode if change.sha else '0'} {change.sha or '0' * 40}\t{change.path}\0"
                for change in files
            )
            index = ("update-index", "-z", "--replace", "--index-info")
            self.git(*index, stdin="".join(lines).encode(), environment=environment)
            return self.git("write-tree", environment=environment).decode().strip()

    def _remove(self, path: str, environment: Mapping[str, str]) -> None:
        index = ("rm", "-r", "--cached", "--quiet", "--ignore-unmatch", "--", path)
        self.git("--literal-pathspecs", "--work-tree=.", *index, environment=environment)

    def write_commit(
        self, tree: str, parents: Sequence[str], message: str, author: Signature, committer: Signature
    ) -> str:
        """A commit that no reference leads to yet."""
        named = (word for parent in parents for word in ("-p", parent))
        environment = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": author.at.isoformat(timespec="seconds"),
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
            "GIT_COMMITTER_DATE": committer.at.isoformat(timespec="seconds"),
        }
        made = self.git("commit-tree", tree, *named, stdin=message.encode(), environment=environment)
        return made.decode().strip()

    def read_commit(self, sha: str) -> Commit:
        """A commit.

        Raises:
            GitError: there is none.
        """
        layout = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
        shown = self._of_objects("show", "--no-patch", f"--format={layout}", sha).decode(errors="replace")
        found, tree, parents, *signed, message = shown.split("\0", 9)
        author = Signature(signed[0], signed[1], datetime.fromisoformat(signed[2]))
        committer = Signature(signed[3], signed[4], datetime.fromisoformat(signed[5]))
        return Commit(found, tree, tuple(parents.split()), author, committer, message.rstrip("\n"))

    def log(self, sha: str, path: str | None = None) -> list[str]:
        """The commits that lead to one, newest first; only those that touched a path, where one is given."""
        only = ("--", path) if path else ()
        return self._of_objects("--literal-pathspecs", "rev-list", sha, *only).decode().split()

    def reference(self, name: str) -> str | None:
        """The sha behind a full name such as ``refs/heads/main``."""
        return self.references(name).get(name)

    def references(self, prefix: str) -> dict[str, str]:
        """The shas behind all full names below a prefix, or of that name."""
        listed = self.git("for-each-ref", "--format=%(refname) %(objectname)", "--", prefix).decode()
        return dict(line.split(" ", 1) for line in listed.splitlines())

    def is_reference_name(self, name: str) -> bool:
        """Whether git would have a reference of that name."""
        try:
            self.git("check-ref-format", name)
        except GitError:
            return False
        return True

    def move(self, name: str, new: str, old: str | None) -> bool:
        """Set a reference if it is still what it was; None for one that must not exist yet."""
        try:
            self.git("update-ref", name, new, old or "0" * 40)
        except GitError:
            return False
        return True

    def remove(self, name: str, old: str) -> None:
        """Remove a reference."""
        self.git("update-ref", "-d", name, old)

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether a commit is another one, or leads to it."""
        try:
            self._of_objects("merge-base", "--is-ancestor", older, newer)
        except GitError:
            return False
        return True

    def merge_base(self, one: str, other: str) -> str | None:
        """Where two lines of commits part."""
        try:
            return self._of_objects("merge-base", one, other).decode().strip()
        except GitError:
            return None

    def between(self, base: str, head: str) -> list[str]:
        """The commits of head that base has not, oldest first."""
        return self._of_objects("rev-list", "--reverse", f"{base}..{head}").decode().split()

    def merged_tree(self, base: str, head: str) -> str | None:
        """The tree of a merge; None where it conflicts."""
        try:
            return (
                self._of_objects("merge-tree", "--write-tree", "--allow-unrelated-histories", base, head)
                .decode()
                .strip()
            )
        except GitError:
            return None

    def changed_files(self, base: str, head: str) -> list[ChangedFile]:
        """What differs between two commits."""
        raw = self._of_objects("diff-tree", "-r", "-z", "--no-renames", base, head).decode().split("\0")[:-1]
        counted = self._of_objects("diff-tree", "-r", "-z", "--no-renames", "--numstat", base, head).decode()
        counts = (line.split("\t", 2) for line in counted.split("\0") if line)
        lines = {path: (added, removed) for added, removed, path in counts}
        return [
            _changed_file(words, path, lines.get(path, ("0", "0")))
            for words, path in zip(raw[::2], raw[1::2], strict=True)
        ]


def _entry(line: str) -> Entry:
    about, path = line.split("\t", 1)
    mode, kind, sha, size = about.split()
    return Entry(mode, kind, sha, path, None if size == "-" else int(size))


def _changed_file(words: str, path: str, counts: tuple[str, str]) -> ChangedFile:
    sha, letter = words.split()[3:5]
    status = {"A": "added", "D": "removed"}.get(letter[0], "modified")
    added, removed = (0 if count == "-" else int(count) for count in counts)
    return ChangedFile(status, path, None if status == "removed" else sha, added, removed)
