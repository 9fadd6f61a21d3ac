"""Learning which log categories Azure offers for a type of resource: one read a type, not one a resource.

What one resource answers holds for those of its type and kind, for a while. A failed answer teaches nothing;
only Azure's own word that a type has no settings does.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from azmdr.azure.diagnostic_settings import ResourceSettings
from azmdr.azure.dispatch import Call, Job, Source, Tally
from azmdr.azure.errors import AzureError
from azmdr.inventory.customers import CustomerState
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.category_policy import TargetFacts
from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.reconcile.refusals import verdict_on
from azmdr.reconcile.verdict import Reason, Verdict
from azmdr.reconcile.wanted import CustomerView
from azmdr.steps.holding import Held
from azmdr.store.log_catalogues import Variety, note_catalogue
from azmdr.store.targets import DueTarget, types_due

_SAMPLES: Final = 5
"""How many resources of a type are asked at most."""


def learn_due_categories(held: Held, views: Mapping[str, CustomerView], until: datetime) -> Tally:
    """Learn what is not known, or not any more, of the types whose targets are due."""
    sources = [Source(name, _jobs(held, view)) for name, view in views.items()]
    return held.plane.work_off(sources, until, held.give_sign_of_life)


def _jobs(held: Held, view: CustomerView) -> Iterator[Job]:
    if view.customer.state is not CustomerState.ACTIVE:
        return
    with held.plane.store.read() as connection:
        due = types_due(connection, view.customer.name, _SAMPLES)
    for variety, samples in due.items():
        if variety not in view.catalogues:
            yield learn_categories(held, view, variety, samples)


def learn_for(held: Held, view: CustomerView, due: DueTarget) -> Generator[Call[Any], Any, Verdict | None]:
    """Learn the log categories of a target's type from the target itself, where no other has told them.

    Others may be where nobody lets us read; and what keeps us from reading this one is its verdict.
    """
    variety = (due.target.type, due.variant)
    if variety in view.catalogues or view.customer.state is not CustomerState.ACTIVE:
        return None
    facts = TargetFacts(ResourceId.parse(due.target.id), due.variant, due.tags)
    if view.policy.settled_by_rules(facts, view.customer.rules) is not None:
        return None
    return (yield from learn_categories(held, view, variety, [due.target.id]))


def learn_categories(
    held: Held, view: CustomerView, variety: Variety, samples: Sequence[str]
) -> Generator[Call[Any], Any, Verdict | None]:
    """Learn the log categories of a type from the first resource that tells them.

    Returns why none of them does; None when that is known, or does not matter.

    Args:
        held: the customers this run holds.
        view: the customer; its catalogues are added to.
        variety: the type, and Azure's ``kind``.
        samples: ids of resources of that type.
    """
    plane, obstacle = held.plane, None
    if view.policy.settled_by_type(variety[0], view.customer.rules):
        return None
    for sample in samples:
        target = ResourceId.parse(sample)
        try:
            catalogue = yield ResourceSettings(plane.arm).catalogue(target)
        except AzureError as error:
            obstacle = verdict_on(error, wrote=False)
            if obstacle.reason is not Reason.TYPE_WITHOUT_LOGS:
                continue
            catalogue = LogCatalogue({})
        view.catalogues[variety] = catalogue
        with plane.store.write() as connection:
            held.prolong(connection, view.customer.name)
            now = plane.clock.now()
            note_catalogue(connection, view.customer.name, variety, catalogue, now, target.text)
        return None
    return obstacle
