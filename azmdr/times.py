"""Times: from the many ways Azure services write one to nanoseconds since 1970, UTC."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

NANOSECONDS: Final = 1_000_000_000
LATEST: Final = 2**63 - 1
"""The last nanosecond a 64-bit time can hold, in the year 2262."""

_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ]\s*(\d\d):\s*(\d\d)(?::\s*(\d\d)(?:\.(\d{1,9})\d*)?)?\s*(Z|[+-]\d\d:?\d\d)?",
    re.IGNORECASE | re.ASCII,
)
_PLAIN: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z", re.ASCII)
"""The form most services write, which can be read in one go."""
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 (a difference to a time without a zone)
_SECOND: Final = timedelta(seconds=1)
_SECONDS: Final = 60
"""Of a minute."""
_US: Final = re.compile(
    # Newer .NET puts a narrow no-break space before AM and PM.
    r"(\d{1,2})/(\d{1,2})/(\d{4}),? (\d{1,2}):(\d\d):(\d\d)(?:\.(?P<fraction>\d{1,9}))?"
    r"(?:[ \u202f](?P<half>[AP]M))?(?: ?(?P<zone>Z|[+-]\d\d:?\d\d))?",
    re.IGNORECASE | re.ASCII,
)


def parse_time(text: str) -> int | None:
    """Nanoseconds since 1970-01-01 UTC, or None when the text is no time that can be read for sure.

    Read are ISO 8601 with up to nine digits of fraction, with blanks after the colons as some services
    write it, with ``Z``, an offset or none (then UTC), and the US form of risk events and capture files,
    ``8/22/2022 6:11:52 PM``, which the portal writes with a comma behind the date. Times before 1970 and
    after 2262 are placeholders, not times.
    """
    stripped = text.strip()
    if _PLAIN.fullmatch(stripped):
        minute, second = _plain_minute(stripped[:16]), int(stripped[17:19])
        if minute is None or second >= _SECONDS:
            return None
        return _bounded((minute + second) * NANOSECONDS + int(stripped[20:-1].ljust(9, "0")))
    if match := _ISO.fullmatch(stripped):
        *parts, fraction, zone = match.groups(default="0")
        year, month, day, hour, minute, second = map(int, parts)
        return _nanoseconds((year, month, day, hour, minute, second), fraction, _offset(zone))
    if match := _US.fullmatch(stripped):
        month, day, year, hour, minute, second = map(int, match.groups()[:6])
        half = (match["half"] or "").upper()
        if half and not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half == "PM") if half else hour
        moment = (year, month, day, hour, minute, second)
        return _nanoseconds(moment, match["fraction"] or "0", _offset(match["zone"] or "Z"))
    return None


@lru_cache(maxsize=1 << 12)  # Records come in the order of their times, many a minute.
def _plain_minute(text: str) -> int | None:
    """Seconds since 1970 of a minute in the plain form; None when there is no such minute."""
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _SECOND
    except ValueError:
        return None


def as_datetime(nanoseconds: int) -> datetime:
    """The aware UTC time, cut to microseconds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanoseconds // 1000)


def as_text(nanoseconds: int) -> str:
    """The UTC time in ISO 8601, cut to microseconds."""
    second, rest = divmod(nanoseconds, NANOSECONDS)
    return f"{_second_text(second)}.{rest // 1000:06}Z" if rest >= 1000 else f"{_second_text(second)}Z"


@lru_cache(maxsize=1 << 14)  # Records come in the order of their times, several a second.
def _second_text(second: int) -> str:
    return f"{as_datetime(second * NANOSECONDS):%Y-%m-%dT%H:%M:%S}"


def as_nanoseconds(moment: datetime) -> int:
    """The inverse of :func:`as_datetime` for an aware time."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * NANOSECONDS + since.microseconds * 1000


def hour_of(nanoseconds: int) -> datetime:
    """The hour a time falls in."""
    return as_datetime(nanoseconds // (3600 * NANOSECONDS) * (3600 * NANOSECONDS))


def _nanoseconds(parts: tuple[int, int, int, int, int, int], fraction: str, offset: timedelta) -> int | None:
    try:
        moment = datetime(*parts, tzinfo=UTC) - offset
    except (ValueError, OverflowError):
        return None
    return _bounded(as_nanoseconds(moment) + int(fraction.ljust(9, "0")))


def _bounded(nanoseconds: int) -> int | None:
    return nanoseconds if 0 <= nanoseconds <= LATEST else None


def _offset(zone: str) -> timedelta:
    if zone in "Zz0":
        return timedelta()
    sign = -1 if zone[0] == "-" else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
