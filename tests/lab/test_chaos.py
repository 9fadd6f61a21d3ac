from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from lab.chaos import LATEST_STEPS, Chaos, delivery_schedule

FILES = [(f"file-{number}", number // 10) for number in range(200)]
shares = st.floats(0, 1)
chaoses = st.builds(Chaos, duplicate=shares, late=shares, reorder=shares, lose=shares)


def sendings_of(chaos: Chaos, seed: int = 7) -> Counter[str]:
    return Counter(sending.file for sending in delivery_schedule(FILES, chaos, seed))


@given(chaoses, st.integers())
def test_a_file_is_announced_once_or_twice_or_never_and_nothing_else_is(chaos: Chaos, seed: int) -> None:
    times = sendings_of(chaos, seed)
    assert times.keys() <= {file for file, _ in FILES}
    assert set(times.values()) <= {1, 2}


@given(chaoses, st.integers())
def test_no_message_comes_before_its_file_nor_later_than_promised(chaos: Chaos, seed: int) -> None:
    written = dict(FILES)
    for sending in delivery_schedule(FILES, chaos, seed):
        assert written[sending.file] <= sending.step <= written[sending.file] + LATEST_STEPS + 2


@given(chaoses, st.integers())
def test_without_loss_every_file_is_announced(chaos: Chaos, seed: int) -> None:
    lossless = Chaos(chaos.duplicate, chaos.late, chaos.reorder, lose=0.0)
    assert len(sendings_of(lossless, seed)) == len(FILES)


def test_a_lost_message_is_never_sent_not_even_as_a_duplicate() -> None:
    assert sendings_of(Chaos(duplicate=1, late=1, reorder=1, lose=1)) == Counter()
    assert 0 < len(FILES) - len(sendings_of(Chaos(duplicate=1, lose=0.2))) < len(FILES) / 2


def test_without_chaos_each_file_is_announced_once_in_order() -> None:
    assert [(one.file, one.step) for one in delivery_schedule(FILES, Chaos(), 7)] == FILES


def test_each_mishap_happens_when_asked_for() -> None:
    assert set(sendings_of(Chaos(duplicate=1)).values()) == {2}
    late = delivery_schedule(FILES, Chaos(late=1), 7)
    assert all(sending.step > dict(FILES)[sending.file] for sending in late)
    mixed = [sending.file for sending in delivery_schedule(FILES, Chaos(reorder=0.5), 7)]
    assert mixed != [file for file, _ in FILES]


@given(chaoses, st.integers())
def test_the_same_seed_gives_the_same_schedule(chaos: Chaos, seed: int) -> None:
    assert delivery_schedule(FILES, chaos, seed) == delivery_schedule(FILES, chaos, seed)
