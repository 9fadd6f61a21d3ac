"""What reading a capture file's name promises: the name given back, and nothing taken from a hostile path."""

import pickle
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.capture.names import (
    AZURE_DEFAULT,
    TIME_FIRST,
    ArchiveNameFormat,
    ArchiveNameFormatError,
    CaptureName,
    CaptureNameError,
    parse_capture_name,
)

TOKENS = re.findall(r"\{\w+\}", AZURE_DEFAULT.text)
NAME = CaptureName("azure-log-ingest-01", "logs", "3", datetime(2026, 11, 24, 9, 5, 7, tzinfo=UTC))
TIME_FIRST_PATH = "2026/11/24/09/azure-log-ingest-01/logs/3/05/07.avro"
AZURE_PATH = "azure-log-ingest-01/logs/3/2026/11/24/09/05/07.avro"

names = st.builds(
    CaptureName,
    namespace=st.from_regex(r"[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9]", fullmatch=True),
    event_hub=st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,254}[A-Za-z0-9])?", fullmatch=True),
    partition_id=st.integers(0, 1023).map(str),
    window=st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0)),
)
formats = st.permutations(TOKENS).map("/".join).map(ArchiveNameFormat)


@given(formats, names)
def test_a_built_name_parses_to_itself_whatever_the_order_of_the_tokens(
    archive_name_format: ArchiveNameFormat, name: CaptureName
) -> None:
    assert archive_name_format.parse(archive_name_format.build(name)) == name


def test_the_formats_build_the_paths_azure_writes() -> None:
    assert TIME_FIRST.build(NAME) == TIME_FIRST_PATH
    assert AZURE_DEFAULT.build(NAME) == AZURE_PATH


@pytest.mark.parametrize("path", [TIME_FIRST_PATH, AZURE_PATH])
def test_a_name_is_read_by_the_first_format_it_fits(path: str) -> None:
    assert parse_capture_name(path, [TIME_FIRST, AZURE_DEFAULT]) == NAME


def test_a_window_in_another_zone_is_named_in_utc() -> None:
    east = NAME.window.astimezone(timezone(timedelta(hours=14)))
    assert TIME_FIRST.build(CaptureName("azure-log-ingest-01", "logs", "3", east)) == TIME_FIRST_PATH


# What is no name.

alphabet = st.sampled_from([*"aZ09-_.%/\\", "..", "//", "%2f", "%5C", "\x00", "\n", "\u202e", "é", "٣"])
hostile_paths = st.one_of(
    st.text(max_size=60),
    st.tuples(st.sampled_from([TIME_FIRST_PATH, AZURE_PATH]), st.integers(0, 50), st.lists(alphabet)).map(
        lambda drawn: drawn[0][: drawn[1]] + "".join(drawn[2]) + drawn[0][drawn[1] :]
    ),
    st.lists(st.lists(alphabet, max_size=8).map("".join), min_size=9, max_size=9).map(
        lambda parts: "/".join(parts) + ".avro"
    ),
)


@given(hostile_paths)
def test_no_path_parses_into_a_name_with_a_separator_or_into_one_that_builds_another_path(path: str) -> None:
    for archive_name_format in (TIME_FIRST, AZURE_DEFAULT, ArchiveNameFormat("-".join(TOKENS))):
        try:
            name = archive_name_format.parse(path)
        except CaptureNameError:
            continue
        for part in (name.namespace, name.event_hub, name.partition_id):
            assert re.fullmatch(r"[A-Za-z0-9._-]+", part)
        assert archive_name_format.build(name) == path


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "empty"),
        ("/" + AZURE_PATH, "absolute"),
        ("../" + AZURE_PATH, "relative"),
        ("./" + AZURE_PATH, "relative"),
        (AZURE_PATH.replace("/logs/", "/../"), "relative"),
        (AZURE_PATH.replace("/logs/", "//"), "empty segment"),
        (AZURE_PATH + "/", "empty segment"),
        (AZURE_PATH.replace("/logs/", "\\logs\\"), "backslash"),
        (AZURE_PATH.replace("/logs/", "%2Flogs/"), "percent-encoded"),
        (AZURE_PATH.replace("/logs/", "/%2e%2e/"), "percent-encoded"),
        (AZURE_PATH.replace("logs", "lo\x00gs"), "control character"),
        (AZURE_PATH.replace("logs", "lo\x85gs"), "control character"),
        (AZURE_PATH + "\n", "control character"),
        (AZURE_PATH.replace("logs", "l" * 1024), "at most 1024"),
        (AZURE_PATH.removesuffix(".avro"), "does not fit"),
        (AZURE_PATH.replace(".avro", ".AVRO"), "does not fit"),
        ("tenant/" + AZURE_PATH, "does not fit"),
        (AZURE_PATH.replace("azure-log-ingest-01", "short"), "does not fit"),
        (AZURE_PATH.replace("azure-log-ingest-01", "a" * 51), "does not fit"),
        (AZURE_PATH.replace("azure-log-ingest-01", "1azure"), "does not fit"),
        (AZURE_PATH.replace("azure-log-ingest-01", "azure-"), "does not fit"),
        (AZURE_PATH.replace("azure-log-ingest-01", "azure_log"), "does not fit"),
        (AZURE_PATH.replace("/logs/", "/.logs/"), "does not fit"),
        (AZURE_PATH.replace("/logs/", "/logs-/"), "does not fit"),
        (AZURE_PATH.replace("/logs/", f"/{'l' * 257}/"), "does not fit"),
        (AZURE_PATH.replace("/3/", "/x/"), "does not fit"),
        (AZURE_PATH.replace("/3/", "/03/"), "does not fit"),
        (AZURE_PATH.replace("/3/", "/٣/"), "does not fit"),
        (AZURE_PATH.replace("/05/", "/5/"), "does not fit"),
        (AZURE_PATH.replace("/11/24/", "/13/24/"), "impossible"),
        (AZURE_PATH.replace("/11/24/", "/02/29/"), "impossible"),
        (AZURE_PATH.replace("2026", "0000"), "impossible"),
        (AZURE_PATH.replace("/09/", "/24/"), "impossible"),
    ],
)
def test_a_path_that_is_no_name_is_refused_with_the_reason(path: str, reason: str) -> None:
    with pytest.raises(CaptureNameError, match=reason) as caught:
        AZURE_DEFAULT.parse(path)
    assert caught.value.path == path
    assert repr(path)[:40].strip("'") in str(caught.value)


