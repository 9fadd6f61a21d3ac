"""The hostile corpus: input nobody should send and somebody does, and what becomes of it, as a page.

    .venv/bin/python -m tests.condense.hostile

writes the tables of ``docs/hostile-records.md`` anew. What they say is not written by hand: each piece of
input is condensed as a capture file, and looked for in the lake.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from azmdr.condense import classify, split
from azmdr.condense.local import LocalCondensing
from azmdr.condense.members import rebuild_records
from azmdr.condense.sources import MAX_BODY_BYTES
from azmdr.lake.layout import Table
from azmdr.lake.read import read_latest
from azmdr.lake.storage import DirectoryLake, LakeStorage
from tests.condense.capture_files import CUSTOMER, CaptureFile, Event, capture_file
from tests.condense.records import NOON, envelope, resource_log_bytes, stage_bytes
from tests.shared_samples import REPOSITORY

PAGE: Final = REPOSITORY / "docs" / "hostile-records.md"
BEGIN: Final = "<!-- made by tests/condense/hostile.py -->"
END: Final = "<!-- end -->"

LOG, START, SUCCESS = resource_log_bytes("pod", 1), stage_bytes("start"), stage_bytes("success", 2)
NEXT: Final = resource_log_bytes("the one behind", 3)


@dataclass(frozen=True, slots=True)
class HostileField:
    """Something in a record: a field, or several, as they are spelt behind its others."""

    name: str
    spelt: bytes
    shown: str = ""

    def within(self, record: bytes) -> bytes:
        return record[:-1] + b"," + self.spelt + b"}"


@dataclass(frozen=True, slots=True)
class HostileBody:
    """A body of an event, and the pieces of it that must not be lost."""

    name: str
    body: bytes
    held: tuple[bytes, ...]
    shown: str = ""


def _nested(levels: int) -> bytes:
    return b'"x":' + b"[" * levels + b"]" * levels


FIELDS: Final = (
    HostileField("a decimal of 34 digits", b'"x":12345678901234567.89012345678901234'),
    HostileField("a number no float holds", b'"x":1e400'),
    HostileField("minus zero", b'"x":-0.0'),
    HostileField("an integer of 23 digits", b'"x":12345678901234567890123'),
    HostileField("the escape of NUL", b'"x":"a\\u0000b"'),
    HostileField("a key that stands twice", b'"x":1,"x":2'),
    HostileField("an empty key", b'"":""'),
    HostileField("an escaped key", b'"\\u0078\\/":1'),
    HostileField("blanks and line breaks between tokens", b' "x" :\r\n\t1 ', '` "x" :` CR LF TAB `1 `'),
    HostileField("a hundred levels", _nested(100), '`"x":[[[...]]]`'),
    HostileField("300 levels", _nested(300), '`"x":[[[...]]]`'),
    HostileField("2,000 levels", _nested(2000), '`"x":[[[...]]]`'),
    HostileField("half a surrogate pair", b'"x":"\\ud800"'),
    HostileField("bytes that are no UTF-8", b'"x":"\xff\xfe"', '`"x":"` FF FE `"`'),
    HostileField("a line break in a text", b'"x":"two\nlines"', '`"x":"two` LF `lines"`'),
    HostileField("NUL in a text", b'"x":"a\x00b"', '`"x":"a` NUL `b"`'),
    HostileField("NaN", b'"x":NaN'),
    HostileField("infinity", b'"x":-Infinity'),
    HostileField("single quotes", b"\"x\":{'a':'b'}"),
    HostileField("a note where a value was", b'"x":[ 227 B blob data ]'),
    HostileField("a comma too many", b'"x":1,'),
)

BODIES: Final = (
    HostileBody("a byte order mark", b"\xef\xbb\xbf" + envelope(LOG, START), (LOG, START), "BOM `{...}`"),
    HostileBody("a list of records", b"[%s,%s]" % (LOG, START), (LOG, START), "`[{...},{...}]`"),
    HostileBody(
        "a list of envelopes",
        b"[%s,%s]" % (envelope(LOG), envelope(START)),
        (LOG, START),
        '`[{"records":[...]},{"records":[...]}]`',
    ),
    HostileBody("a record alone", LOG, (LOG,), "`{...}`"),
    HostileBody(
        "records glued together", b'{"records":[%s%s]}' % (LOG, START), (LOG, START), "`[{...}{...}]`"
    ),
    HostileBody(
        "envelopes glued together",
        envelope(LOG) + envelope(START),
        (LOG, START),
        '`{"records":[...]}{"records":[...]}`',
    ),
    HostileBody("records as lines", b"%s\n%s\n" % (LOG, START), (LOG, START), "`{...}` LF `{...}`"),
    HostileBody(
        "an envelope without its beginning", b"%s,%s]}" % (LOG, START), (LOG, START), "`{...},{...}]}`"
    ),
    HostileBody(
        "an envelope without its end",
        envelope(LOG, START)[:-9],
        (LOG, START[:-7]),
        '`{"records":[{...},{.`',
    ),
    HostileBody("records as a text", b'{"records":"text"}', (b'{"records":"text"}',)),
    HostileBody("records as an object", b'{"records":{"time":"1"}}', (b'{"records":{"time":"1"}}',)),
    HostileBody(
        "elements that are no objects",
        b'{"records":["text",%s,7,null]}' % LOG,
        (b'"text"', LOG, b"7", b"null"),
        '`{"records":["text",{...},7,null]}`',
    ),
    HostileBody(
        "more in the envelope than records",
        b'{"source":"x","records":[%s]}' % LOG,
        (b'{"source":"x"}', LOG),
        '`{"source":"x","records":[...]}`',
    ),
    HostileBody(
        "an envelope that repeats a key",
        b'{"records":[%s],"records":[%s]}' % (LOG, START),
        (b'{"records":[%s],"records":[%s]}' % (LOG, START),),
        '`{"records":[...],"records":[...]}`',
    ),
    HostileBody("no JSON at all", b"Message 7", (b"Message 7",)),
    HostileBody("bytes that are no text", b"\x00\xff\xfe", (b"\x00\xff\xfe",), "NUL FF FE"),
    HostileBody("an object that is no record", b'{"json":"valid"}', (b'{"json":"valid"}',)),
)

PASSED: Final = "passes through, byte for byte"
CONDENSED: Final = "condensed, byte for byte"
LOST: Final = "lost"
_OF_A_PYTHON: Final = frozenset({split.NOT_JSON, classify.UNREADABLE_FIELD})
"""Which of the two a record of 2,000 levels is, Python's version decides."""


