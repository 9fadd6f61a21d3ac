"""What errors say: the place, the call, GitHub's words, the request; and no secret."""

import pytest

from terraform_gen.github_errors import GitHubError, Place, RefusedError, without_secrets

PLACE = Place("contoso/event-hubs", "main")
SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_" + "a1B2" * 9,
        "ghs_" + "0f" * 18,
        "github_pat_" + "11AA_bb" * 6,
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiI3In0.c2ln-bmF_0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMIIE, cut short",
    ],
)
def test_a_secret_in_what_github_says_is_not_repeated(secret: str) -> None:
    error = GitHubError(PLACE, "sign in", f"401 bad {secret} given", "1A:2B")
    assert secret not in f"{error} {error!r} {error.told} {error.__dict__}"
    assert "MIIE" not in str(error)
    assert "***" in str(error)


def test_shas_and_words_are_left_as_they_are() -> None:
    told = f"reference at {SHA} but expected {SHA[::-1]}; request ABCD:1234; event-hubs"
    assert without_secrets(told) == told


def test_an_error_says_where_what_why_and_which_request() -> None:
    error = RefusedError(PLACE, "create a tree", "GitRPC::BadObjectState", 422, "1A:2B")
    assert str(error) == (
        "contoso/event-hubs, branch main: create a tree: 422 GitRPC::BadObjectState (request 1A:2B)"
    )
    assert (error.status, error.place, error.request_id) == (422, PLACE, "1A:2B")


def test_long_answers_are_cut() -> None:
    assert len(str(GitHubError(PLACE, "x", "y" * 100_000))) < 600
