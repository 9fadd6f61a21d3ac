"""Classifying: what a record is, from its own fields.

A record is either one stage of an operation (Azure writes several records for one operation: it
started, was accepted, succeeded or failed) or it stands for itself and passes through. The rule is
narrow on purpose: the categories Administrative (older exports wrote the verb Write, Delete or Action
instead) and Policy, a stage we know, and an operation name with a slash. Resource logs, sign-ins,
alerts and everything nobody has seen yet pass through.

Most records repeat what others said: the same few categories and stages, the same second, the same
operation. A :class:`Classifier` remembers what such texts mean, which changes no answer.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Generic, TypeVar

import msgspec

from azmdr.condense.facts import Facts, Shape, describe, read_text, subscription_of
from azmdr.condense.identity import DEEPEST, key_digest, record_digest
from azmdr.condense.passed import PassedRecord as PassedRecord
from azmdr.condense.passed import Passing
from azmdr.times import NANOSECONDS, parse_time

INVALID_UTF8: Final = "invalid_utf8"
"""The record holds bytes that are no UTF-8, so no text column could hold it unchanged."""
UNREADABLE_FIELD: Final = "unreadable_field"
"""A field that says what the record is can't be read, for example half of a surrogate pair."""

OPERATION_CATEGORIES: Final = frozenset({"administrative", "write", "delete", "action", "policy"})

_REMEMBERED: Final = 10_000
"""Texts whose meaning is remembered; then all is forgotten, so that hostile input costs only time."""
_LONGEST_REMEMBERED: Final = 2_000

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])

Meaning = TypeVar("Meaning")
Text = TypeVar("Text")


class Stage(StrEnum):
    """How far an operation has come, as one record says it."""

    START = "start"
    ACCEPT = "accept"
    SUCCESS = "success"
    FAILURE = "failure"

    @property
    def terminal(self) -> bool:
        """Whether nothing is expected after it."""
        return self in (Stage.SUCCESS, Stage.FAILURE)


RANKS: Final = tuple(Stage)
"""The stages in their order; a stage's rank is its place here."""
STAGE_NAMES: Final = tuple(stage.value for stage in Stage)
"""The same as plain texts, which are quicker keys than members of an enumeration."""
TERMINAL_RANK: Final = 2
"""Success and failure have this rank or the next."""

_RANKS: Final = {
    "start": 0,
    "started": 0,
    "accept": 1,
    "accepted": 1,
    "success": 2,
    "succeeded": 2,
    "failure": 3,
    "failed": 3,
}


class StageRecord(msgspec.Struct, eq=False, gc=False):
    """A record that is one stage of an operation. Its text and its digest are made when asked for."""

    operation_id: str
    rank: int
    time: int
    """Event time in nanoseconds since 1970, UTC."""
    signature: str | None
    """The result as Azure spells it: ``Accepted.Created``, ``Failed.Forbidden``."""
    policy: bool
    """A policy evaluation: its operation does not wait for more, since most of them never get any."""
    shape: Shape
    fields: dict[str, msgspec.Raw]
    """Its fields, each value as it is spelt."""
    held_content: bytes | None = None
    """None where the record is plain: spelt as its fields are when they are encoded."""
    held_digest: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StageRecord) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)

    @property
    def stage(self) -> Stage:
        """Which stage."""
        return RANKS[self.rank]

    @property
    def content(self) -> bytes:
        """The very bytes that arrived."""
        return msgspec.json.encode(self.fields) if self.held_content is None else self.held_content

    @property
    def digest(self) -> str:
        """The identity of its content, however it is spelt."""
        if self.held_digest is None:
            self.held_digest = record_digest(self.content)
        return self.held_digest


