"""Pull requests within one repository.

Source: docs.github.com/rest/pulls/pulls.
"""

from typing import Final, Literal

from lab.azure.wire import Answer
from lab.github import shapes
from lab.github.call import Body, Call, Route
from lab.github.github_error import GitHubError, invalid, not_found
from lab.github.pull_requests import Merge, merge, reopen
from lab.github.world import HostedRepository, PullRequest

_LONGEST_TITLE: Final = 256
_LONGEST_BODY: Final = 65_536


class _New(Body):
    title: str
    head: str
    base: str
    body: str | None = None
    draft: bool = False


class _Edit(Body):
    title: str | None = None
    body: str | None = None
    state: Literal["open", "closed"] | None = None
    base: str | None = None


class _Merge(Body):
    commit_title: str | None = None
    commit_message: str | None = None
    sha: str | None = None
    merge_method: Literal["merge", "squash"] = "merge"


def _list(call: Call) -> Answer:
    it, query = call.repository, call.request.query
    state = query.get("state", "open")
    found = [
        pull
        for pull in it.pulls.values()
        if state in ("all", pull.state)
        and query.get("base") in (None, "", pull.base)
        and query.get("head") in (None, "", f"{it.owner.login}:{pull.head}")
    ]
    kept = {"updated": "updated_at"}.get(query.get("sort", "created"), "created_at")
    newest_first = (
        query.get("direction", "desc" if query.get("sort", "created") == "created" else "asc") == "desc"
    )
    found.sort(key=lambda pull: (getattr(pull, kept), pull.number), reverse=newest_first)
    shown, headers = call.page(found)
    return Answer(200, [shapes.pull_simple(call.api, it, pull) for pull in shown], headers)


def _create(call: Call) -> Answer:
    it, asked = call.repository, call.body(_New)
    owner, _, name = asked.head.rpartition(":")
    head_sha = it.git.reference(f"refs/heads/{name}") if owner in ("", it.owner.login) else None
    base_sha = it.git.reference(f"refs/heads/{asked.base}")
    if head_sha is None:
        raise invalid("PullRequest", field="head", code="invalid")
    if base_sha is None:
        raise invalid("PullRequest", field="base", code="invalid")
    _check_text(asked.title, asked.body)
    if any(
        each.state == "open" and (each.head, each.base) == (name, asked.base) for each in it.pulls.values()
    ):
        raise invalid("PullRequest", message=f"A pull request already exists for {it.owner.login}:{name}.")
    if it.git.is_ancestor(head_sha, base_sha):
        raise invalid("PullRequest", message=f"No commits between {asked.base} and {name}")
    now, number = call.world.now(), len(it.pulls) + 1
    pull = PullRequest(
        number,
        asked.title,
        asked.body,
        name,
        asked.base,
        call.account,
        now,
        now,
        head_sha,
        base_sha,
        asked.draft,
    )
    it.pulls[number] = pull
    it.keep_head(pull)
    shown = shapes.pull(call.api, it, pull)
    return Answer(201, shown, {"Location": str(shown["url"])})


def _get(call: Call) -> Answer:
    return Answer(200, shapes.pull(call.api, call.repository, _pull(call)))


def _edit(call: Call) -> Answer:
    it, pull, asked = call.repository, _pull(call), call.body(_Edit)
    _check_text(asked.title, asked.body)
    now = call.world.now()
    if asked.base is not None and it.git.reference(f"refs/heads/{asked.base}") is None:
        raise invalid("PullRequest", field="base", code="invalid")
    if asked.state == "open" and pull.state == "closed":
        reopen(it, pull, now)
    if asked.state == "closed" and pull.state == "open":
        pull.close(now)
    pull.title = pull.title if asked.title is None else asked.title
    pull.body = pull.body if asked.body is None else asked.body
    pull.base = pull.base if asked.base is None else asked.base
    pull.updated_at = now
    return Answer(200, shapes.pull(call.api, it, pull))


def _is_merged(call: Call) -> Answer:
    # 404 without a body: that is how GitHub says no.
    return Answer(204 if _pull(call).merged_at else 404)


def _do_merge(call: Call) -> Answer:
    it, pull, asked = call.repository, _pull(call), call.body(_Merge)
    if asked.sha is not None and asked.sha != pull.head_sha:
        raise GitHubError(409, "Head branch was modified. Review and try the merge again.")
    by_default = f"Merge pull request #{pull.number} from {it.owner.login}/{pull.head}"
    title = asked.commit_title or (
        by_default if asked.merge_method == "merge" else f"{pull.title} (#{pull.number})"
    )
    message = pull.title if asked.commit_message is None else asked.commit_message
    new = merge(it, pull, Merge(call.account, call.signature(), asked.merge_method, title, message))
    return Answer(200, {"sha": new, "merged": True, "message": "Pull Request successfully merged"})


def _pull(call: Call) -> PullRequest:
    return _numbered(call.repository, call.parts["number"])


def _numbered(it: HostedRepository, text: str) -> PullRequest:
    found = it.pulls.get(int(text)) if text.isdecimal() else None
    if found is None:
        raise not_found()
    return found


def _check_text(title: str | None, body: str | None) -> None:
    if title is not None and not title.strip():
        raise invalid("PullRequest", field="title", code="missing_field")
    if title is not None and len(title) > _LONGEST_TITLE:
        raise invalid("PullRequest", message="title is too long (maximum is 256 characters)")
    if body is not None and len(body) > _LONGEST_BODY:
        raise invalid("PullRequest", message="body is too long (maximum is 65536 characters)")


_PULLS: Final = "/repos/{owner}/{repo}/pulls"
_READ, _WRITE = ("pull_requests", "read"), ("pull_requests", "write")

ROUTES: Final = (
    Route("GET", _PULLS, _list, _READ),
    Route("POST", _PULLS, _create, _WRITE),
    Route("GET", f"{_PULLS}/{{number}}", _get, _READ),
    Route("PATCH", f"{_PULLS}/{{number}}", _edit, _WRITE),
    Route("GET", f"{_PULLS}/{{number}}/merge", _is_merged, _READ),
    Route("PUT", f"{_PULLS}/{{number}}/merge", _do_merge, ("contents", "write")),
)
