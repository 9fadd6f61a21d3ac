"""The step ``event_hub_mapping``: placements for what is needed, and what of it may be committed.

In three parts, each a transaction: :func:`update_placements` writes down where hubs are to be;
:func:`propose` compares that with what the repository holds and asks the guard; :func:`note_committed`, once
the commit is made, forgets what was removed. Any of them may be run twice, or fail in between.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from sqlalchemy import Connection

from azmdr.capture.names import ArchiveNameFormat
from azmdr.config import Settings
from azmdr.inventory.customers import Customer
from azmdr.inventory.placements import NamespaceNames, Placement, Tier
from azmdr.inventory.resource_id import ResourceId
from azmdr.store.customers import all_customers
from azmdr.store.database import Store
from azmdr.store.event_hubs import observed_hubs
from azmdr.store.inventory import known_subscriptions, listings
from azmdr.store.leases import take_lease
from azmdr.store.placements import (
    Placed,
    add_placements,
    all_placements,
    all_shards,
    approved_digests,
    busiest_days,
    forget_placements,
    grow_partitions,
    last_arrivals,
    monitored_regions,
    note_needs,
    note_refusal,
    put_shards,
    resource_location,
    use_approval,
)
from terraform_gen.guard import Evidence, Patience, Verdict, judge, why_waiting
from terraform_gen.mapping import HubMapping, MappingDiff, Need, hub_name
from terraform_gen.mapping_file import IngestSettings, read, written
from terraform_gen.needs import CustomerInventory, needs_of
from terraform_gen.placement import NewShards, ObservedHub, partitions_for, place

_MUTEX: Final = "event hub mapping"


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """Of a deployment's settings, those the mapping rests on."""

    ingest: IngestSettings
    new_shards: NewShards
    patience: Patience
    removals: int
    """How many hubs one commit may remove without approval."""
    approval_age: timedelta
    """How long an approval holds."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """From the settings of a deployment.

        Raises:
            PlacementError: the prefix is none a namespace can have.
        """
        return cls(
            IngestSettings(
                NamespaceNames(settings.namespace_prefix),
                ArchiveNameFormat(settings.archive_name_format),
                settings.send_rule,
            ),
            NewShards(Tier(settings.event_hub_tier), settings.premium_units),
            Patience(timedelta(seconds=settings.hold_down), settings.silence_time),
            settings.removals_per_commit,
            timedelta(seconds=settings.approval_seconds),
        )


@dataclass(frozen=True, slots=True)
class MappingReport:
    """What :func:`update_placements` came to."""

    mapping: HubMapping
    """All placements."""
    given: tuple[Placement, ...]
    adopted: tuple[Placement, ...]
    elsewhere: Mapping[Need, str]
    """Needs served by a hub in a namespace Terraform does not have: nothing is made for them."""
    refused: Mapping[Need, str]
    """Needs without a hub, and why."""
    unneeded: Mapping[Placement, datetime]
    """Hubs nothing needs any more, and since when."""
    unknown_regions: Mapping[str, set[str]]
    gaps: Mapping[str, tuple[str, ...]]
    """What the inventory of each customer lacks."""
    outgrown: Mapping[Placement, int]
    """Hubs in Standard that would need more partitions than they can ever have where they are."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to be committed, or why not."""

    mapping: HubMapping
    """What the file says: with every hub in it whose removal was refused."""
    text: str
    """The file the repository is to hold. Never has a removal in it that the guard refused."""
    diff: MappingDiff
    """What committing it changes."""
    verdict: Verdict
    """The guard's, on everything that is due, the removals it refuses included."""
    refused_diff: MappingDiff
    """What was judged; the same as :attr:`diff` where all was allowed."""
    left_out: tuple[Placement, ...]
    """Placements the file does not have any more."""
    waiting: Mapping[str, str] = field(default_factory=dict)
    """Hubs nothing needs any more whose time has not come, and why."""