class RecordError(ValueError):
    """A record that can't become a row; ``reason`` is one of this module's constants."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def classify(content: bytes) -> StageRecord | PassedRecord:
    """Say what one record is. ``content`` is a JSON object.

    Raises:
        RecordError: the record can't be kept unchanged in a text column, or a deciding field can't be read.
    """
    record = Classifier().classify(content)
    return record.record() if isinstance(record, Passing) else record


class _Meanings(dict[Text, Meaning], Generic[Text, Meaning]):
    """What texts mean, each read once."""

    def __init__(self, read: Callable[[Text], Meaning], length: Callable[[Text], int]) -> None:
        super().__init__()
        self._read = read
        self._length = length

    def __missing__(self, text: Text) -> Meaning:
        meaning = self._read(text)
        if self._length(text) <= _LONGEST_REMEMBERED:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[text] = meaning
        return meaning


_Key = tuple[bytes, bytes, bytes, bytes]
"""Correlation id, operation name, resource id, tenant id, as a record spells them."""


class Classifier:
    """Says what records are. One for many of them is faster than one for each, and says the same."""

    def __init__(self) -> None:
        self._categories = _Meanings(_category, len)
        self._ranks = _Meanings(_rank, len)
        self._names = _Meanings(_names_an_operation, len)
        self._signatures = _Meanings(read_text, len)
        self._seconds = _Meanings(_second, len)
        self._operations = _Meanings(_operation, _key_length)

    def classify(self, content: bytes) -> StageRecord | Passing:
        """Say what one record is, as :func:`classify` does."""
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RecordError(INVALID_UTF8, f"byte {error.start} of the record") from error
        try:
            fields = _object.decode(content)
            return self.sort(fields, content, plain=msgspec.json.encode(fields) == content)
        except (msgspec.DecodeError, RecursionError) as error:
            raise RecordError(UNREADABLE_FIELD, str(error)) from error

    def sort(self, fields: dict[str, msgspec.Raw], content: bytes, *, plain: bool) -> StageRecord | Passing:
        """Say what a record in UTF-8 is, given its fields too, and whether it is spelt as they are encoded.

        Raises:
            msgspec.DecodeError: a deciding field can't be read.
            RecursionError: the record is nested too deep to have a digest.
        """
        if content.count(b"{") + content.count(b"[") >= DEEPEST:
            record_digest(content)
        try:
            category = self._categories[bytes(fields["category"])]
            # In the other shapes the category may be an object, or one of another name.
            if not category and "TimeGenerated" not in fields and "eventTimestamp" not in fields:
                return Passing(content, fields)
            rank = self._ranks[bytes(fields["resultType"])]
            spelt = bytes(fields["time"])
            second = self._seconds[spelt[1:20]]
        except KeyError:
            return self._sort_unusual(fields, content, plain=plain)
        fraction = spelt[21:28]
        # The usual time has seven digits of fraction: "2026-11-24T09:12:07.1234567Z"
        usual = len(spelt) == _USUAL_TIME and spelt[20] == _DOT and spelt[28] == _ZULU and fraction.isdigit()
        if second is None or not usual or not category:
            return self._sort_unusual(fields, content, plain=plain)
        if rank is None or not self._names[bytes(fields.get("operationName", b""))]:
            return Passing(content, fields)
        signature = fields.get("resultSignature")
        key = (
            bytes(fields.get("correlationId", b"")),
            bytes(fields["operationName"]),
            bytes(fields.get("resourceId", b"")),
            bytes(fields.get("tenantId", b"")),
        )
        return StageRecord(
            self._operations[key] or _operation_id(describe(fields), record_digest(content)),
            rank,
            second + int(fraction) * 100,
            None if signature is None else self._signatures[bytes(signature)],
            category == _POLICY,
            Shape.DIAGNOSTIC_SETTING,
            fields,
            None if plain else content,
        )

    def _sort_unusual(
        self, fields: dict[str, msgspec.Raw], content: bytes, *, plain: bool
    ) -> StageRecord | Passing:
        facts = describe(fields)
        rank = _operation_rank(facts)
        if rank is None or facts.time is None:
            return Passing(content, fields)
        return StageRecord(
            _operation_id(facts, "" if facts.correlation_id else record_digest(content)),
            rank,
            facts.time,
            facts.signature,
            (facts.category or "").lower() == _POLICY,
            facts.shape,
            fields,
            None if plain else content,
        )


_POLICY: Final = "policy"
_USUAL_TIME: Final = len('"2026-11-24T09:12:07.1234567Z"')
_DOT: Final = ord(".")
_ZULU: Final = ord("Z")


def _category(spelt: bytes) -> str:
    """The category in lower case, empty when operations are not of it."""
    category = (read_text(spelt) or "").lower()
    return category if category in OPERATION_CATEGORIES else ""


def _rank(spelt: bytes) -> int | None:
    return _rank_of(read_text(spelt))


def _rank_of(stage: str | None) -> int | None:
    return _RANKS.get((stage or "").strip().rstrip(".").lower())


def _names_an_operation(spelt: bytes) -> bool:
    return "/" in (read_text(spelt) or "")


def _second(spelt: bytes) -> int | None:
    """A time without its fraction, in the one form that is read so, in UTC."""
    if not _USUAL_SECOND.fullmatch(spelt):
        return None
    whole = parse_time(spelt.decode() + "Z")
    return None if whole is None or whole > _LATEST_WHOLE else whole


_USUAL_SECOND: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_LATEST_WHOLE: Final = 2**63 - 1 - NANOSECONDS
"""From here on a fraction may lead past the last time there is."""


def _key_length(key: _Key) -> int:
    return sum(map(len, key))


def _operation(key: _Key) -> str | None:
    """The operation that records belong to which spell these fields so; None when each is one of its own."""
    correlation, name, resource, tenant = map(read_text, key)
    if not correlation:
        return None
    scope = subscription_of(resource) or tenant or ""
    return _key_digest(Shape.DIAGNOSTIC_SETTING, scope, correlation, name, resource)


def _operation_rank(facts: Facts) -> int | None:
    if (facts.category or "").lower() not in OPERATION_CATEGORIES or "/" not in (facts.operation_name or ""):
        return None
    return _rank_of(facts.stage)


def _operation_id(facts: Facts, digest: str) -> str:
    scope = subscription_of(facts.resource_id) or facts.tenant_id or ""
    # Nothing can be said to belong to a record without a correlation id, so it is an operation of its own.
    correlation = facts.correlation_id or f"record {digest}"
    return _key_digest(facts.shape, scope, correlation, facts.operation_name, facts.resource_id)


def _key_digest(shape: Shape, scope: str, correlation: str, name: str | None, resource: str | None) -> str:
    return key_digest(
        shape, scope.lower(), correlation.lower(), (name or "").lower(), (resource or "").lower()
    )
