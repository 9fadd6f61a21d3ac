"""A plot of a few curves, each with its own scale, written as SVG: no library is needed for that."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from pathlib import Path
from typing import Final

_WIDTH: Final = 300
_HEIGHT: Final = 220
_LEFT: Final = 46
_TOP: Final = 28
_BETWEEN: Final = 40
_BELOW: Final = 44


@dataclass(frozen=True, slots=True)
class Curve:
    """What was measured against what: points of amount and cost, both above 0."""

    title: str
    points: Sequence[tuple[float, float]]


def write_plot(path: Path, curves: Sequence[Curve], cost: str) -> None:
    """Write curves side by side. Both axes go by powers of ten, so growth in proportion is straight."""
    width = len(curves) * (_LEFT + _WIDTH + _BETWEEN)
    height = _TOP + _HEIGHT + _BELOW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for number, curve in enumerate(curves):
        parts += _drawn(curve, cost, number * (_LEFT + _WIDTH + _BETWEEN) + _LEFT)
    path.write_text("\n".join([*parts, "</svg>", ""]))


def _drawn(curve: Curve, cost: str, left: float) -> list[str]:
    amounts, costs = zip(*curve.points, strict=True)
    lowest, highest = log10(min(amounts)), log10(max(amounts))
    cheapest, dearest = log10(min(costs)), log10(max(costs))
    bottom = _TOP + _HEIGHT

    def place(amount: float, spent: float) -> tuple[float, float]:
        along = (log10(amount) - lowest) / ((highest - lowest) or 1)
        up = (log10(spent) - cheapest) / ((dearest - cheapest) or 1)
        return left + 10 + along * (_WIDTH - 20), bottom - 14 - up * (_HEIGHT - 36)

    places = [place(*point) for point in curve.points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [
        f'<text x="{left}" y="16" font-weight="bold">{cost}</text>',
        f'<path d="M{left},{_TOP} V{bottom} H{left + _WIDTH}" fill="none" stroke="#888"/>',
        f'<polyline points="{line}" fill="none" stroke="#1f5fa8" stroke-width="2"/>',
        f'<text x="{left + _WIDTH / 2}" y="{bottom + 34}" text-anchor="middle">{curve.title}</text>',
    ]
    for (x, y), (amount, spent) in zip(places, curve.points, strict=True):
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#1f5fa8"/>',
            f'<text x="{x:.1f}" y="{y - 7:.1f}" text-anchor="middle">{spent:.2f}</text>',
            f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{amount:,g}</text>',
        ]
    return parts
