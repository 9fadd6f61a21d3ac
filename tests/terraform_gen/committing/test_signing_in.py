"""Who we are at GitHub, what we may do there, and that nobody learns our secrets."""

import logging
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pydantic import SecretStr

from lab.azure.faults import FaultKind
from lab.azure.wire import Request
from lab.github.scenario import READER_TOKEN, STRANGER_TOKEN
from terraform_gen.git_objects import BranchMovedError
from terraform_gen.github_calls import Patience
from terraform_gen.github_credentials import (
    AppCredentials,
    KeyFormatError,
    TokenCredentials,
    private_key_pem,
)
from terraform_gen.github_errors import (
    GitHubError,
    NotAllowedError,
    NotFoundError,
    PublicRepositoryError,
    RefusedError,
    SignInError,
)
from terraform_gen.repository import Mode, Outcome
from tests.terraform_gen.committing.workbench import PROPOSAL, Workbench

FORMATS: dict[str, Callable[[str], str]] = {
    "as GitHub hands it out": lambda pem: pem,
    "in one line": lambda pem: pem.replace("\n", "\\n"),
    "in one line and in quotes": lambda pem: '"' + pem.replace("\n", "\\n") + '"',
    "with the line ends of Windows": lambda pem: pem.replace("\n", "\r\n"),
    "with blanks around": lambda pem: f"\n  {pem}  \n",
    "in base64": lambda pem: b64encode(pem.encode()).decode(),
    "in base64, wrapped": lambda pem: (
        b64encode(pem.encode()).decode()[:70] + "\n" + b64encode(pem.encode()).decode()[70:]
    ),
}


def behind(error: BaseException) -> Iterator[BaseException]:
    """What an error drags along."""
    for each in (error.__cause__, error.__context__):
        if each is not None:
            yield each
            yield from behind(each)


def pkcs8(key: RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> str:
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock).decode()


@pytest.mark.parametrize("spelled", FORMATS)
def test_the_private_key_may_come_in_any_usual_spelling(bench: Workbench, spelled: str) -> None:
    pem = FORMATS[spelled](bench.scene.app.pem)
    assert private_key_pem(pem) == bench.scene.app.pem
    assert private_key_pem(FORMATS[spelled](pkcs8(bench.scene.app.private_key)))


def test_an_app_commits_in_its_own_name(bench: Workbench) -> None:
    credentials = AppCredentials(bench.scene.app.client_id, SecretStr(pkcs8(bench.scene.app.private_key)))
    assert bench.repository(credentials=credentials).commit(PROPOSAL).outcome is Outcome.COMMITTED
    assert bench.git("log", "-1", "--format=%an <%ae>", "main").strip() == (
        f"azmdr[bot] <{bench.scene.app.bot.id}+azmdr[bot]@users.noreply.github.com>"
    )
    asked = [(each.method, each.path) for each in bench.door.log[:2]]
    number = bench.scene.installation.id
    assert asked == [
        ("GET", "/repos/contoso-soc/event-hubs/installation"),
        ("POST", f"/app/installations/{number}/access_tokens"),
    ]


def test_a_given_installation_is_not_looked_up(bench: Workbench) -> None:
    key = SecretStr(bench.scene.app.pem)
    credentials = AppCredentials(str(bench.scene.app.id), key, bench.scene.installation.id)
    bench.repository(credentials=credentials).commit(PROPOSAL)
    assert not any(each.path.endswith("/installation") for each in bench.door.log)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hunter2 is no key", "neither a PEM file"),
        (b64encode(b"hunter2 is no key").decode(), "no private key that can be read"),
        ("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----", "can be read"),
        (pkcs8(ec.generate_private_key(ec.SECP256R1())), "not an RSA key"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_and_not_shown(bench: Workbench, text: str, told: str) -> None:
    with pytest.raises(KeyFormatError, match=told) as refused:
        private_key_pem(text)
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))
    with pytest.raises(SignInError, match="github_app_private_key") as failed:
        bench.repository(credentials=AppCredentials("1", SecretStr(text))).commit(PROPOSAL)
    assert "hunter2" not in "".join(traceback.format_exception(failed.value))


def test_a_locked_key_says_that_it_is(app_key: RSAPrivateKey) -> None:
    with pytest.raises(KeyFormatError, match="locked with a password"):
        private_key_pem(pkcs8(app_key, b"hunter2"))


def test_the_key_of_another_app_and_an_app_not_installed_are_told(bench: Workbench) -> None:
    other = bench.scene.world.add_app(bench.scene.organization, "other")
    wrong = AppCredentials(str(bench.scene.app.id), SecretStr(other.pem))
    with pytest.raises(SignInError, match="sign in: 401 A JSON web token could not be decoded"):
        bench.repository(credentials=wrong).commit(PROPOSAL)
    absent = AppCredentials(str(other.id), SecretStr(other.pem))
    with pytest.raises(NotFoundError, match="contoso-soc/event-hubs, branch main: sign in: 404"):
        bench.repository(credentials=absent).commit(PROPOSAL)


