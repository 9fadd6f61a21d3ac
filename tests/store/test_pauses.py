"""What the store promises about closed lanes: known until they open, and the last word counts."""

from azmdr.azure.pacing import TENANT, Kind, Lane
from azmdr.store.database import Store
from azmdr.store.pauses import note_pauses, pauses
from tests.store.azure_inventory import ONE, at

READS, WRITES = Lane(ONE, Kind.READS), Lane(TENANT, Kind.WRITES)


def test_a_lane_is_closed_until_it_opens(store: Store) -> None:
    with store.write() as connection:
        note_pauses(connection, {READS: at(1), WRITES: at(2)}, at(0))
        assert pauses(connection, at(0.9)) == {READS: at(1), WRITES: at(2)}
        assert pauses(connection, at(1)) == {WRITES: at(2)}
        assert pauses(connection, at(2)) == {}


def test_azures_last_word_counts(store: Store) -> None:
    with store.write() as connection:
        note_pauses(connection, {READS: at(3)}, at(0))
        note_pauses(connection, {READS: at(2)}, at(1))
        assert pauses(connection, at(1)) == {READS: at(2)}


def test_lanes_open_again_are_forgotten(store: Store) -> None:
    with store.write() as connection:
        note_pauses(connection, {READS: at(1)}, at(0))
        note_pauses(connection, {WRITES: at(3)}, at(2))
        assert pauses(connection, at(0)) == {WRITES: at(3)}
