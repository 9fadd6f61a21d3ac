"""Plans: what is to be done about one target, and the verdict that holds once it is done. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from azmdr.reconcile.data_export import RULE_LIMIT, DataExport
from azmdr.reconcile.data_export import differences as export_differences
from azmdr.reconcile.diagnostic_setting import LIMIT, DiagnosticSetting, differences
from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.reconcile.verdict import Reason, Standing, Verdict

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Write(Generic[Thing]):
    """Create something of ours, or replace it as a whole. ``differences`` is empty when it is new."""

    thing: Thing
    differences: tuple[str, ...] = ()

    @property
    def verb(self) -> str:
        """What it does, in a word."""
        return "repair" if self.differences else "create"

    def __str__(self) -> str:
        """In words."""
        return "repair: " + "; ".join(self.differences) if self.differences else "create"


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove what carries our name."""

    name: str

    @property
    def verb(self) -> str:
        """What it does, in a word."""
        return "remove"

    def __str__(self) -> str:
        """In words."""
        return f"remove {self.name}"


@dataclass(frozen=True, slots=True)
class Plan(Generic[Thing]):
    """What is to be done about a target, if anything, and the verdict once it is done."""

    verdict: Verdict
    action: Write[Thing] | Remove | None = None
    ours: bool = False
    """Whether something of ours is there now, before the action."""

    @property
    def counts_on_hub(self) -> bool:
        """Whether it says that logs flow to a hub, or has them do so."""
        return isinstance(self.action, Write) or self.verdict.standing is Standing.COVERED


def plan_setting(
    wanted: DiagnosticSetting | Verdict,
    found: Sequence[DiagnosticSetting],
    name: str,
    catalogue: LogCatalogue,
) -> Plan[DiagnosticSetting]:
    """What to do about a target's diagnostic settings.

    Args:
        wanted: the setting that should be there, or why there should be none.
        found: all settings of the target, as Azure has them.
        name: the name that makes a setting ours.
        catalogue: what the target can send.
    """
    own = next((each for each in found if each.is_named(name)), None)
    if isinstance(wanted, Verdict):
        return _without(wanted, own.name if own else None)
    told = differences(wanted, own) if own else ()
    if own and not told:
        return Plan(Verdict(Reason.IN_PLACE), ours=True)
    others = [each for each in found if each is not own]
    if own is None and len(others) >= LIMIT:
        names = ", ".join(sorted(each.name for each in others))
        return Plan(Verdict(Reason.SETTING_LIMIT, f"there are {len(others)} settings already: {names}"))
    if sink := _sink_taken(wanted, others, catalogue):
        return Plan(Verdict(Reason.SINK_IN_USE, sink), ours=own is not None)
    return Plan(_written(own is not None, told), Write(wanted, told), ours=own is not None)


def _sink_taken(
    wanted: DiagnosticSetting, others: Sequence[DiagnosticSetting], catalogue: LogCatalogue
) -> str | None:
    sends = catalogue.sent_by(wanted.categories, wanted.groups)
    for other in others:
        shared = sends & catalogue.sent_by(other.categories, other.groups)
        if shared and other.sends_with(wanted.rule_id):
            return f"setting {other.name} sends {', '.join(sorted(shared))} to the same namespace"
    return None


def plan_export(wanted: DataExport | Verdict, found: Sequence[DataExport], name: str) -> Plan[DataExport]:
    """What to do about a workspace's data export rules. The arguments are as for :func:`plan_setting`."""
    own = next((each for each in found if each.is_named(name)), None)
    if isinstance(wanted, Verdict):
        return _without(wanted, own.name if own else None)
    told = export_differences(wanted, own) if own else ()
    if own and not told:
        return Plan(Verdict(Reason.IN_PLACE), ours=True)
    others = [each for each in found if each is not own]
    taken = next((each for each in others if each.has_destination_of(wanted)), None)
    if taken:
        detail = f"rule {taken.name} exports to the same destination"
        return Plan(Verdict(Reason.DESTINATION_IN_USE, detail), ours=own is not None)
    enabled = sum(each.enabled for each in others)
    if enabled >= RULE_LIMIT and not (own and own.enabled):
        detail = f"there are {enabled} enabled rules already"
        return Plan(Verdict(Reason.EXPORT_RULE_LIMIT, detail), ours=own is not None)
    return Plan(_written(own is not None, told), Write(wanted, told), ours=own is not None)


def _without(why: Verdict, own: str | None) -> Plan[Thing]:
    return Plan(why, Remove(own), ours=True) if own else Plan(why)


def _written(there: bool, told: tuple[str, ...]) -> Verdict:
    return Verdict(Reason.REPAIRED, "; ".join(told)) if there else Verdict(Reason.CREATED)
