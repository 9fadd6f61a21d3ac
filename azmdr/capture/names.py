"""The names of capture files: what a blob's path says about the events inside it.

Event Hubs Capture names each file by the archive name format of its event hub. A name reaches us in a
queue message or a listing, so it is data from outside: nothing is taken from it unless all of it fits.

Sources: learn.microsoft.com/azure/event-hubs/event-hubs-capture-overview (format, padded dates),
learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules (Microsoft.EventHub),
learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_LONGEST_PATH: Final = 1024
"""Characters in a blob's name, by the rules of Azure Storage."""
_LONGEST_SHOWN: Final = 200
"""Characters of a path that an error message repeats."""

_TIME_TOKENS: Final = {
    "{Year}": r"[0-9]{4}",
    "{Month}": r"[0-9]{2}",
    "{Day}": r"[0-9]{2}",
    "{Hour}": r"[0-9]{2}",
    "{Minute}": r"[0-9]{2}",
    "{Second}": r"[0-9]{2}",
}
_NAME_TOKENS: Final = {
    "{Namespace}": r"(?=[A-Za-z])[A-Za-z0-9-]{6,50}(?<!-)",
    "{EventHub}": r"(?=[A-Za-z0-9])[A-Za-z0-9._-]{1,256}(?<=[A-Za-z0-9])",
    # A leading zero would give one partition two names, and its events two identities.
    "{PartitionId}": r"(?:0|[1-9][0-9]{0,4})",
}
_HOUR_TOKENS: Final = frozenset({"{Year}", "{Month}", "{Day}", "{Hour}"})
_TOKENS: Final = {**_TIME_TOKENS, **_NAME_TOKENS}
_TOKEN: Final = re.compile(r"(\{[^{}]*\})")

_UNSAFE: Final = (
    (re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]"), "holds a control character"),
    (re.compile(r"\\"), "holds a backslash"),
    (re.compile(r"%[0-9A-Fa-f]{2}"), "holds a percent-encoded character"),
    (re.compile(r"\A/"), "is absolute"),
    (re.compile(r"//|/\Z"), "holds an empty segment"),
    (re.compile(r"(?:\A|/)\.{1,2}(?:/|\Z)"), "holds a relative segment"),
)


@dataclass(frozen=True, slots=True)
class CaptureName:
    """What a capture file's name says.

    ``window`` is aware UTC in whole seconds: the moment at which this partition's capture interval was
    met. The events inside were enqueued before it.
    """

    namespace: str
    event_hub: str
    partition_id: str
    window: datetime


class ArchiveNameFormatError(ValueError):
    """An archive name format that Azure would refuse or that names could not be read back from."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text, reason)
        self.text: Final = text
        self.reason: Final = reason

    def __str__(self) -> str:
        return f"the archive name format {_shown(self.text)} {self.reason}"


class CaptureNameError(ValueError):
    """A path that is not the name of a capture file, or a name no capture file can have."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path: Final = path
        self.reason: Final = reason

    def __str__(self) -> str:
        return f"{_shown(self.path)} is no capture file name: {self.reason}"


class ArchiveNameFormat:
    """An archive name format, such as ``{Namespace}/{EventHub}/.../{Second}``, that builds and parses names.

    Azure wants each of the nine tokens once, in any order and with any text between them.

    Raises:
        ArchiveNameFormatError: a token is missing, unknown or stands twice, or the text between the
            tokens would make the path unsafe.
    """

    def __init__(self, text: str) -> None:
        self.text: Final = text
        self._pieces: Final = [piece for piece in _TOKEN.split(text) if piece]
        _check_format(text, self._pieces)
        # Where a name can be split in two ways, the longest and the shortest split differ.
        self._longest: Final = re.compile(_pattern(self._pieces, lazy=False))
        self._shortest: Final = re.compile(_pattern(self._pieces, lazy=True))

    def __repr__(self) -> str:
        return f"ArchiveNameFormat({self.text!r})"

    def build(self, name: CaptureName) -> str:
        """The path of the capture file with this name; ends in ``.avro``. Fractions of a second are dropped.

        Raises:
            CaptureNameError: a part is no name Azure gives, or the window has no time zone.
        """
        values = _token_values(name)
        path = "".join(values.get(piece, piece) for piece in self._pieces) + ".avro"
        for token, pattern in _NAME_TOKENS.items():
            if not re.fullmatch(pattern, values[token]):
                raise CaptureNameError(path, f"{_shown(values[token])} can't stand for {token}")
        if name.window.tzinfo is None:
            raise CaptureNameError(path, "its window has no time zone")
        return path

    def parse(self, path: str) -> CaptureName:
        """What the path says.

        Raises:
            CaptureNameError: the path is unsafe, does not fit this format, fits it in more than one way,
                or holds an impossible date.
        """
        if danger := _danger(path):
            raise CaptureNameError(path, danger)
        longest, shortest = self._longest.fullmatch(path), self._shortest.fullmatch(path)
        if longest is None or shortest is None:
            raise CaptureNameError(path, f"it does not fit {self.text}.avro")
        if longest.groupdict() != shortest.groupdict():
            raise CaptureNameError(path, f"it fits {self.text}.avro in more than one way")
        return _capture_name(path, longest.groupdict())

    def hour_prefix(self, hour: datetime) -> str | None:
        """What all names of one hour begin with, such as ``2026/11/24/09/``.

        None when year, month, day and hour are not this format's first four tokens: then no prefix
        selects an hour.

        Raises:
            ValueError: the hour has no time zone.
        """
        if hour.tzinfo is None:
            raise ValueError(f"the hour {hour.isoformat()} has no time zone")
        tokens = [at for at, piece in enumerate(self._pieces) if piece in _TOKENS]
        if {self._pieces[at] for at in tokens[:4]} != _HOUR_TOKENS:
            return None
        values = _time_values(hour)
        return "".join(values.get(piece, piece) for piece in self._pieces[: tokens[4]])


