"""Git's objects behind GitHub's API: where a branch stands, what it holds, and new commits for it."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from github import InputGitTreeElement
from github.GitCommit import GitCommit
from github.GitRef import GitRef
from github.GitTree import GitTree
from github.GitTreeElement import GitTreeElement
from github.Repository import Repository

from terraform_gen.file_diff import blob_sha
from terraform_gen.github_calls import Calls
from terraform_gen.github_errors import (
    GitHubError,
    NotFoundError,
    PathTakenError,
    RefusedError,
    TransientError,
)

_FILE: Final = "100644"
_FILES: Final = frozenset({_FILE, "100755"})


class BranchMovedError(Exception):
    """The branch is not where we left it, or nobody knows; read it again. ``cause`` is what GitHub said."""

    def __init__(self, cause: GitHubError) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Tip:
    """A commit."""

    commit: GitCommit

    @property
    def sha(self) -> str:
        """Its sha."""
        return self.commit.sha

    @property
    def url(self) -> str:
        """Its page."""
        return self.commit.html_url


@dataclass(frozen=True, slots=True)
class Held:
    """A file within a commit."""

    sha: str
    mode: str


class GitObjects:
    """Reads and writes them."""

    def __init__(self, repository: Repository, calls: Calls) -> None:
        self._repository = repository
        self._calls = calls
        self._references: dict[str, GitRef] = {}
        self._trees: dict[str, dict[str, GitTreeElement]] = {}

    def tip(self, branch: str) -> Tip | None:
        """Where a branch stands; None where there is none."""
        try:
            reference = self._calls.ask(
                f"read branch {branch}", lambda: self._repository.get_git_ref(f"heads/{branch}")
            )
        except NotFoundError:
            return None
        self._references[branch] = reference
        return self.at(reference.object.sha)

    def at(self, sha: str) -> Tip:
        """A commit by its sha."""
        return Tip(self._calls.ask(f"read commit {sha}", lambda: self._repository.get_git_commit(sha)))

    def files(self, tip: Tip, paths: Iterable[str]) -> dict[str, Held | None]:
        """What a commit has under some paths."""
        return {path: self._file(tip.commit.tree.sha, path) for path in paths}

    def _file(self, tree: str, path: str) -> Held | None:
        *folders, name = path.split("/")
        for folder in folders:
            entry = self._entries(tree).get(folder)
            if entry is None:
                return None
            if entry.type != "tree":
                raise PathTakenError(self._calls.place, f"read {path}", f"{folder} is no folder there")
            tree = entry.sha
        entry = self._entries(tree).get(name)
        if entry is None:
            return None
        if entry.mode not in _FILES:
            raise PathTakenError(
                self._calls.place, f"read {path}", f"a {entry.type} of mode {entry.mode} is there"
            )
        return Held(entry.sha, entry.mode)

    def _entries(self, tree: str) -> dict[str, GitTreeElement]:
        if tree not in self._trees:
            read = self._calls.ask(f"read tree {tree}", lambda: self._repository.get_git_tree(tree))
            self._trees[tree] = {entry.path: entry for entry in read.tree}
        return self._trees[tree]

    def text(self, held: Held) -> str:
        """A file's content."""
        blob = self._calls.ask(f"read blob {held.sha}", lambda: self._repository.get_git_blob(held.sha))
        content = b64decode(blob.content) if blob.encoding == "base64" else blob.content.encode()
        return content.decode(errors="replace")

    def has(self, tip: Tip, files: Mapping[str, str]) -> bool:
        """Whether a commit has the files so."""
        held = self.files(tip, files)
        return all(
            (found := held[path]) is not None and found.sha == blob_sha(text) for path, text in files.items()
        )

    def commit(
        self,
        base: Tip,
        files: Mapping[str, str],
        message: str,
        *parents: Tip,
        others: Iterable[InputGitTreeElement] = (),
    ) -> Tip:
        """A commit no branch leads to yet: a commit's files, and some of them anew.

        Args:
            base: whose other files it has.
            files: those that it has anew.
            message: what it says.
            parents: what it follows; the base, unless others are given.
            others: files anew whose content GitHub has already.
        """
        held = self.files(base, files)
        elements = [
            self._element(path, text, (held[path] or Held("", _FILE)).mode) for path, text in files.items()
        ]
        tree = self._tree([*others, *elements], base.commit.tree)
        after = [each.commit for each in parents or (base,)]
        made = self._calls.ask(
            "create a commit", lambda: self._repository.create_git_commit(message, tree, after)
        )
        return Tip(made)

    def _element(self, path: str, text: str, mode: str) -> InputGitTreeElement:
        content = b64encode(text.encode()).decode()
        blob = self._calls.ask(
            f"create a blob for {path}", lambda: self._repository.create_git_blob(content, "base64")
        )
        return InputGitTreeElement(path, mode, "blob", sha=blob.sha)

    def _tree(self, elements: list[InputGitTreeElement], base: GitTree) -> GitTree:
        return self._calls.ask("create a tree", lambda: self._repository.create_git_tree(elements, base))

    def move(self, branch: str, tip: Tip) -> None:
        """Move a branch, whose tip was read before, to a commit that follows it; never by force.

        Raises:
            BranchMovedError: it was moved meanwhile, or nobody knows whether it was.
        """
        what = f"move branch {branch}"
        try:
            self._calls.ask(what, lambda: self._references[branch].edit(tip.sha, force=False), repeat=False)
        except (TransientError, NotFoundError) as error:
            raise BranchMovedError(error) from None
        except RefusedError as error:
            if "rule violations" in error.told.lower() or "protected branch" in error.told.lower():
                hint = f"{error.told}; set github_mode to pull_request, or let us past the rule"
                raise RefusedError(error.place, what, hint, error.status, error.request_id) from None
            raise BranchMovedError(error) from None

    def create(self, branch: str, tip: Tip) -> None:
        """A new branch.

        Raises:
            BranchMovedError: there is one meanwhile, or nobody knows.
        """
        try:
            self._calls.ask(
                f"create branch {branch}",
                lambda: self._repository.create_git_ref(f"refs/heads/{branch}", tip.sha),
                repeat=False,
            )
        except (TransientError, RefusedError) as error:
            raise BranchMovedError(error) from None

    def is_in(self, sha: str, tip: Tip) -> bool:
        """Whether a commit leads to another one."""
        if sha == tip.sha:
            return True
        compared = self._calls.ask("compare commits", lambda: self._repository.compare(sha, tip.sha))
        return compared.behind_by == 0
