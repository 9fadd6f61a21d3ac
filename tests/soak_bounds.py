"""How long a soak test may go on and which data it makes: what ``make soak SEED=n MINUTES=n`` hands over."""

import os
from dataclasses import dataclass
from typing import Final

_EXAMPLES_A_MINUTE: Final = 200


@dataclass(frozen=True, slots=True)
class SoakBounds:
    """``seed`` makes a run repeatable; ``minutes`` is the wall-clock bound of tests that loop."""

    seed: int
    minutes: float

    @property
    def examples(self) -> int:
        """The bound of property tests, in examples."""
        return max(1, round(self.minutes * _EXAMPLES_A_MINUTE))


def soak_bounds() -> SoakBounds:
    """The bounds from ``SOAK_SEED`` and ``SOAK_MINUTES``; one minute of seed 0 without them."""
    return SoakBounds(
        seed=int(os.environ.get("SOAK_SEED", "0")),
        minutes=float(os.environ.get("SOAK_MINUTES", "1")),
    )
