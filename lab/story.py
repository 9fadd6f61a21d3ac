"""Stories: the stages and records a piece of the scenario plants, and what it says must come out of them.

A story states its expectation in its own words; nothing here derives one from the planted records, so that
the product is checked against intent and not against a second condenser.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from lab.activity_log import Request, Stage, stage_record
from lab.customers import Customer, Subscription
from lab.records import Record, encode, guid, resource_id, service_principal, user

LAG_SECONDS: Final = (0.3, 2.5)
"""From event time until the event hub has the record, unless a story says otherwise. Azure takes longer."""


class Outcome(StrEnum):
    """How an operation ended, as far as its records say."""

    SUCCESS = "success"
    FAILURE = "failure"
    ACCEPTED = "accepted"
    STARTED = "started"


class Kind(StrEnum):
    """What a piece of a body counts as; the pieces of all bodies add up by kind."""

    OPERATION = "operation"
    """One stage of an operation, for the first time."""
    PASSED_THROUGH = "passed_through"
    """A record that stands for itself, for the first time."""
    DUPLICATE = "duplicate"
    """The very same record again."""
    REEMITTED = "reemitted"
    """The same Entra event again, with another time."""
    QUARANTINED = "quarantined"
    """Nothing that could be read as a record."""


class Stream(StrEnum):
    """Which setting sends a record: records of two settings never share a body."""

    ACTIVITY = "activity"
    ENTRA = "entra"
    EXPORT = "export"
    RESOURCE = "resource"


@dataclass(frozen=True, slots=True)
class ExpectedOperation:
    """What the product must say of one operation once all its records have been read."""

    customer: str
    story: str
    correlation_id: str | None
    operation_name: str
    resource_id: str
    """As in the operation's first record; compare without regard to case."""
    outcome: Outcome
    attempts: int
    records: int
    """Distinct records."""
    ambiguous: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """One element of a body."""

    content: bytes
    kind: Kind


@dataclass(frozen=True, slots=True)
class Delivery:
    """Pieces that reach a customer's event hub together, in one body."""

    customer: Customer
    region: str
    stream: Stream
    at: float
    """Seconds since the scenario's start."""
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A whole body as it is, for those that are no plain list of records."""

    customer: Customer
    region: str
    at: float
    body: bytes | None
    pieces: tuple[Piece, ...]


@dataclass(slots=True)
class Plot:
    """All that the stories of a scenario planted."""

    deliveries: list[Delivery] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    expected: list[ExpectedOperation] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Storyteller:
    """Tells one story of one customer: what it plants goes into the plot.

    ``begin`` is the story's own zero, in seconds since the scenario's ``start``; its times count from there.
    """

    plot: Plot
    rng: random.Random
    customer: Customer
    start: datetime
    begin: float
    story: str

    def subscription(self) -> Subscription:
        """One of the customer's subscriptions."""
        return self.rng.choice(self.customer.subscriptions)

    def request(
        self,
        operation: str,
        body: Record | None = None,
        *,
        subscription: Subscription | None = None,
        resource: str | None = None,
        correlated: bool = True,
    ) -> Request:
        """A request for an operation such as ``Microsoft.Sql/servers/write``, on a new resource."""
        subscription = subscription or self.subscription()
        resource_type, _, _verb = operation.rpartition("/")
        caller = user if self.rng.random() < 0.7 else service_principal
        return Request(
            customer=self.customer,
            region=subscription.home_region,
            operation_name=operation.upper(),
            resource_id=(resource or resource_id(subscription, resource_type, self.rng)).upper(),
            correlation_id=guid(self.rng) if correlated else None,
            caller=caller(self.customer, self.rng),
            body=body,
        )

    def stage(
        self,
        request: Request,
        stage: Stage,
        after: float,
        result: str = "",
        *,
        lag: float | None = None,
        copies: int = 1,
        again_after: float | None = None,
        asynchronous: bool = False,
    ) -> None:
        """One stage of the request, ``after`` seconds into the story.

        ``copies`` stand in the same body; with ``again_after`` the record comes once more that much later.
        """
        record = stage_record(
            request, stage, self.moment(after), self.rng, result, int(after * 1000), asynchronous
        )
        content = encode(record)
        again = Piece(content, Kind.DUPLICATE)
        first = (Piece(content, Kind.OPERATION), *[again] * (copies - 1))
        arrives = after + self.lag(lag)
        self._deliver(request.region, Stream.ACTIVITY, arrives, first)
        if again_after is not None:
            self._deliver(request.region, Stream.ACTIVITY, arrives + again_after, (again,))

    def expect(
        self,
        request: Request,
        outcome: Outcome,
        records: int,
        attempts: int = 1,
        ambiguous: bool = False,
    ) -> None:
        """State what must come out of the request's stages."""
        self.plot.expected.append(
            ExpectedOperation(
                customer=self.customer.name,
                story=self.story,
                correlation_id=request.correlation_id,
                operation_name=request.operation_name,
                resource_id=request.resource_id,
                outcome=outcome,
                attempts=attempts,
                records=records,
                ambiguous=ambiguous,
            )
        )

    def passes(self, record: Record, after: float, region: str, stream: Stream) -> None:
        """A record that stands for itself."""
        self._deliver(region, stream, after + self.lag(), (Piece(encode(record), Kind.PASSED_THROUGH),))

    def reemits(self, record: Record, after: float, region: str, stream: Stream) -> None:
        """The Entra event again, as Entra at times sends it, differing in nothing but ``time``."""
        self._deliver(region, stream, after + self.lag(), (Piece(encode(record), Kind.REEMITTED),))

    def sends(self, body: bytes | None, pieces: tuple[Piece, ...], after: float) -> None:
        """A whole body of the story's own making, to the hub of the customer's home region."""
        at = self.begin + after + self.lag()
        self.plot.envelopes.append(Envelope(self.customer, self.customer.home_region, at, body, pieces))

    def moment(self, after: float) -> datetime:
        """Event time ``after`` seconds into the story, with a few hundred microseconds of its own."""
        return self.start + timedelta(seconds=self.begin + after, microseconds=self.rng.randrange(900))

    def lag(self, given: float | None = None) -> float:
        """Seconds from event time until the event hub has the record."""
        return self.rng.uniform(*LAG_SECONDS) if given is None else given

    def telling(self, story: str) -> "Storyteller":
        """The same storyteller under the name of a part of the story."""
        return replace(self, story=story)

    def _deliver(self, region: str, stream: Stream, after: float, pieces: tuple[Piece, ...]) -> None:
        self.plot.deliveries.append(Delivery(self.customer, region, stream, self.begin + after, pieces))
