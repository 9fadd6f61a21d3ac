"""What event times promise: every form Azure services write is read, and nothing else is guessed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.times import LATEST, as_datetime, as_nanoseconds, hour_of, parse_time

SECOND = 1_000_000_000
MOMENT = as_nanoseconds(datetime(2021, 2, 4, 7, 45, 44, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-02-04T07:45:44Z", MOMENT),
        ("2021-02-04T07:45:44", MOMENT),
        ("2021-02-04t07:45:44z", MOMENT),
        ("2021-02-04 07:45:44", MOMENT),
        ("2021-02-04T07:45", MOMENT - 44 * SECOND),
        ("2021-02-04T07:45:44+00:00", MOMENT),
        ("2021-02-04T07:45:44+0000", MOMENT),
        ("2021-02-04T08:45:44+01:00", MOMENT),
        ("2021-02-04T02:15:44-05:30", MOMENT),
        ("2021-02-04T07:45:44.5Z", MOMENT + SECOND // 2),
        ("2021-02-04T07:45:44.1234567Z", MOMENT + 123_456_700),
        ("2021-02-04T07:45:44.123456789Z", MOMENT + 123_456_789),
        ("2021-02-04T07:45:44.1234567899Z", MOMENT + 123_456_789),
        ("2021-02-04T07: 45: 44", MOMENT),
        ("  2021-02-04T07:45:44Z\n", MOMENT),
        ("2/4/2021 7:45:44 AM", MOMENT),
        ("2/4/2021 7:45:44 PM", MOMENT + 12 * 3600 * SECOND),
        ("2/4/2021 12:45:44 AM", MOMENT - 7 * 3600 * SECOND),
        ("2/4/2021 12:45:44 PM", MOMENT + 5 * 3600 * SECOND),
        ("02/04/2021 07:45:44", MOMENT),
        ("02/04/2021 07:45:44.25", MOMENT + SECOND // 4),
        ("2/4/2021 7:45:44 am +00:00", MOMENT),
        ("2/4/2021 7:45:44 AM +00:00", MOMENT),
        ("2/4/2021, 7:45:44.000 AM", MOMENT),
        ("1970-01-01T00:00:00Z", 0),
    ],
)
def test_a_time_in_a_known_form_is_read(text: str, expected: int) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SOME-ERROR-HERE-T08:44:02.8921579Z",
        "1612424744",
        "2021-02-30T07:45:44Z",
        "2021-02-04T25:45:44Z",
        "2021-02-04",
        "4.2.2021 07:45:44",
        "13/14/2021 7:45:44 AM",
        "2/4/2021 13:45:44 PM",
        "2/4/2021 0:45:44 AM",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59.9999999Z",
        "0001-01-01T00:00:00+14:00",
        "2021-02-04T07:45:44Z and more",
    ],
)
def test_what_is_no_time_is_not_guessed_at(text: str) -> None:
    assert parse_time(text) is None


def test_the_latest_time_is_the_last_nanosecond_of_64_bits() -> None:
    assert parse_time("2262-04-11T23:47:16.854775807Z") == LATEST
    assert parse_time("2262-04-11T23:47:16.854775808Z") is None


DAY_ONE, LAST_YEAR = datetime.fromisoformat("1970-01-02"), datetime.fromisoformat("2262-01-01")
moments = st.datetimes(DAY_ONE, LAST_YEAR, timezones=st.just(UTC))


@given(moments)
def test_a_moment_survives_the_way_there_and_back(moment: datetime) -> None:
    assert as_datetime(as_nanoseconds(moment)) == moment


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_the_same_in_every_zone(moment: datetime, minutes: int) -> None:
    local = moment.astimezone(timezone(timedelta(minutes=minutes)))
    assert parse_time(local.isoformat()) == as_nanoseconds(moment)


@given(moments)
def test_the_us_form_says_the_same_second(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    assert parse_time(f"{whole:%m/%d/%Y %I:%M:%S %p}") == as_nanoseconds(whole)


@given(st.integers(0, LATEST))
def test_a_time_falls_into_its_hour(nanoseconds: int) -> None:
    hour = hour_of(nanoseconds)
    assert (hour.minute, hour.second, hour.microsecond) == (0, 0, 0)
    assert hour <= as_datetime(nanoseconds) < hour + timedelta(hours=1)


@given(st.text(max_size=40))
def test_no_text_is_refused_with_an_error(text: str) -> None:
    found = parse_time(text)
    assert found is None or 0 <= found <= LATEST