def parse_capture_name(path: str, formats: Sequence[ArchiveNameFormat]) -> CaptureName:
    """What the path says by the first format it fits.

    Raises:
        CaptureNameError: it fits none; the reason says for each why not.
    """
    reasons: list[str] = []
    for archive_name_format in formats:
        try:
            return archive_name_format.parse(path)
        except CaptureNameError as error:
            reasons.append(error.reason)
    # An unsafe path fails in the same words by every format: say them once.
    raise CaptureNameError(path, "; ".join(dict.fromkeys(reasons)) or "no archive name format is given")


def _check_format(text: str, pieces: Sequence[str]) -> None:
    for token in _TOKENS:
        if (times := pieces.count(token)) != 1:
            raise ArchiveNameFormatError(text, f"holds {token} {times} times, not once")
    between = [piece for piece in pieces if piece not in _TOKENS]
    for piece in between:
        if "{" in piece or "}" in piece:
            raise ArchiveNameFormatError(text, f"holds {piece}, which is no token")
    if danger := _danger("".join("x" if piece in _TOKENS else piece for piece in pieces)):
        raise ArchiveNameFormatError(text, f"would name files wrongly: {danger}")


def _danger(path: str) -> str:
    """Why a path may not be used as a blob's name at all; empty when it may."""
    if not path:
        return "it is empty"
    if len(path) > _LONGEST_PATH:
        return f"it has {len(path)} characters; a blob's name has at most {_LONGEST_PATH}"
    return next((f"it {what}" for pattern, what in _UNSAFE if pattern.search(path)), "")


def _pattern(pieces: Sequence[str], lazy: bool) -> str:
    def of(piece: str) -> str:
        if piece not in _TOKENS:
            return re.escape(piece)
        pattern = _TOKENS[piece].replace("}", "}?") if lazy else _TOKENS[piece]
        return f"(?P<{piece.strip('{}')}>{pattern})"

    return "".join(of(piece) for piece in pieces) + r"\.avro"


def _capture_name(path: str, said: dict[str, str]) -> CaptureName:
    year, month, day, hour, minute, second = (int(said[token.strip("{}")]) for token in _TIME_TOKENS)
    try:
        window = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise CaptureNameError(path, f"its date is impossible: {error}") from None
    return CaptureName(said["Namespace"], said["EventHub"], said["PartitionId"], window)


def _token_values(name: CaptureName) -> dict[str, str]:
    return {
        "{Namespace}": name.namespace,
        "{EventHub}": name.event_hub,
        "{PartitionId}": name.partition_id,
        **_time_values(name.window),
    }


def _time_values(moment: datetime) -> dict[str, str]:
    utc = moment.astimezone(UTC)
    return {
        "{Year}": f"{utc.year:04}",
        "{Month}": f"{utc.month:02}",
        "{Day}": f"{utc.day:02}",
        "{Hour}": f"{utc.hour:02}",
        "{Minute}": f"{utc.minute:02}",
        "{Second}": f"{utc.second:02}",
    }


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")


TIME_FIRST: Final = ArchiveNameFormat(
    "{Year}/{Month}/{Day}/{Hour}/{Namespace}/{EventHub}/{PartitionId}/{Minute}/{Second}"
)
"""Ours: all names of an hour share a prefix, so that listing what is new reads only what is new."""
AZURE_DEFAULT: Final = ArchiveNameFormat(
    "{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}"
)
"""The order the Azure portal proposes."""
