"""How GitHub shows what it holds: the bodies of answers, by its OpenAPI description."""

from base64 import b64encode, encodebytes
from datetime import datetime
from typing import Final
from urllib.parse import quote

from lab.github.bare_repository import BareRepository, Commit, Entry, Signature
from lab.github.world import Account, App, HostedRepository, Installation, PullRequest

Shape = dict[str, object]

HTML: Final = "https://github.com"
_REPOSITORY_LINKS: Final = (
    ("archive", "/{archive_format}{/ref}"), ("assignees", "{/user}"), ("branches", "{/branch}"),
    ("collaborators", "{/collaborator}"), ("comments", "{/number}"), ("commits", "{/sha}"),
    ("contents", "/{+path}"), ("contributors", ""), ("deployments", ""), ("downloads", ""), ("events", ""),
    ("forks", ""), ("hooks", ""), ("issues", "{/number}"), ("keys", "{/key_id}"), ("labels", "{/name}"),
    ("languages", ""), ("merges", ""), ("milestones", "{/number}"), ("notifications", "{?since,all}"),
    ("pulls", "{/number}"), ("releases", "{/id}"), ("stargazers", ""), ("statuses", "/{sha}"),
    ("subscribers", ""), ("subscription", ""), ("tags", ""), ("teams", ""),
)  # fmt: skip
_ACCOUNT_LINKS: Final = (
    ("events", "/events{/privacy}"), ("followers", "/followers"), ("following", "/following{/other_user}"),
    ("gists", "/gists{/gist_id}"), ("organizations", "/orgs"), ("received_events", "/received_events"),
    ("repos", "/repos"), ("starred", "/starred{/owner}{/repo}"), ("subscriptions", "/subscriptions"),
)  # fmt: skip