def file_with(*bodies: bytes) -> CaptureFile:
    """A capture file of these bodies, with an event behind them that ends the operation."""
    events = [
        Event(number, body, NOON + timedelta(seconds=number))
        for number, body in enumerate([*bodies, envelope(SUCCESS)])
    ]
    return capture_file(events)


def body_of(hostile: HostileField, record: bytes) -> bytes:
    """A body with a hostile record before one that is not."""
    return envelope(hostile.within(record), NEXT)


def lake_of(file: CaptureFile, folder: Path) -> DirectoryLake:
    """The lake a capture file becomes."""
    path = folder / file.path
    path.parent.mkdir(parents=True)
    path.write_bytes(file.content)
    lake = DirectoryLake(folder / "lake")
    LocalCondensing(lake, customer="local", max_body_bytes=MAX_BODY_BYTES).condense([path], lambda _: None)
    return lake


def found(lake: LakeStorage) -> dict[bytes, str]:
    """By each record and piece the lake has: what became of it."""
    told: dict[bytes, str] = {}
    for row in read_latest(lake, CUSTOMER, Table.ACTIVITY_RECORDS).iter_rows(named=True):
        told[row["record"].encode()] = PASSED
    for row in read_latest(lake, CUSTOMER, Table.OPERATIONS).iter_rows(named=True):
        told.update(dict.fromkeys(rebuild_records(row["operation"], row["members"]), CONDENSED))
    for row in read_latest(lake, CUSTOMER, Table.QUARANTINED_RECORDS).iter_rows(named=True):
        told[row["content"]] = f"quarantined whole, `{row['reason']}`"
    return told


def _verdicts(body: bytes, held: Sequence[bytes]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        told = found(lake_of(file_with(body), Path(folder)))
    return [told.get(piece, LOST) for piece in held]


def _field_row(hostile: HostileField) -> str:
    verdicts = [_verdicts(body_of(hostile, record), [hostile.within(record)])[0] for record in (LOG, START)]
    if hostile.spelt == _nested(2000):
        either = " or ".join(f"`{reason}`" for reason in sorted(_OF_A_PYTHON))
        verdicts = [verdict.partition("`")[0] + either for verdict in verdicts]
    return f"| {hostile.name} | {hostile.shown or _code(hostile.spelt)} | {verdicts[0]} | {verdicts[1]} |"


def _body_row(hostile: HostileBody) -> str:
    verdicts = dict.fromkeys(_verdicts(hostile.body, hostile.held))
    return f"| {hostile.name} | {hostile.shown or _code(hostile.body)} | {'; '.join(verdicts)} |"


def _code(spelt: bytes) -> str:
    return f"`{spelt.decode()}`"


def tables() -> str:
    """Both tables of the page, as things are."""
    return "\n".join(
        [
            "| in a record | for example | a record that stands for itself | a stage of an operation |",
            "| --- | --- | --- | --- |",
            *map(_field_row, FIELDS),
            "",
            "| a body that is | for example | what becomes of what is in it |",
            "| --- | --- | --- |",
            *map(_body_row, BODIES),
        ]
    )


def parts_of(page: str) -> tuple[str, str, str]:
    """What stands before the tables of the page, the tables, and what stands behind them."""
    before, _, rest = page.partition(BEGIN)
    made, _, after = rest.partition(END)
    return before, made.strip(), after


if __name__ == "__main__":
    before, _, after = parts_of(PAGE.read_text())
    PAGE.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{after}")