def update_placements(
    store: Store, settings: MappingSettings, now: datetime, committed: str | None = None
) -> MappingReport:
    """Give every customer and region that needs a hub a place, and write down what nothing needs any more.

    Args:
        store: the state store.
        settings: of the deployment.
        now: the time.
        committed: the file the repository holds; placements the store has lost are taken from it.

    Raises:
        MappingFileError: the file was changed by hand.
    """
    before = read(committed).mapping if committed else None
    with store.write() as connection:
        _only_one_at_a_time(connection, now)
        placed = _mapping(connection, all_placements(connection))
        standing = {each.need for each in (*placed.placements, *(before.placements if before else ()))}
        needs = needs_of(_inventories(connection), standing)
        days = busiest_days(connection, {customer for customer, _ in needs.needed})
        wanted = {need: partitions_for(days.get(need[0], 0)) for need in needs.needed}
        observed = [ObservedHub(*each) for each in observed_hubs(connection)]
        names, new = settings.ingest.names, settings.new_shards
        placing = place(wanted, placed, observed, names, new, before)
        put_shards(connection, placing.opened, now)
        add_placements(connection, [*placing.adopted, *placing.given], now)
        outgrown = _grow(connection, placed, wanted)
        note_needs(connection, needs.needed | needs.kept, now)
        story = all_placements(connection)
        return MappingReport(
            mapping=_mapping(connection, story),
            given=tuple(placing.given),
            adopted=tuple(placing.adopted),
            elsewhere=placing.elsewhere,
            refused=placing.refused,
            unneeded={each.placement: each.unneeded_since for each in story if each.unneeded_since},
            unknown_regions=needs.unknown_regions,
            gaps={name: gaps for name, gaps in needs.gaps.items() if gaps},
            outgrown=outgrown,
        )


def propose(store: Store, settings: MappingSettings, now: datetime, committed: str | None) -> Proposal:
    """What is to be committed.

    Removals are all allowed or all refused. Refused, they are written down for `azmdr terraform approve`, and
    the file keeps those hubs, so that what is added for others need not wait for a person.

    Args:
        store: the state store.
        settings: of the deployment.
        now: the time.
        committed: the file the repository holds; None when there is none.

    Raises:
        MappingFileError: the file was changed by hand.
    """
    before = read(committed).mapping if committed else HubMapping()
    with store.write() as connection:
        _only_one_at_a_time(connection, now)
        story = all_placements(connection)
        everything = _mapping(connection, story)
        evidence = _evidence(connection, settings, story, everything, before)
        waiting = {
            each.placement: why_waiting(evidence[each.placement], now, settings.patience)
            for each in story
            if each.unneeded_since is not None
        }
        after = everything.without(placement for placement, why in waiting.items() if why is None)
        diff = MappingDiff.between(before, after)
        verdict = judge(
            diff,
            evidence,
            most=settings.removals,
            approved=approved_digests(connection, now - settings.approval_age),
            now=now,
            patience=settings.patience,
        )
        if not verdict.allowed and not verdict.final:
            note_refusal(connection, verdict.digest, verdict.refusals, now)
    mapping = after if verdict.allowed else _with_what_must_stay(before, after, verdict)
    stays = {each.need for each in mapping.placements}
    return Proposal(
        mapping=mapping,
        text=written(mapping, settings.ingest),
        diff=MappingDiff.between(before, mapping),
        verdict=verdict,
        refused_diff=diff,
        left_out=tuple(each for each in everything.placements if each.need not in stays),
        waiting={hub_name(placement): why for placement, why in waiting.items() if why is not None},
    )


def note_committed(store: Store, proposal: Proposal, now: datetime) -> None:
    """Write down that the branch has what was proposed: what it leaves out is forgotten, an approval is used.

    Not before: a pull request that was opened changes nothing yet.
    """
    with store.write() as connection:
        _only_one_at_a_time(connection, now)
        forget_placements(connection, proposal.left_out)
        if proposal.verdict.approved:
            use_approval(connection, proposal.verdict.digest, now)


