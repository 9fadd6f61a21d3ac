"""How reports are shown to a person: what was done or planned, and what stands."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from azmdr.reconcile.coverage import Coverage
from azmdr.reconcile.estimate import EstimateRow, TypeAndKind, summary
from azmdr.reconcile.verdict import Standing
from azmdr.steps.control_plane import Ending, StepReport

_SHOWN: Final = 50
"""Actions of one customer shown one by one; ``--json`` has all."""


def console() -> Console:
    """The terminal. Names and Azure's words are shown as they are: brackets in them are no colours."""
    return Console(markup=False, emoji=False, highlight=False)


def show_actions(console: Console, customer: str, reports: Mapping[str, StepReport]) -> None:
    """Show what was done or planned for one customer, and what did not go well."""
    of_it = {
        step: report.customers[customer] for step, report in reports.items() if customer in report.customers
    }
    told = [one for report in of_it.values() for one in report.told]
    actions: Counter[str] = sum((report.actions for report in of_it.values()), start=Counter())
    for one in told[:_SHOWN]:
        detail = one.verdict.detail if one.verdict.detail != one.action else ""
        said = f"{one.verdict.reason}: {detail}" if detail else one.verdict.reason
        console.print(f"{one.target}\n  {one.action} ({said})", soft_wrap=True)
    more = sum(actions.values()) - min(len(told), _SHOWN)
    counted = ", ".join(f"{number} {verb}" for verb, number in sorted(actions.items())) or "nothing to do"
    console.print(f"{customer}: {counted}" + (f" ({more} not shown)" if more > 0 else ""))
    for step, report in of_it.items():
        if report.ending is not Ending.DONE or report.problem:
            console.print(f"  {step}: {report.ending}: {report.problem or ''}")


def show_coverage(console: Console, coverages: list[Coverage]) -> None:
    """Show where customers stand, a line each, then what somebody should look at."""
    table = Table("customer", "share", *Standing)
    for one in coverages:
        share = "" if one.share is None else f"{one.share:.1%}"
        table.add_row(one.customer, share, *(str(one.by_standing[standing]) for standing in Standing))
    console.print(table)
    for one in coverages:
        for listing in one.unsound_listings:
            console.print(f"{one.customer}: listing {listing.scope}: {listing.problem}")
        for sentence in one.uncounted:
            console.print(f"{one.customer}: {sentence}", style="red")
        for target in one.trouble:
            verdict = target.verdict
            told = f"{verdict.standing}: {verdict.reason}: {verdict.detail}"
            console.print(f"{one.customer}: {target.id}\n  {told}", soft_wrap=True)


def show_estimate(
    console: Console, customer: str, rows: Sequence[EstimateRow], silent: Mapping[TypeAndKind, int]
) -> None:
    """Show what would be sent and billed, then what is not sent and why.

    ``silent`` are the resources of which it is not known yet what they can send.
    """
    table = Table(box=None)
    for heading in ("resource type", "category", "resources", "billed", "decision", "reason"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        billed = {True: "yes", False: "no", None: "unknown"}[row.billed]
        table.add_row(row.type, row.category, str(row.resources), billed, row.decision, row.reason)
    console.print(table)
    summed = summary(rows)
    sentences = [
        f"{customer}: of the categories wanted {summed.wanted_billed} are billed on export,"
        f" {summed.wanted_free} are free, of {summed.wanted_billing_unknown} it is not known."
        " Azure bills by volume, which shows once they flow."
    ]
    if silent:
        kinds = ", ".join(sorted({kind for kind, _ in silent}))
        sentences.append(f"Not asked yet what they can send: {sum(silent.values())} targets ({kinds}).")
    console.print("\n".join(sentences), soft_wrap=True)