@pytest.mark.parametrize("part", ["/git/ref/", "/git/blobs", "/git/refs/", "/event-hubs"])
def test_a_token_that_is_taken_back_in_the_middle_is_replaced(bench: Workbench, part: str) -> None:
    done: list[str] = []

    def before(request: Request) -> None:
        if not done and "installation" not in request.path and part in request.path:
            done.append(request.path)
            bench.scene.world.revoke_tokens()

    bench.door.before = before
    assert bench.repository(credentials=bench.app).commit(PROPOSAL).outcome is Outcome.COMMITTED
    assert done
    assert bench.subjects() == [PROPOSAL.title, "Begin"]
    assert sum(each.path.endswith("/access_tokens") for each in bench.door.log) == 2


def test_an_expiring_token_is_renewed_before_its_time(bench: Workbench) -> None:
    bench.scene.world.token_lifetime = timedelta(seconds=10)
    bench.repository(credentials=bench.app).commit(PROPOSAL)
    tokens = sum(each.path.endswith("/access_tokens") for each in bench.door.log)
    assert tokens > 2
    assert not any(each.status == 401 for each in bench.door.log)


def test_a_token_of_a_person_that_is_not_taken_is_not_asked_with_twice(bench: Workbench) -> None:
    bench.fail("GET", "", *[FaultKind.EXPIRE_TOKEN] * 3)
    with pytest.raises(SignInError, match="401 Bad credentials"):
        bench.repository().commit(PROPOSAL)
    assert len(bench.door.log) == 1


def test_whoever_may_only_read_learns_which_permission_lacks(bench: Workbench) -> None:
    reader = TokenCredentials(SecretStr(READER_TOKEN))
    with pytest.raises(
        NotAllowedError, match=r"create a blob .*403 Resource not accessible by personal access token"
    ):
        bench.repository(credentials=reader).commit(PROPOSAL)
    assert bench.subjects() == ["Begin"]


def test_whoever_has_no_access_is_told_of_no_repository(bench: Workbench) -> None:
    with pytest.raises(
        NotFoundError, match="contoso-soc/event-hubs, branch main: read the repository: 404"
    ) as lost:
        bench.repository(credentials=TokenCredentials(SecretStr(STRANGER_TOKEN))).commit(PROPOSAL)
    assert lost.value.place.repository == "contoso-soc/event-hubs"
    assert str(lost.value.request_id).startswith("LAB:")


def test_nothing_is_committed_where_everybody_can_read_it(bench: Workbench) -> None:
    bench.scene.repository.is_private = False
    with pytest.raises(PublicRepositoryError, match="it is public, and the files name customers"):
        bench.repository().commit(PROPOSAL)
    assert bench.door.writes() == []


def test_a_missing_branch_and_an_empty_repository_are_told_apart(bench: Workbench) -> None:
    with pytest.raises(
        NotFoundError, match="branch live: read the branch: the repository has no such branch"
    ):
        bench.repository(branch="live").commit(PROPOSAL)
    bench.scene.world.add_repository(bench.scene.organization, "bare").writers.add("mona")
    with pytest.raises(RefusedError, match=r"Git Repository is empty\. Make its first commit"):
        bench.repository(name="contoso-soc/bare").commit(PROPOSAL)


def test_no_secret_is_in_a_log_an_error_or_a_repr(
    bench: Workbench, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    # PyGithub keeps its own loggers at INFO until somebody wants to see more.
    caplog.set_level(logging.DEBUG, logger="github")
    said: list[str] = []
    dragged: list[BaseException] = []
    for kind in (FaultKind.FAIL_BEFORE, FaultKind.RESET_BEFORE, FaultKind.TRUNCATE, FaultKind.EXPIRE_TOKEN):
        for part in ("/access_tokens", "/installation", "/git/blobs"):
            for credentials in (bench.app, bench.person):
                method = "GET" if part == "/installation" else "POST"
                bench.door._asked.clear()  # noqa: SLF001 - the counts of planned faults begin anew
                bench.fail(method, part, *[kind] * 3)
                repository = bench.repository(credentials=credentials, patience=Patience(attempts=1, stale=1))
                try:
                    said.append(repr(repository.commit(PROPOSAL)))
                except GitHubError as error:
                    chain = traceback.TracebackException.from_exception(error, capture_locals=False)
                    said += [*chain.format(), repr(error), str(error.__dict__)]
                    dragged += behind(error)
                said += [repr(repository), repr(credentials), str(credentials)]
    # An error of PyGithub or requests would bring the request, and with it the token.
    assert {type(each) for each in dragged if not isinstance(each, GitHubError)} <= {BranchMovedError}
    said += [caplog.text, *capsys.readouterr()]
    everything = "\n".join(said)
    tokens = [*bench.scene.world.tokens]
    assert "access_tokens" in everything
    assert len(tokens) > 3
    assert [token for token in tokens if token in everything] == []
    pem = bench.scene.app.pem
    assert [
        line for line in pem.splitlines() if len(line) > 20 and "KEY" not in line and line in everything
    ] == []
    assert "eyJ" not in everything


@pytest.mark.parametrize("mode", list(Mode))
def test_an_app_may_do_all_that_a_mode_needs(bench: Workbench, mode: Mode) -> None:
    result = bench.repository(mode, bench.app).commit(PROPOSAL)
    assert result.changed
    assert not [each for each in bench.door.log if each.status >= 400 and each.status != 404]