def _only_one_at_a_time(connection: Connection, now: datetime) -> None:
    """Have another run's transaction end before this one reads: two must not give one slot away."""
    take_lease(connection, _MUTEX, owner=_MUTEX, now=now, duration=timedelta(0))


def _mapping(connection: Connection, story: Iterable[Placed]) -> HubMapping:
    return HubMapping.of(all_shards(connection), (each.placement for each in story))


def _inventories(connection: Connection) -> Iterable[CustomerInventory]:
    regions = monitored_regions(connection)
    for customer in all_customers(connection):
        yield CustomerInventory(
            customer,
            regions.get(customer.name, set()),
            _workspace_location(connection, customer),
            known_subscriptions(connection, customer.name),
            listings(connection, customer.name),
        )


def _workspace_location(connection: Connection, customer: Customer) -> str | None:
    if customer.entra_workspace_id is None:
        return None
    key = ResourceId.parse(customer.entra_workspace_id).key
    return resource_location(connection, customer.name, key)


def _grow(connection: Connection, placed: HubMapping, wanted: Mapping[Need, int]) -> dict[Placement, int]:
    """Give Premium hubs the partitions they need by now; those in Standard can't be helped."""
    small = [each for each in placed.placements if wanted.get(each.need, 0) > each.partitions]
    tiers = {each.key: each.tier for each in placed.shards}
    growing = [each for each in small if tiers[each.shard_key] is Tier.PREMIUM]
    grow_partitions(
        connection, [Placement(each.region, each.shard, each.customer, wanted[each.need]) for each in growing]
    )
    return {each: wanted[each.need] for each in small if each not in growing}


def _evidence(
    connection: Connection,
    settings: MappingSettings,
    story: Iterable[Placed],
    everything: HubMapping,
    before: HubMapping,
) -> dict[Placement, Evidence]:
    """What is known of the hubs nothing needs; of what the repository has and the store has not: nothing."""
    unneeded = [each for each in story if each.unneeded_since is not None]
    gaps = needs_of(_inventories(connection), {each.need for each in everything.placements}).gaps
    committed = {each.need: each for each in before.placements}
    found: dict[Placement, Evidence] = {}
    arrivals: dict[str, Mapping[tuple[str, str], datetime]] = {}
    for each in unneeded:
        name = each.placement.customer
        if name not in arrivals:
            arrivals[name] = last_arrivals(connection, name)
        namespace = settings.ingest.names.of(*each.placement.shard_key)
        evidence = Evidence(each.unneeded_since, gaps.get(name, ()), arrivals[name].get((namespace, name)))
        found[each.placement] = evidence
        if each.placement.need in committed:
            found[committed[each.placement.need]] = evidence
    return found


def _with_what_must_stay(before: HubMapping, after: HubMapping, verdict: Verdict) -> HubMapping:
    """What may be committed though something was refused: what is new, beside everything that is there.

    A hub that would be replaced makes the whole mapping doubtful: then nothing changes.
    """
    if verdict.final:
        return before
    stays = {each.need for each in after.placements}
    removed = [each for each in before.placements if each.need not in stays]
    keys = {each.key for each in after.shards}
    shards = [*after.shards, *(each for each in before.shards if each.key not in keys)]
    return HubMapping.of(shards, [*after.placements, *removed])


def planned_text(store: Store, settings: MappingSettings, now: datetime) -> str:
    """The file as it would be now if everything due were allowed; nothing is written down."""
    with store.read() as connection:
        story = all_placements(connection)
        everything = _mapping(connection, story)
        evidence = _evidence(connection, settings, story, everything, HubMapping())
    due = [
        placement
        for placement, known in evidence.items()
        if why_waiting(known, now, settings.patience) is None
    ]
    return written(everything.without(due), settings.ingest)
