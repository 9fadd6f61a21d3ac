"""What the settings promise: the environment before the file, and errors that name the key and no secret."""

import os
import traceback
from datetime import timedelta
from pathlib import Path

import pytest

from azmdr.capture.names import TIME_FIRST
from azmdr.capture.runs import RunBounds
from azmdr.config import ConfigurationError, Settings
from azmdr.store.operations import Patience

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def _bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory, and nothing of ours in the environment."""
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.upper().startswith("AZMDR_")]:
        monkeypatch.delenv(variable)


def write(text: str, name: str = "azmdr.toml") -> None:
    Path(name).write_text(text)


def refusal() -> str:
    """What is said of settings that can't be used; never with a secret, in the traceback or anywhere."""
    with pytest.raises(ConfigurationError) as refused:
        Settings.load()
    assert SECRET not in "".join(traceback.format_exception(refused.value)) + repr(refused.value)
    return str(refused.value)


def test_without_a_word_everything_is_local() -> None:
    settings = Settings.load()
    assert settings.store_url.get_secret_value() == "sqlite:///.azmdr/state.db"
    assert settings.lake == ".azmdr/lake"
    assert settings.archive_name_format == TIME_FIRST.text
    assert settings.run_bounds == RunBounds()


def test_the_file_says_what_the_environment_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    write('lake = "from-file"\nlinger = 7\n')
    monkeypatch.setenv("AZMDR_LINGER", "8.5")
    settings = Settings.load()
    assert (settings.lake, settings.linger) == ("from-file", 8.5)


def test_the_environment_may_name_another_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write('lake = "default-file"\n')
    write('lake = "named-file"\n', "production.toml")
    monkeypatch.setenv("AZMDR_CONFIG", "production.toml")
    assert Settings.load().lake == "named-file"


def test_a_named_file_that_is_not_there_is_an_error_and_not_a_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AZMDR_CONFIG", "missing.toml")
    assert refusal() == "AZMDR_CONFIG: there is no file missing.toml"


def test_run_bounds_are_set_one_by_one_from_either_place(monkeypatch: pytest.MonkeyPatch) -> None:
    write("[run_bounds]\nin_flight = 9\nday_runs = 5\n")
    monkeypatch.setenv("AZMDR_RUN_BOUNDS__IN_FLIGHT", "2")
    assert Settings.load().run_bounds == RunBounds(in_flight=2, day_runs=5)


def test_times_become_the_patience_and_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZMDR_LINGER", "60")
    monkeypatch.setenv("AZMDR_DEADLINE", "120")
    monkeypatch.setenv("AZMDR_CLAIM_LEASE", "30")
    settings = Settings.load()
    assert settings.patience == Patience(timedelta(seconds=60), timedelta(seconds=120))
    assert (settings.step.patience, settings.step.claim_lease) == (settings.patience, timedelta(seconds=30))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("lingr = 3", "lingr"),
        ("[run_bounds]\nin_flihgt = 3", "run_bounds.in_flihgt"),
        ('linger = "soon"', "linger"),
        ("linger = -1", "linger"),
        ("files_per_commit = 0", "files_per_commit"),
        ("[run_bounds]\nin_flight = 0", "run_bounds.in_flight"),
        ('archive_name_format = "{Year}"', "archive_name_format"),
        ('partitions_start = "yesterday"', "partitions_start"),
        ("lake = 3", "lake"),
        ('store_url = ["hunter2"]', "store_url"),
        ('storage_account_key = { key = "hunter2" }', "storage_account_key"),
        ('storage_acount_key = "hunter2"', "storage_acount_key"),
    ],
)
def test_what_the_file_says_wrongly_is_named_by_its_key(text: str, key: str) -> None:
    write(text)
    assert f"{key}: " in refusal()


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [
        ("AZMDR_LINGER", "hunter2", "linger"),
        ("AZMDR_RUN_BOUNDS__IN_FLIGHT", "hunter2", "run_bounds.in_flight"),
        ("AZMDR_RUN_BOUNDS__IN_FLIHGT", "2", "run_bounds.in_flihgt"),
        ("AZMDR_RUN_BOUNDS", "hunter2", "run_bounds"),
        ("AZMDR_PARTITIONS_START", "hunter2", "partitions_start"),
    ],
)
def test_what_the_environment_says_wrongly_is_named_by_its_key(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, key: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert key in refusal()


def test_every_mistake_is_told_at_once() -> None:
    write("lingr = 3\ndeadline = -1\n")
    said = refusal()
    assert "lingr: " in said
    assert "deadline: " in said


def test_a_file_that_is_no_toml_is_named() -> None:
    write("store_url = 'hunter2\n")
    assert "azmdr.toml" in refusal()


def test_a_secret_is_not_shown_by_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZMDR_STORE_URL", f"postgresql://azmdr:{SECRET}@host/store")
    monkeypatch.setenv("AZMDR_STORAGE_ACCOUNT_KEY", SECRET)
    settings = Settings.load()
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert SECRET in settings.store_url.get_secret_value()


def test_an_address_that_must_be_there_is_given_or_asked_for_by_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(
        ConfigurationError, match="capture_queue: not set; set AZMDR_CAPTURE_QUEUE or capture_queue"
    ):
        Settings.load().required("capture_queue")
    monkeypatch.setenv("AZMDR_CAPTURE_QUEUE", "")
    with pytest.raises(ConfigurationError, match="capture_queue: not set"):
        Settings.load().required("capture_queue")
    monkeypatch.setenv("AZMDR_CAPTURE_QUEUE", "https://logs.queue.core.windows.net/files")
    assert Settings.load().required("capture_queue") == "https://logs.queue.core.windows.net/files"


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.load().lake = "elsewhere"  # type: ignore[misc]


def test_a_mistyped_variable_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZMDR_LINGRE", "hunter2")
    with pytest.raises(ConfigurationError, match="AZMDR_LINGRE") as refusal:
        Settings.load()
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("key", "value"), [("LINGER", "inf"), ("DEADLINE", "nan"), ("PARTITIONS_START", "2026-99-99")]
)
def test_a_value_that_is_no_duration_and_no_day_is_refused(
    key: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"AZMDR_{key}", value)
    with pytest.raises(ConfigurationError, match=key.lower()):
        Settings.load()
