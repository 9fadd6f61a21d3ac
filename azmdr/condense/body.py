"""Bodies: from the body of one event to its records, each said what it is.

Most bodies are alike: an envelope of nothing but records, each spelt without blanks. Such a body is read
once, all its records together; that it is such a one is not guessed but follows from its length. Any
other body is taken apart by :mod:`azmdr.condense.split`, and what comes out is the same.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, TypeAlias

import msgspec

from azmdr.capture.avro_encoding import Bytes
from azmdr.condense.classify import UNREADABLE_FIELD, Classifier, RecordError, StageRecord
from azmdr.condense.passed import Passing
from azmdr.condense.split import Piece, split_body

Row: TypeAlias = StageRecord | Passing | Piece
"""A record, or a piece of the body that could not become one, with the reason."""

_OPENING: Final = re.compile(rb'\{[ \t\r\n]*"records"[ \t\r\n]*:[ \t\r\n]*(?=\[)')
_CLOSING: Final = b"]}"
_LAYOUTS: Final = 10_000
"""Sequences of field names whose length is remembered."""
_UNSURE: Final = -1

_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_Told: TypeAlias = tuple[dict[str, msgspec.Raw], bytes, bool]
"""A record's fields, its text, and whether that is what the fields are encoded as."""


class BodyReader:
    """Reads bodies. One for many of them is faster than one for each, and reads the same."""

    def __init__(self) -> None:
        self._classifier = Classifier()
        self._layouts: dict[tuple[str, ...], int] = {}

    def rows(self, body: Bytes) -> list[Row]:
        """All a body holds, in order. What stays of a record may be a view of it."""
        text = bytes(body)
        records = self._usual_records(text, memoryview(body))
        if records is None:
            return [self._row(piece) for piece in split_body(text)]
        sort = self._classifier.sort
        rows: list[Row] = []
        for fields, content, plain in records:
            try:
                rows.append(sort(fields, content, plain=plain))
            except (msgspec.DecodeError, RecursionError) as error:
                rows.append(Piece(len(rows), content, UNREADABLE_FIELD, str(error)))
        return rows

    def _row(self, piece: Piece) -> Row:
        if piece.broken is not None:
            return piece
        try:
            return self._classifier.classify(piece.content)
        except RecordError as error:
            return replace(piece, broken=error.reason, detail=error.detail)

    def _usual_records(self, body: bytes, view: memoryview) -> Iterable[_Told] | None:
        """The records of a body that is nothing but an envelope of records in UTF-8; None for any other."""
        opening = _OPENING.match(body)
        if opening is None or not body.endswith(_CLOSING):
            return None
        start = opening.end()
        listed = view[start:-1]
        try:
            if not body.isascii():
                body.decode()
            records = _objects.decode(listed)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        lengths = [self._shortest(fields) for fields in records]
        # Between brackets, with a comma between two. None can be shorter, so each is as short as it can be.
        if len(listed) == sum(lengths) + len(lengths) + 1 and _UNSURE not in lengths:
            return _cut(body, start + 1, records, lengths)
        contents = map(bytes, _elements.decode(listed))
        return [
            (fields, content, msgspec.json.encode(fields) == content)
            for fields, content in zip(records, contents, strict=True)
        ]

    def _shortest(self, fields: dict[str, msgspec.Raw]) -> int:
        """How long a record with these fields is at least. Only one text of them is so short."""
        names = tuple(fields)
        around = self._layouts.get(names)
        if around is None:
            if len(self._layouts) >= _LAYOUTS:
                self._layouts.clear()
            around = self._layouts[names] = _around(names)
        return around + sum(map(len, fields.values())) if around >= 0 else _UNSURE


def _cut(
    body: bytes, start: int, records: list[dict[str, msgspec.Raw]], lengths: list[int]
) -> Iterable[_Told]:
    for fields, length in zip(records, lengths, strict=True):
        yield fields, body[start : start + length], True
        start += length + 1


def _around(names: tuple[str, ...]) -> int:
    """The bytes of a record beside its values; unsure where a name has several equally short spellings."""
    spelt = [msgspec.json.encode(name) for name in names]
    if any(one[1:-1] != name.encode() for one, name in zip(spelt, names, strict=True)):
        return _UNSURE
    punctuation = len("{}") + len(names) + max(0, len(names) - 1)
    return punctuation + sum(map(len, spelt))