def test_the_error_says_for_each_format_why_it_does_not_fit() -> None:
    with pytest.raises(CaptureNameError) as caught:
        parse_capture_name("logs.avro", [TIME_FIRST, AZURE_DEFAULT])
    assert TIME_FIRST.text in str(caught.value)
    assert AZURE_DEFAULT.text in str(caught.value)


def test_an_error_message_stays_short_and_on_one_line() -> None:
    with pytest.raises(CaptureNameError) as caught:
        AZURE_DEFAULT.parse("a\n" * 100_000)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


def test_errors_survive_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(CaptureNameError("a/b", "it is absolute")))  # noqa: S301  # made here
    assert (error.path, error.reason) == ("a/b", "it is absolute")


@pytest.mark.parametrize(
    "name",
    [
        CaptureName("azure/log", "logs", "3", NAME.window),
        CaptureName("azure-log", "..", "3", NAME.window),
        CaptureName("azure-log", "logs", "x", NAME.window),
        CaptureName("azure-log", "logs", "3", NAME.window.replace(tzinfo=None)),
    ],
)
def test_no_path_is_built_of_a_name_that_could_not_be_read_back(name: CaptureName) -> None:
    with pytest.raises(CaptureNameError):
        TIME_FIRST.build(name)


# Formats.


def test_a_format_may_hold_other_separators_and_text() -> None:
    dashes = ArchiveNameFormat(
        "capture/{Namespace}+{EventHub}/p{PartitionId}/{Year}{Month}{Day}T{Hour}{Minute}{Second}"
    )
    path = "capture/azure-log-ingest-01+logs/p3/20261124T090507.avro"
    assert dashes.build(NAME) == path
    assert dashes.parse(path) == NAME


def test_a_name_that_could_be_split_in_two_ways_is_refused() -> None:
    dashed = ArchiveNameFormat(AZURE_DEFAULT.text.replace("{Namespace}/", "{Namespace}-"))
    assert dashed.parse(AZURE_PATH.replace("azure-log-ingest-01/", "azurelog-")).namespace == "azurelog"
    with pytest.raises(CaptureNameError, match="more than one way"):
        dashed.parse(AZURE_PATH.replace("azure-log-ingest-01/", "azurelog-ingest-"))


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("instead", ["", "x", "{Month}{Day}{Year}"])
def test_a_format_needs_each_token_once(token: str, instead: str) -> None:
    with pytest.raises(ArchiveNameFormatError):
        ArchiveNameFormat(AZURE_DEFAULT.text.replace(token, instead))


@pytest.mark.parametrize("added", ["/{Region}", "/{", "/}", "/../x", "//x", "/", "\\x", "%2fx", "\n"])
def test_a_format_may_not_hold_what_makes_a_path_unsafe(added: str) -> None:
    with pytest.raises(ArchiveNameFormatError, match="archive name format"):
        ArchiveNameFormat(AZURE_DEFAULT.text + added)


def test_the_hour_prefix_is_what_the_names_of_one_hour_begin_with() -> None:
    assert TIME_FIRST.hour_prefix(NAME.window) == "2026/11/24/09/"
    assert TIME_FIRST.build(NAME).startswith("2026/11/24/09/")


def test_the_hour_prefix_is_of_the_hour_in_utc() -> None:
    east = datetime(2026, 11, 25, 1, 30, tzinfo=timezone(timedelta(hours=3)))
    assert TIME_FIRST.hour_prefix(east) == "2026/11/24/22/"
    with pytest.raises(ValueError, match="no time zone"):
        TIME_FIRST.hour_prefix(east.replace(tzinfo=None))


def test_there_is_no_hour_prefix_unless_the_hour_comes_first() -> None:
    assert AZURE_DEFAULT.hour_prefix(NAME.window) is None
    hour_late = TIME_FIRST.text.replace("{Hour}", "{Minute}", 1).replace(
        "{PartitionId}/{Minute}", "{PartitionId}/{Hour}"
    )
    assert ArchiveNameFormat(hour_late).hour_prefix(NAME.window) is None


@given(formats, names)
def test_every_name_begins_with_the_prefix_of_its_hour(
    archive_name_format: ArchiveNameFormat, name: CaptureName
) -> None:
    prefix = archive_name_format.hour_prefix(name.window)
    assert prefix is None or archive_name_format.build(name).startswith(prefix)
