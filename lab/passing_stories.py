"""Stories of records that stand for themselves: nothing to condense, everything to keep."""

from typing import Final

from lab.activity_notices import NOTICES
from lab.entra_log import ENTRA_RECORDS, sign_in
from lab.operation_stories import Story
from lab.records import event_time
from lab.resource_log import RESOURCE_RECORDS
from lab.story import Storyteller, Stream


def data_plane(tell: Storyteller) -> None:
    """A burst of resource logs, in the region of the resources."""
    region = tell.rng.choice(tell.customer.regions)
    build = tell.rng.choice(RESOURCE_RECORDS)
    for number in range(tell.rng.randint(3, 12)):
        after = 0.2 * number
        tell.passes(
            build(tell.customer, region, tell.moment(after), tell.rng), after, region, Stream.RESOURCE
        )


def every_resource_log(tell: Storyteller) -> None:
    """One record of each service."""
    region = tell.rng.choice(tell.customer.regions)
    for build in RESOURCE_RECORDS:
        tell.passes(build(tell.customer, region, tell.moment(0), tell.rng), 0, region, Stream.RESOURCE)


def identity(tell: Storyteller) -> None:
    """One record of each Entra category and of each exported table, in the customer's home region."""
    for build in ENTRA_RECORDS:
        record = build(tell.customer, tell.moment(0), tell.rng)
        stream = Stream.EXPORT if "Type" in record else Stream.ENTRA
        tell.passes(record, 0, tell.customer.home_region, stream)


def reemitted_sign_in(tell: Storyteller) -> None:
    """Entra sends a sign-in again 21 seconds later, with nothing changed but ``time`` (measured)."""
    record = sign_in(tell.customer, tell.moment(0), tell.rng)
    tell.passes(record, 0, tell.customer.home_region, Stream.ENTRA)
    again = record | {"time": event_time(tell.moment(21.6), tell.rng)}
    tell.reemits(again, 21.6, tell.customer.home_region, Stream.ENTRA)


def notices(tell: Storyteller) -> None:
    """One record of each Activity Log category that is no operation."""
    for build in NOTICES:
        subscription = tell.subscription()
        record = build(tell.customer, subscription, tell.moment(0), tell.rng)
        tell.passes(record, 0, subscription.home_region, Stream.ACTIVITY)


PASSING_STORIES: Final[dict[str, tuple[Story, int]]] = {
    "data_plane": (data_plane, 12),
    "every_resource_log": (every_resource_log, 2),
    "identity": (identity, 5),
    "reemitted_sign_in": (reemitted_sign_in, 1),
    "notices": (notices, 2),
}
"""Stories by name, with how often a customer has each in a scenario of size 1."""
