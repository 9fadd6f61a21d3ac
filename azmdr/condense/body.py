"""Bodies: from the body of one event to its records, each said what it is.

Most bodies are alike: an envelope of nothing but records, each spelt without blanks. Such a body is read
once, all its records together; that it is such a one is not guessed but follows from its length. Any
other body is taken apart by :mod:`azmdr.condense.split`, and what comes out is the same.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import repeat
from operator import eq
from typing import Final

import msgspec

from azmdr.capture.avro_encoding import Bytes
from azmdr.condense.classify import UNREADABLE_FIELD, Classifier, RecordError, StageRecord
from azmdr.condense.passed import Passing
from azmdr.condense.record_layout import RecordLayout, RecordLayouts
from azmdr.condense.split import Piece, split_body

_OPENING: Final = re.compile(rb'\{[ \t\r\n]*"records"[ \t\r\n]*:[ \t\r\n]*(?=\[)')
_CLOSING: Final = b"]}"

_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_elements = msgspec.json.Decoder(list[msgspec.Raw])


class Rows(msgspec.Struct, gc=False):
    """What a body holds, by what it is, each in the order of the body."""

    staged: list[StageRecord] = []
    passing: list[Passing] = []
    broken: list[Piece] = []
    """What could not become a row, with its place in the body and the reason."""

    def __len__(self) -> int:
        return len(self.staged) + len(self.passing) + len(self.broken)


class BodyReader:
    """Reads bodies. One for many of them is faster than one for each, and reads the same."""

    def __init__(self) -> None:
        self._classifier = Classifier()
        self._layouts = RecordLayouts()

    def rows(self, body: Bytes) -> Rows:
        """All a body holds. What stays of a record may be a view of it."""
        text = bytes(body)
        rows = Rows()
        if not self._read_usual(text, memoryview(body), rows):
            for piece in split_body(text):
                self._add(rows, piece)
        return rows

    def _add(self, rows: Rows, piece: Piece) -> None:
        if piece.broken is None:
            try:
                record = self._classifier.classify(piece.content)
            except RecordError as error:
                rows.broken.append(replace(piece, broken=error.reason, detail=error.detail))
                return
            if isinstance(record, StageRecord):
                rows.staged.append(record)
            else:
                rows.passing.append(record)
        else:
            rows.broken.append(piece)

    def _read_usual(self, body: bytes, view: memoryview, rows: Rows) -> bool:
        """Read a body that is nothing but an envelope of records in UTF-8; nothing is done of any other."""
        opening = _OPENING.match(body)
        if opening is None or not body.endswith(_CLOSING):
            return False
        start = opening.end()
        listed = view[start:-1]
        try:
            if not body.isascii():
                body.decode()
            records = _objects.decode(listed)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        layouts = [self._layouts[tuple(fields)] for fields in records]
        lengths = [
            layout.length + sum(map(len, fields.values()))
            for layout, fields in zip(layouts, records, strict=True)
        ]
        # Between brackets, with a comma between two. None can be shorter, so each is as short as it can be.
        if len(listed) == sum(lengths) + len(lengths) + 1:
            contents = _cut(body, start + 1, lengths)
            self._sort(records, layouts, contents, repeat(True), rows)
        else:
            contents = [bytes(element) for element in _elements.decode(listed)]
            plain = map(eq, map(msgspec.json.encode, records), contents)
            self._sort(records, layouts, contents, plain, rows)
        return True

    def _sort(
        self,
        records: Sequence[dict[str, msgspec.Raw]],
        layouts: Sequence[RecordLayout],
        contents: Sequence[bytes],
        plain: Iterable[bool],
        rows: Rows,
    ) -> None:
        sort, staged, passing = self._classifier.sort, rows.staged.append, rows.passing.append
        for fields, layout, content, as_encoded in zip(records, layouts, contents, plain, strict=False):
            try:
                record = sort(fields, content, layout, plain=as_encoded)
            except (msgspec.DecodeError, RecursionError) as error:
                rows.broken.append(Piece(len(rows), content, UNREADABLE_FIELD, str(error)))
                continue
            if isinstance(record, StageRecord):
                staged(record)
            else:
                passing(record)


def _cut(body: bytes, start: int, lengths: Sequence[int]) -> list[bytes]:
    """The records of a list in which one comes a byte behind the other."""
    contents = []
    for length in lengths:
        contents.append(body[start : start + length])
        start += length + 1
    return contents
