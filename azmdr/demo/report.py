"""The report of a demo that was played to its end: what was planted, what came out, how long it took."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table as ShownTable

from azmdr.demo.convergence import Convergence
from azmdr.demo.plan import LINGER, DemoPlan
from azmdr.demo.progress import Progress, percentiles
from azmdr.demo.ring import STAGES, Newcomer
from azmdr.demo.verdict import Verdict, counts_of, judge, read_expected
from azmdr.lake.layout import Table
from azmdr.lake.open import open_lake
from azmdr.lake.read import read_latest

MISSES_SHOWN = 20


def verdict_of(plan: DemoPlan) -> Verdict:
    """What was planted so far, compared with what the lake holds now."""
    expected = read_expected(plan.expected)
    lake = open_lake(str(plan.lake))
    customers = {one.customer for one in expected}
    return judge(expected, {one: read_latest(lake, one, Table.OPERATIONS) for one in customers})


def shortfalls(lake_folder: Path, planted: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Where a customer's tables do not hold just what the lab put into the bodies, in a sentence each."""
    lake = open_lake(str(lake_folder))
    found = []
    for customer, totals in sorted(planted.items()):
        seen = counts_of({table: read_latest(lake, customer, table) for table in Table})
        found += [
            f"{customer}: {totals[what]} {what} were planted, the lake holds {number}"
            for what, number in seen.items()
            if totals[what] != number
        ]
    return found


def print_report(console: Console, verdict: Verdict, progress: Progress, wrong: list[str]) -> None:
    """Print a table of what was expected and seen, then the sums."""
    console.print(_stories(verdict))
    for miss in [miss for story in verdict.stories for miss in story.misses][:MISSES_SHOWN]:
        console.print(f"[red]{miss.expected}[/red]\n  seen: {miss.seen}", highlight=False)
    for sentence in wrong:
        console.print(f"[red]{sentence}[/red]", highlight=False)
    counts = progress.counts
    became = (
        f"{counts.passed_through:,} passed through + {counts.merged:,} merged"
        f" + {counts.duplicates:,} duplicates + {counts.quarantined:,} quarantined"
    )
    conserved = "conserved" if counts.conserved else "NOT CONSERVED"
    latency = percentiles(progress.latencies)
    sentences = (
        f"{verdict.planted} operations planted, {verdict.unexpected} seen that were not.",
        f"{counts.records:,} records in {counts.files} capture files = {became} ({conserved}).",
        f"From upload to operation in the lake: {latency}, {LINGER} s of linger included.",
    )
    console.print("\n".join(sentences), highlight=False, soft_wrap=True)


def print_convergence(console: Console, convergence: Convergence, seconds: float | None) -> None:
    """Print where the control plane came to."""
    if not convergence.complete:
        console.print(f"[red]The control plane has NOT converged: {convergence}.[/red]", highlight=False)
        for sentence in convergence.shortfalls()[:MISSES_SHOWN]:
            console.print(f"[red]{sentence}[/red]", highlight=False, soft_wrap=True)
        return
    others = sum(one.inventory.resources + one.inventory.subscriptions for one in convergence.coverages)
    after = "" if seconds is None else f", {seconds:.0f} s after Dagster was up"
    console.print(
        f"The control plane converged{after}: {len(convergence.coverages)} customers, {others} subscriptions"
        f" and resources found, {convergence.covered} targets covered, {convergence.ours} settings and export"
        " rules written, nothing blocked, pending or unknown.",
        highlight=False,
        soft_wrap=True,
    )


def print_ring(console: Console, newcomer: Newcomer, stages: Sequence[float]) -> None:
    """Print how far the subscription came that a customer opened meanwhile."""
    opened = f"{newcomer.customer} opened a subscription in {newcomer.region}, where it had nothing:"
    console.print(opened, highlight=False, soft_wrap=True)
    for number, stage in enumerate(STAGES):
        told = f"after {stages[number]:.0f} s" if number < len(stages) else "[red]NOT reached[/red]"
        console.print(f"  {stage}: {told}", highlight=False, soft_wrap=True)


def _stories(verdict: Verdict) -> ShownTable:
    table = ShownTable(title="Planted operations")
    for heading in ("story", "expected", "planted", "seen as expected"):
        table.add_column(heading, overflow="fold")
    for story in verdict.stories:
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in story.outcomes.items())
        seen = f"[red]{story.as_expected}[/red]" if story.misses else str(story.as_expected)
        table.add_row(story.name, outcomes, str(story.planted), seen)
    return table
