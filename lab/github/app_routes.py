"""Apps, installations and their tokens; the caller, and what is left of the caller's rate.

Source: docs.github.com/rest/apps, /rest/users/users, /rest/rate-limit.
"""

from typing import Final

from pydantic import Field

from lab.azure.wire import Answer
from lab.github import shapes
from lab.github.call import Body, Call, Route
from lab.github.github_error import GitHubError, not_found, unprocessable
from lab.github.sign_in import exceeds, issue_token
from lab.github.world import App, Installation


class _Wanted(Body):
    permissions: dict[str, str] = Field(default_factory=dict)


def _get_app(call: Call) -> Answer:
    return Answer(200, shapes.app(call.api, _app(call)))


def _list_installations(call: Call) -> Answer:
    found = [each for each in call.world.installations.values() if each.app == _app(call)]
    shown, headers = call.page(found)
    return Answer(200, [shapes.installation(call.api, each) for each in shown], headers)


def _get_installation(call: Call) -> Answer:
    return Answer(200, shapes.installation(call.api, _installation(call)))


def _delete_installation(call: Call) -> Answer:
    del call.world.installations[_installation(call).id]
    return Answer(204)


def _installation_of_repository(call: Call) -> Answer:
    name = f"{call.parts['owner']}/{call.parts['repo']}".lower()
    for each in call.world.installations.values():
        if each.app == _app(call) and name in each.repositories:
            return Answer(200, shapes.installation(call.api, each))
    raise not_found()


def _create_token(call: Call) -> Answer:
    installation, wanted = _installation(call), call.body(_Wanted)
    if installation.is_suspended:
        raise GitHubError(403, "This installation has been suspended")
    if exceeds(wanted.permissions, installation.permissions):
        raise unprocessable("The permissions requested are not granted to this installation.")
    text, token = issue_token(call.world, installation, wanted.permissions)
    expires = token.expires_at or call.world.now()
    body = {
        "token": text,
        "expires_at": shapes.time(expires),
        "permissions": dict(token.permissions or {}),
        "repository_selection": "selected",
    }
    return Answer(201, body)


def _list_repositories(call: Call) -> Answer:
    token = call.caller.token
    if token is None or token.installation is None:
        raise GitHubError(
            403, "You must authenticate with an installation access token in order to list repositories."
        )
    found = [
        each for name, each in sorted(call.world.repositories.items()) if name in (token.repositories or ())
    ]
    shown, headers = call.page(found)
    body = {"total_count": len(found), "repositories": [shapes.repository(call.api, each) for each in shown]}
    return Answer(200, body, headers)


def _get_user(call: Call) -> Answer:
    if call.caller.token is not None and call.caller.token.installation is not None:
        raise GitHubError(403, "Resource not accessible by integration")
    who = call.account
    none = dict.fromkeys(
        ("name", "company", "blog", "location", "email", "hireable", "bio", "twitter_username")
    )
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    at = shapes.time(call.world.now())
    shown = shapes.account(call.api, who) | none | counts | {"created_at": at, "updated_at": at}
    return Answer(200, {**shown, "user_view_type": "public"})


def _get_rate_limit(call: Call) -> Answer:
    core = call.limits.state(call.caller.key, call.world.clock.now().timestamp())
    search = {"limit": 30, "remaining": 30, "reset": core["reset"], "used": 0}
    return Answer(200, {"resources": {"core": core, "search": search}, "rate": core})


def _app(call: Call) -> App:
    if call.caller.app is None:
        raise GitHubError(401, "A JSON web token could not be decoded")
    return call.caller.app


def _installation(call: Call) -> Installation:
    text = call.parts["installation"]
    found = call.world.installations.get(int(text)) if text.isdecimal() else None
    if found is None or found.app != _app(call):
        raise not_found()
    return found


ROUTES: Final = (
    Route("GET", "/app", _get_app, by_app=True),
    Route("GET", "/app/installations", _list_installations, by_app=True),
    Route("GET", "/app/installations/{installation}", _get_installation, by_app=True),
    Route("DELETE", "/app/installations/{installation}", _delete_installation, by_app=True),
    Route("POST", "/app/installations/{installation}/access_tokens", _create_token, by_app=True),
    Route("GET", "/repos/{owner}/{repo}/installation", _installation_of_repository, by_app=True),
    Route("GET", "/installation/repositories", _list_repositories),
    Route("GET", "/user", _get_user),
    Route("GET", "/rate_limit", _get_rate_limit),
)