def time(at: datetime) -> str:
    """A time as GitHub writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, key: object) -> str:
    """The id GraphQL would use."""
    return b64encode(f"{kind}:{key}".encode()).decode()


def account(api: str, who: Account) -> Shape:
    """A user, an organization or a bot."""
    url = f"{api}/users/{quote(who.login)}"
    return {
        "login": who.login,
        "id": who.id,
        "node_id": node_id("User", who.id),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{who.id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{HTML}/{who.login}",
        **{f"{name}_url": url + rest for name, rest in _ACCOUNT_LINKS},
        "type": who.type,
        "site_admin": False,
    }


def repository(api: str, it: HostedRepository) -> Shape:
    """A repository, whole."""
    url, html = f"{api}/repos/{it.full_name}", f"{HTML}/{it.full_name}"
    issues = len([pull for pull in it.pulls.values() if pull.state == "open"])
    switches = ("issues", "projects", "wiki", "pages", "discussions", "downloads")
    counts = ("forks", "forks_count", "stargazers_count", "watchers", "watchers_count", "size")
    return {
        "id": it.id,
        "node_id": node_id("Repository", it.id),
        "name": it.name,
        "full_name": it.full_name,
        "owner": account(api, it.owner),
        "private": it.is_private,
        "visibility": "private" if it.is_private else "public",
        "html_url": html,
        "url": url,
        "description": None,
        "fork": False,
        **{f"{name}_url": f"{url}/{name}{rest}" for name, rest in _REPOSITORY_LINKS},
        "blobs_url": f"{url}/git/blobs{{/sha}}",
        "trees_url": f"{url}/git/trees{{/sha}}",
        "git_commits_url": f"{url}/git/commits{{/sha}}",
        "git_refs_url": f"{url}/git/refs{{/sha}}",
        "git_tags_url": f"{url}/git/tags{{/sha}}",
        "compare_url": f"{url}/compare/{{base}}...{{head}}",
        "issue_comment_url": f"{url}/issues/comments{{/number}}",
        "issue_events_url": f"{url}/issues/events{{/number}}",
        "git_url": f"git://github.com/{it.full_name}.git",
        "ssh_url": f"git@github.com:{it.full_name}.git",
        "clone_url": f"{html}.git",
        "svn_url": html,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        **dict.fromkeys((f"has_{name}" for name in switches), False),
        **dict.fromkeys(counts, 0),
        "network_count": 0,
        "subscribers_count": 0,
        "open_issues": issues,
        "open_issues_count": issues,
        "archived": False,
        "disabled": False,
        "default_branch": it.default_branch,
        "pushed_at": time(it.created_at),
        "created_at": time(it.created_at),
        "updated_at": time(it.created_at),
    }


def reference(api: str, it: HostedRepository, name: str, sha: str) -> Shape:
    """A reference."""
    url = f"{api}/repos/{it.full_name}"
    return {
        "ref": name,
        "node_id": node_id("Ref", f"{it.id}:{name}"),
        "url": f"{url}/git/{quote(name)}",
        "object": {"type": "commit", "sha": sha, "url": f"{url}/git/commits/{sha}"},
    }


def _signature(signed: Signature) -> Shape:
    return {"name": signed.name, "email": signed.email, "date": signed.at.isoformat().replace("+00:00", "Z")}


def _unsigned() -> Shape:
    return {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def git_commit(api: str, it: HostedRepository, commit: Commit) -> Shape:
    """A commit, as git has it."""
    url, html = f"{api}/repos/{it.full_name}/git", f"{HTML}/{it.full_name}/commit"
    return {
        "sha": commit.sha,
        "node_id": node_id("Commit", commit.sha),
        "url": f"{url}/commits/{commit.sha}",
        "html_url": f"{html}/{commit.sha}",
        "author": _signature(commit.author),
        "committer": _signature(commit.committer),
        "tree": {"sha": commit.tree, "url": f"{url}/trees/{commit.tree}"},
        "message": commit.message,
        "parents": [
            {"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{html}/{sha}"} for sha in commit.parents
        ],
        "verification": _unsigned(),
    }


def commit(api: str, it: HostedRepository, made: Commit) -> Shape:
    """A commit, as GitHub lists it."""
    url, html = f"{api}/repos/{it.full_name}", f"{HTML}/{it.full_name}/commit"
    return {
        "sha": made.sha,
        "node_id": node_id("Commit", made.sha),
        "commit": {
            "author": _signature(made.author),
            "committer": _signature(made.committer),
            "message": made.message,
            "tree": {"sha": made.tree, "url": f"{url}/git/trees/{made.tree}"},
            "url": f"{url}/git/commits/{made.sha}",
            "comment_count": 0,
            "verification": _unsigned(),
        },
        "url": f"{url}/commits/{made.sha}",
        "html_url": f"{html}/{made.sha}",
        "comments_url": f"{url}/commits/{made.sha}/comments",
        "author": None,
        "committer": None,
        "parents": [
            {"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{html}/{sha}"} for sha in made.parents
        ],
    }


def tree(api: str, it: HostedRepository, sha: str, entries: list[Entry], *, truncated: bool = False) -> Shape:
    """A tree."""
    url = f"{api}/repos/{it.full_name}/git"
    shown = []
    for entry in entries:
        kind = {"blob": "blobs", "tree": "trees"}.get(entry.kind)
        size = {} if entry.size is None else {"size": entry.size}
        link = {"url": f"{url}/{kind}/{entry.sha}"} if kind else {}
        about = {"path": entry.path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha}
        shown.append({**about, **size, **link})
    return {"sha": sha, "url": f"{url}/trees/{sha}", "tree": shown, "truncated": truncated}


def blob(api: str, it: HostedRepository, sha: str, content: bytes) -> Shape:
    """A blob."""
    return {
        "sha": sha,
        "node_id": node_id("Blob", sha),
        "size": len(content),
        "url": f"{api}/repos/{it.full_name}/git/blobs/{sha}",
        "content": encodebytes(content).decode(),
        "encoding": "base64",
    }


def content(
    api: str, it: HostedRepository, entry: Entry, path: str, branch: str, data: bytes | None
) -> Shape:
    """A file or a folder, as the contents API shows it; without data, as in a list."""
    url = f"{api}/repos/{it.full_name}"
    kind = {"120000": "symlink", "160000": "submodule", "040000": "dir"}.get(entry.mode, "file")
    place = quote(path)
    own = f"{url}/contents/{place}?ref={quote(branch, safe='')}"
    git = f"{url}/git/{'trees' if kind == 'dir' else 'blobs'}/{entry.sha}"
    html = f"{HTML}/{it.full_name}/{'tree' if kind == 'dir' else 'blob'}/{quote(branch)}/{place}"
    raw = f"https://raw.githubusercontent.com/{it.full_name}/{quote(branch)}/{place}"
    shown: Shape = {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "size": entry.size or 0,
        "url": own,
        "html_url": html,
        "git_url": git,
        "download_url": raw if kind == "file" else None,
        "type": kind,
        "_links": {"self": own, "git": git, "html": html},
    }
    if data is not None and kind == "file":
        is_large = len(data) > 2**20
        text = "" if is_large else encodebytes(data).decode()
        shown |= {"content": text, "encoding": "none" if is_large else "base64"}
    elif data is not None and kind == "symlink":
        shown |= {"target": data.decode(errors="replace")}
    return shown


def branch(api: str, it: HostedRepository, name: str, made: Commit) -> Shape:
    """A branch."""
    url = f"{api}/repos/{it.full_name}/branches/{quote(name)}"
    return {
        "name": name,
        "commit": commit(api, it, made),
        "_links": {"self": url, "html": f"{HTML}/{it.full_name}/tree/{quote(name)}"},
        "protected": name in it.protected,
        "protection": {"enabled": name in it.protected},
        "protection_url": f"{url}/protection",
    }


def pull_simple(api: str, it: HostedRepository, pull: PullRequest) -> Shape:
    """A pull request, as it is listed."""
    url = f"{api}/repos/{it.full_name}"
    own, issue = f"{url}/pulls/{pull.number}", f"{url}/issues/{pull.number}"
    html = f"{HTML}/{it.full_name}/pull/{pull.number}"
    links = {
        "self": own,
        "html": html,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{own}/comments",
        "review_comment": f"{url}/pulls/comments{{/number}}",
        "commits": f"{own}/commits",
        "statuses": f"{url}/statuses/{pull.head_sha}",
    }
    return {
        "id": pull.number,
        "node_id": node_id("PullRequest", f"{it.id}:{pull.number}"),
        "url": own,
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": issue,
        **{f"{name}_url": links[name] for name in ("comments", "review_comments", "review_comment")},
        **{f"{name}_url": links[name] for name in ("commits", "statuses")},
        "_links": {name: {"href": link} for name, link in links.items()},
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "draft": pull.is_draft,
        "title": pull.title,
        "body": pull.body,
        "user": account(api, pull.author),
        "labels": [],
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "author_association": "CONTRIBUTOR",
        "auto_merge": None,
        "created_at": time(pull.created_at),
        "updated_at": time(pull.updated_at),
        "closed_at": pull.closed_at and time(pull.closed_at),
        "merged_at": pull.merged_at and time(pull.merged_at),
        "merge_commit_sha": pull.merge_commit,
        "head": _side(api, it, pull.head, pull.head_sha),
        "base": _side(api, it, pull.base, pull.base_sha),
    }


def pull(api: str, it: HostedRepository, pull: PullRequest) -> Shape:
    """A pull request, whole."""
    changed = it.git.changed_files(
        it.git.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha, pull.head_sha
    )
    mergeable = _mergeable(it.git, pull)
    return {
        **pull_simple(api, it, pull),
        "merged": pull.merged_at is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": {True: "clean", False: "dirty", None: "unknown"}[mergeable],
        "merged_by": pull.merged_by and account(api, pull.merged_by),
        "comments": 0,
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(it.git.between(pull.base_sha, pull.head_sha)),
        "additions": sum(each.additions for each in changed),
        "deletions": sum(each.deletions for each in changed),
        "changed_files": len(changed),
    }


def _mergeable(git: BareRepository, pull: PullRequest) -> bool | None:
    if pull.state == "closed":
        return None
    return git.merged_tree(pull.base_sha, pull.head_sha) is not None


def _side(api: str, it: HostedRepository, name: str, sha: str) -> Shape:
    label = f"{it.owner.login}:{name}"
    user, shown = account(api, it.owner), repository(api, it)
    return {"label": label, "ref": name, "sha": sha, "user": user, "repo": shown}


def app(api: str, it: App) -> Shape:
    """An app."""
    return {
        "id": it.id,
        "slug": it.slug,
        "client_id": it.client_id,
        "node_id": node_id("Integration", it.id),
        "owner": account(api, it.owner),
        "name": it.slug,
        "description": None,
        "external_url": "https://example.com",
        "html_url": f"{HTML}/apps/{it.slug}",
        "created_at": time(it.created_at),
        "updated_at": time(it.created_at),
        "permissions": dict(it.permissions),
        "events": [],
    }


def installation(api: str, it: Installation) -> Shape:
    """An app in an account."""
    return {
        "id": it.id,
        "account": account(api, it.account),
        "repository_selection": "selected",
        "access_tokens_url": f"{api}/app/installations/{it.id}/access_tokens",
        "repositories_url": f"{api}/installation/repositories",
        "html_url": f"{HTML}/settings/installations/{it.id}",
        "app_id": it.app.id,
        "client_id": it.app.client_id,
        "app_slug": it.app.slug,
        "target_id": it.account.id,
        "target_type": it.account.type,
        "permissions": dict(it.permissions),
        "events": [],
        "created_at": time(it.created_at),
        "updated_at": time(it.created_at),
        "single_file_name": None,
        "suspended_by": account(api, it.account) if it.is_suspended else None,
        "suspended_at": time(it.created_at) if it.is_suspended else None,
    }
