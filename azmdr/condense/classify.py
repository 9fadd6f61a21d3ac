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
from azmdr.condense.identity import DEEPEST, digest_of_spelt, key_digest, record_digest
from azmdr.condense.passed import PassedRecord as PassedRecord
from azmdr.condense.passed import Passing
from azmdr.condense.record_layout import RecordLayout, RecordLayouts
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
    layout: RecordLayout
    """The names of its fields."""
    values: tuple[msgspec.Raw, ...]
    """Their values, each as it is spelt."""
    moment: bytes | None = None
    """The JSON text of its time, where it is the usual one, ``"2026-11-24T09:12:07.1234567Z"``."""
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
    def fields(self) -> dict[str, msgspec.Raw]:
        """Its fields, each value as it is spelt."""
        return dict(zip(self.layout.names, self.values, strict=True))

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
    record = _classifier.classify(content)
    return record.record() if isinstance(record, Passing) else record


class _Meanings(dict[bytes, Meaning], Generic[Meaning]):
    """What texts mean, each read once."""

    def __init__(self, read: Callable[[bytes], Meaning]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: bytes) -> Meaning:
        meaning = self._read(text)
        if len(text) <= _LONGEST_REMEMBERED:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[text] = meaning
        return meaning


class Classifier:
    """Says what records are. One for many of them is faster than one for each, and says the same."""

    def __init__(self) -> None:
        self._categories = _Meanings(_category)
        self._kinds = _Meanings(_kind)
        self._minutes = _Meanings(_minute)
        self._operations = _Meanings(_operation)
        self._layouts = RecordLayouts()

    def classify(self, content: bytes) -> StageRecord | Passing:
        """Say what one record is, as :func:`classify` does."""
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RecordError(INVALID_UTF8, f"byte {error.start} of the record") from error
        try:
            fields = _object.decode(content)
            plain = msgspec.json.encode(fields) == content
            return self.sort(fields, content, self._layouts[tuple(fields)], plain=plain)
        except (msgspec.DecodeError, RecursionError) as error:
            raise RecordError(UNREADABLE_FIELD, str(error)) from error

    def sort(
        self, fields: dict[str, msgspec.Raw], content: bytes, layout: RecordLayout, *, plain: bool
    ) -> StageRecord | Passing:
        """Say what a record in UTF-8 is, given its fields too, and whether it is spelt as they are encoded.

        Raises:
            msgspec.DecodeError: a deciding field can't be read.
            RecursionError: the record is nested too deep to have a digest.
        """
        openings = content.count(b"{")
        if b"[" in content:
            openings += content.count(b"[")
        if openings >= DEEPEST:
            record_digest(content)
        try:
            # In the other shapes the category may be an object, or one of another name.
            if (
                not self._categories[b"" + fields["category"]]
                and "TimeGenerated" not in fields
                and "eventTimestamp" not in fields
            ):
                return Passing(content, fields)
            moment = b"" + fields["time"]
            signature = fields.get("resultSignature", b"")
            kind = self._kinds[_SEPARATOR.join((fields["category"], fields["resultType"], signature))]
            name, resource, tenant = (
                fields["operationName"],
                fields["resourceId"],
                fields.get("tenantId", b""),
            )
            key = _SEPARATOR.join((fields["correlationId"], name, resource, tenant))
            operation_id = self._operations[key]
        except KeyError:
            return self._sort_unusual(fields, content, layout, plain=plain)
        # The usual time has seven digits of fraction: "2026-11-24T09:12:07.1234567Z"
        minute = self._minutes[moment[:18]]
        digits = moment[18:20] + moment[21:28]
        usual = len(moment) == _USUAL_TIME and moment[20] == _DOT and moment[28] == _ZULU and digits.isdigit()
        if minute is None or not usual or digits >= _A_MINUTE or kind is None or operation_id is None:
            return self._sort_unusual(fields, content, layout, plain=plain)
        rank, told, policy = kind
        return StageRecord(
            operation_id,
            rank,
            minute + int(digits) * 100,
            told,
            policy,
            Shape.DIAGNOSTIC_SETTING,
            layout,
            tuple(fields.values()),
            moment,
            None if plain else content,
        )

    def _sort_unusual(
        self, fields: dict[str, msgspec.Raw], content: bytes, layout: RecordLayout, *, plain: bool
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
            layout,
            tuple(fields.values()),
            None,
            None if plain else content,
        )


_SEPARATOR: Final = b"\0"
"""Stands in no JSON text."""
_POLICY: Final = "policy"
_USUAL_TIME: Final = len('"2026-11-24T09:12:07.1234567Z"')
_DOT: Final = ord(".")
_ZULU: Final = ord("Z")


def _category(spelt: bytes) -> str:
    """The category in lower case, empty when operations are not of it."""
    category = (read_text(spelt) or "").lower()
    return category if category in OPERATION_CATEGORIES else ""


def _kind(spelt: bytes) -> tuple[int, str | None, bool] | None:
    """The rank of a stage record, its signature, and whether it is of a policy; None where that is unsure."""
    category, stage, signature = spelt.split(_SEPARATOR)
    rank = _rank_of(read_text(stage))
    if rank is None or not _category(category):
        return None
    return rank, read_text(signature), _category(category) == _POLICY


def _rank_of(stage: str | None) -> int | None:
    return _RANKS.get((stage or "").strip().rstrip(".").lower())


def _minute(spelt: bytes) -> int | None:
    """When a minute begins, ``"2026-11-24T09:12:`` as a usual time begins; None where that is unsure."""
    whole = parse_time(spelt[1:].decode() + "00Z") if _USUAL_MINUTE.fullmatch(spelt) else None
    return None if whole is None or whole > _LATEST_WHOLE else whole


_USUAL_MINUTE: Final = re.compile(rb'"\d{4}-\d\d-\d\dT\d\d:\d\d:')
_LATEST_WHOLE: Final = 2**63 - 1 - 60 * NANOSECONDS
"""From here on a minute may lead past the last time there is."""
_A_MINUTE: Final = b"6"
"""More than the digits of any second and its fraction."""


def _operation(spelt: bytes) -> str | None:
    """The operation of records that spell the fields of the key so; None where they have to be looked at."""
    if b"\\" in spelt or not spelt.isascii():
        return None
    parts = spelt.lower().split(_SEPARATOR)
    if parts[_TENANT] in (b"", b"null"):
        parts[_TENANT] = b'""'
    if not all(part.startswith(b'"') for part in parts):
        return None
    correlation, name, resource, tenant = parts
    if correlation == b'""' or b"/" not in name:
        return None
    subscription = _SUBSCRIPTION.match(resource)
    scope = subscription[1] if subscription else tenant[1:-1]
    return digest_of_spelt(b'"diagnostic_setting"', b'"%b"' % scope, correlation, name, resource)


_TENANT: Final = 3
_SUBSCRIPTION: Final = re.compile(rb'"/subscriptions/([^/"]+)')


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


_classifier: Final = Classifier()
"""One for all records that are read alone."""
