"""The destroy guard: which removals of event hubs may be committed. Pure.

What is committed is applied without anybody looking, and a destroyed hub takes with it what is sent to it and
not yet captured. So a removal needs evidence: an inventory that is whole, a hold-down, silence on the hub.
Too many at once need a person, who lets through this one removal by its digest.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from azmdr.inventory.placements import Placement
from terraform_gen.mapping import MappingDiff, hub_name


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a hub nothing needs any more stays."""

    hold_down: timedelta
    """Counted from when nothing needed it any more."""
    silence: timedelta
    """How long nothing must have arrived from it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a hub that nothing seems to need."""

    unneeded_since: datetime | None = None
    gaps: tuple[str, ...] = ()
    """What the inventory of its customer lacks; empty when it is whole."""
    last_arrival: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a mapping may be committed."""

    digest: str
    """What `azmdr terraform approve` takes."""
    refusals: Mapping[str, list[str]] = field(default_factory=dict)
    """Each hub that is in the way, with the reasons."""
    final: bool = False
    """Whether no approval can help."""
    approved: bool = False
    """Whether it is allowed only because somebody approved it."""

    @property
    def allowed(self) -> bool:
        """Whether it may be committed."""
        return not self.refusals

    def markdown(self) -> str:
        """The refusals as a Markdown table."""
        lines = ["| event hub | why it must not be removed |", "| --- | --- |"]
        lines += [f"| {hub} | {_cell('; '.join(why))} |" for hub, why in sorted(self.refusals.items())]
        return "\n".join(lines) + "\n"


def why_waiting(evidence: Evidence, now: datetime, patience: Patience) -> str | None:
    """Why the time for a hub's removal has not come; None when it has."""
    since = evidence.unneeded_since
    if since is None:
        return "is needed"
    if now < since + patience.hold_down:
        return f"nothing has needed it since {_told(since)}, which is held down until" + (
            f" {_told(since + patience.hold_down)}"
        )
    last = evidence.last_arrival
    if last is not None and now < last + patience.silence:
        return f"something arrived from it at {_told(last)}; it must be silent until" + (
            f" {_told(last + patience.silence)}"
        )
    return None


def judge(
    diff: MappingDiff,
    evidence: Mapping[Placement, Evidence],
    *,
    most: int,
    approved: Collection[str],
    now: datetime,
    patience: Patience,
) -> Verdict:
    """Whether the difference between what is committed and what is to be may be committed.

    Args:
        diff: from what the repository holds to what is to be.
        evidence: of hubs; one without any is one the store knows nothing of.
        most: how many hubs may be removed at once without a person.
        approved: digests of removals somebody approved.
        now: the time.
        patience: how long an unneeded hub stays.
    """
    if diff.replaced:
        replaced = {hub_name(each.before): [each.why] for each in diff.replaced}
        return Verdict(diff.digest, replaced, final=True)
    refusals = {
        hub_name(each): reasons
        for each in diff.removed
        if (reasons := _against(evidence.get(each), now, patience))
    }
    if len(diff.removed) > most:
        for each in diff.removed:
            refusals.setdefault(hub_name(each), []).append(
                f"is one of {len(diff.removed)} to be removed; at most {most} are without approval"
            )
    if refusals and diff.digest in approved:
        return Verdict(diff.digest, approved=True)
    return Verdict(diff.digest, refusals)


def _against(evidence: Evidence | None, now: datetime, patience: Patience) -> list[str]:
    if evidence is None:
        return ["the store knows nothing of it"]
    reasons = list(evidence.gaps)
    waiting = why_waiting(evidence, now, patience)
    return [*reasons, waiting] if waiting else reasons


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _cell(text: str) -> str:
    """A text that stays within a cell of a table: errors of Azure are data from outside."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
