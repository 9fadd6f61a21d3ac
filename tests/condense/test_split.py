"""What splitting promises: every record's own bytes, and one broken record costs one record."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azmdr.condense import split
from azmdr.condense.split import split_body
from tests.condense.records import envelope

A, B, C = b'{"time":"1","a":1}', b'{"time":"2", "b": 1.10}', b'{"category":"x","c":"\\u00e4"}'


def good(body: bytes) -> list[bytes]:
    return [piece.content for piece in split_body(body) if piece.broken is None]


def broken(body: bytes) -> list[tuple[bytes, str]]:
    return [(piece.content, piece.broken) for piece in split_body(body) if piece.broken is not None]


@pytest.mark.parametrize(
    "body",
    [
        b'{"records":[%s,%s]}' % (A, B),
        b'{"records": [%s, %s]}' % (A, B),
        b'\xef\xbb\xbf{"records":[%s,%s]}' % (A, B),
        b' \r\n{ "records" :\t[ %s\n,\n%s ] }\n' % (A, B),
        b"[%s,%s]" % (A, B),
        b'[{"records":[%s]},{"records":[%s]}]' % (A, B),
        b'[{"records":[%s]},%s]' % (A, B),
    ],
    ids=["plain", "blank", "byte-order-mark", "pretty", "list", "list-of-envelopes", "mixed-list"],
)
def test_every_envelope_gives_its_records_byte_for_byte(body: bytes) -> None:
    assert good(body) == [A, B]
    assert broken(body) == []


def test_a_record_without_an_envelope_is_a_record() -> None:
    assert good(A) == good(b" \n" + A + b"\t ") == [A]


@pytest.mark.parametrize("body", [b"", b" \n\t", b"\xef\xbb\xbf", b'{"records":[]}', b"[]", b"[ ]"])
def test_nothing_has_no_pieces(body: bytes) -> None:
    assert split_body(body) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"Message 7", split.NOT_JSON),
        (b",a message, and more,", split.NOT_JSON),
        (b'Message with quotes " `', split.NOT_JSON),
        (b'"text"', split.NOT_JSON),
        (b"\x00\xff\xfe", split.NOT_JSON),
        (b'{"json":"valid"}', split.NO_RECORDS),
        (b'{"records":"text"}', split.NO_RECORDS),
        (b'{"records":{"time":"1"}}', split.NO_RECORDS),
    ],
)
def test_a_body_without_records_is_one_broken_piece_whole(body: bytes, reason: str) -> None:
    assert broken(body) == [(body, reason)]
    assert good(body) == []


def test_an_element_that_is_no_object_is_broken_alone() -> None:
    body = b'{"records":["text",%s,[1],null,7]}' % A
    assert good(body) == [A]
    assert [content for content, reason in broken(body) if reason == split.NOT_AN_OBJECT] == [
        b'"text"',
        b"[1]",
        b"null",
        b"7",
    ]


def test_what_an_envelope_says_beside_its_records_is_kept() -> None:
    body = b'{"source":"x","records":[%s],"count":1}' % A
    assert good(body) == [A]
    assert broken(body) == [(b'{"source":"x","count":1}', split.ENVELOPE_FIELDS)]


def test_an_envelope_that_says_records_twice_is_kept_whole() -> None:
    twice = b'{"records":[%s],"records":[%s]}' % (A, B)
    assert broken(twice) == [(twice, split.AMBIGUOUS_ENVELOPE)]


def test_white_space_around_the_envelope_is_only_white_space() -> None:
    body = b" " * 200 + b'{"records"' + b"\n" * 200 + b": [%s] }" % A
    assert good(body) == [A]


SINGLE_QUOTES = b"""{"time":"9","properties":{'a':'b'}}"""
NOT_A_NUMBER = b'{"time":"9","x":NaN}'
CONTROL = b'{"time":"9","message":"two\nlines"}'
BLOB = b'{"time":"9","properties": [ 227 B blob data ]}'
DAMAGES = [SINGLE_QUOTES, NOT_A_NUMBER, CONTROL, BLOB]


@pytest.mark.parametrize("damage", DAMAGES, ids=["single-quotes", "nan", "control-character", "blob-data"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_broken_record_costs_one_record(damage: bytes, place: int) -> None:
    records = [A, B, C]
    records.insert(place, damage)
    assert good(envelope(*records)) == [A, B, C]
    assert broken(envelope(*records)) == [(damage, split.NOT_JSON)]


@pytest.mark.parametrize("damage", [SINGLE_QUOTES, BLOB], ids=["single-quotes", "blob-data"])
def test_a_broken_last_record_keeps_what_closes_the_list(damage: bytes) -> None:
    # Where something broken ends can't be known when nothing follows it.
    assert good(envelope(A, B, damage)) == [A, B]
    assert broken(envelope(A, B, damage)) == [(damage + b"]}", split.NOT_JSON)]


def test_several_broken_records_cost_themselves() -> None:
    body = envelope(SINGLE_QUOTES, A, NOT_A_NUMBER, B, BLOB, C, CONTROL)
    assert good(body) == [A, B, C]
    assert [content for content, _ in broken(body)] == [SINGLE_QUOTES, NOT_A_NUMBER, BLOB, CONTROL]


def test_an_object_inside_a_broken_record_is_not_taken_for_a_record() -> None:
    damage = b"""{"time":"9",'parts':[{"a":1},{"b":2}]}"""
    assert good(envelope(A, damage, B)) == [A, B]
    assert broken(envelope(A, damage, B)) == [(damage, split.NOT_JSON)]


@pytest.mark.parametrize("noise", [b"garbage", b"'", b'"', b"[", b"{", b"}", b"7 8", b"\x00"])
@pytest.mark.parametrize("place", [0, 1])
def test_noise_in_the_place_of_a_record_costs_no_other(noise: bytes, place: int) -> None:
    records = [A, B]
    records.insert(place, noise)
    assert good(envelope(*records)) == [A, B]


def test_pieces_are_numbered_in_the_order_of_the_body() -> None:
    pieces = split_body(envelope(A, SINGLE_QUOTES, B))
    assert [(piece.index, piece.content) for piece in pieces] == [(0, A), (1, SINGLE_QUOTES), (2, B)]


def test_bytes_that_are_no_text_cost_one_record() -> None:
    damage = b'{"time":"9","x":"\xff\xfe"}'
    pieces = split_body(envelope(A, damage, B))
    assert [piece.content for piece in pieces] == [A, damage, B]


def test_half_a_surrogate_pair_is_left_as_it_is() -> None:
    half = b'{"time":"9","x":"\\ud800"}'
    assert [piece.content for piece in split_body(envelope(A, half, B))] == [A, half, B]


@pytest.mark.parametrize(
    "body",
    [
        b'{"records":[%s%s]}' % (A, B),
        b'{"records":[%s]}{"records":[%s]}' % (A, B),
        b'{"records":[%s]}\r\n{"records":[%s]}\r\n' % (A, B),
        b'{"records":[]}, {"records":[%s,%s]}' % (A, B),
        b"%s%s" % (A, B),
        b"%s\n%s\n" % (A, B),
        b"%s,%s]}" % (A, B),
    ],
    ids=["records", "envelopes", "lines-of-envelopes", "an-empty-one", "no-envelope", "lines", "cut-opening"],
)
def test_what_is_glued_together_comes_apart(body: bytes) -> None:
    assert good(body) == [A, B]
    assert broken(body) == []


def test_a_broken_line_among_records_without_an_envelope_costs_itself() -> None:
    body = b"\n".join([A, SINGLE_QUOTES, B])
    assert [piece.content for piece in split_body(body)] == [A, SINGLE_QUOTES, B]
    assert good(body) == [A, B]


def test_a_list_of_records_inside_a_record_is_the_record_s_own() -> None:
    inner = b'{"time":"3","records":[%s]}' % A
    assert good(B + inner) == [B, inner]


def test_what_is_cut_off_is_one_broken_piece() -> None:
    body = envelope(A, B, C)
    cut = body[: body.index(C) + 9]
    assert good(cut) == [A, B]
    assert broken(cut) == [(C[:9], split.NOT_JSON)]


def test_what_stands_before_a_broken_list_of_records_is_kept() -> None:
    body = b'{"source":"x","records":[%s,%s,%s]}' % (A, SINGLE_QUOTES, B)
    assert good(body) == [A, B]
    kept = b"".join(content for content, _ in broken(body))
    assert b'"source":"x"' in kept
    assert SINGLE_QUOTES in kept


def nested(levels: int) -> bytes:
    return b'{"time":"9","x":' + b"[" * levels + b"]" * levels + b"}"


def test_a_hundred_levels_pass() -> None:
    assert good(envelope(A, nested(100), B)) == [A, nested(100), B]


def test_two_thousand_levels_cost_one_record() -> None:
    body = envelope(A, nested(2000), B)
    # How deep JSON is read differs between Pythons; read or not, the record is one piece.
    assert [piece.content for piece in split_body(body)] == [A, nested(2000), B]
    assert [record for record in good(body) if record != nested(2000)] == [A, B]
    assert broken(body) in ([], [(nested(2000), split.NOT_JSON)])


blanks = st.text(" \t\r\n", max_size=40).map(str.encode)
texts = st.text(st.characters(codec="utf-8"), max_size=10)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def marked_records(draw: st.DrawFn) -> bytes:
    """A JSON object with a field that marks it as a record, in one of several spellings."""
    fields: dict[str, Any] = draw(st.dictionaries(texts, json_values, max_size=4))
    fields.pop("records", None)
    mark = draw(st.sampled_from(sorted(split.RECORD_MARKS)))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:")]))
    told = {**fields, mark: draw(json_values)}
    return json.dumps(told, separators=separators, ensure_ascii=draw(st.booleans())).encode()


@given(st.lists(marked_records(), max_size=6), blanks, blanks, st.data())
def test_records_come_out_as_the_very_bytes_they_are(
    records: list[bytes], before: bytes, after: bytes, data: st.DataObject
) -> None:
    joined = b",".join(data.draw(blanks) + record + data.draw(blanks) for record in records)
    body = before + b"{" + after + b'"records"' + before + b":" + after + b"[" + joined + b"]" + before + b"}"
    assert good(body) == records
    assert broken(body) == []


garbage = st.binary(min_size=1, max_size=30)


@given(st.lists(marked_records(), min_size=1, max_size=4), garbage, st.data())
def test_garbage_between_records_costs_no_record_and_no_byte(
    records: list[bytes], noise: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(records)))
    pieces = [*records[:place], b"@" + noise + b"@", *records[place:]]
    body = b'{"records":[' + b",".join(pieces) + b"]}"
    assert [one for one in good(body) if one in records] == records
    told = b"".join(piece.content for piece in split_body(body))
    assert significant(told) == significant(b"".join(pieces))


@given(
    st.binary(max_size=80) | st.text(alphabet='{}[]",:records time1\n\x1f\xa0', max_size=60).map(str.encode)
)
def test_no_body_is_refused_and_no_byte_of_it_lost(noise: bytes) -> None:
    body = b'{"records":[' + A + b"," + noise
    told = b"".join(piece.content for piece in split_body(body))
    for byte in set(significant(noise)):
        assert significant(noise).count(byte) <= significant(told).count(byte)


def significant(content: bytes) -> bytes:
    """Without what separates records in a list and closes it."""
    return re.sub(rb"[ \t\r\n,\[\]{}]", b"", content)


def test_a_body_made_to_be_searched_over_and_over_ends_as_one_broken_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Counting(json.JSONDecoder):
        searches = 0

        def raw_decode(self, text: str, start: int = 0) -> tuple[Any, int]:
            Counting.searches += 1
            return super().raw_decode(text, start)

    monkeypatch.setattr(split, "_lenient", Counting(strict=False))
    braces = 110_000
    hostile = b'{"records":[{"time":NaN,"a":[' + b'{},{"a":[' * braces
    assert [piece.broken for piece in split_body(hostile)] == [split.NOT_JSON]
    assert Counting.searches < braces / 10
