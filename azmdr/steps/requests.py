"""Requests: what was seen to change in the stream is reconciled first, also in the middle of a sweep."""

from collections.abc import Generator, Iterator
from itertools import islice
from typing import Any, Final

from azmdr.azure.dispatch import Call, Job, Source
from azmdr.azure.errors import AzureError, RefusedError
from azmdr.azure.inventory import FoundResource, list_resources
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.changes import ChangeKind
from azmdr.reconcile.verdict import Standing
from azmdr.steps.holding import Held
from azmdr.steps.monitored_resources import take_in
from azmdr.steps.sweep import Sweep
from azmdr.store.inventory import resource_keyed
from azmdr.store.requests import Request, forget_requests, requests_of
from azmdr.store.targets import TargetKind, targets_of

_AT_ONCE: Final = 100
"""Requests of one customer taken up in one go."""


class Requests:
    """The requests of the customers a run holds, for one kind of target."""

    def __init__(self, sweep: Sweep[Any], kind: TargetKind, held: Held) -> None:
        self._sweep = sweep
        self._kind = kind
        self._held = held
        self._taken_up: set[Request] = set()

    def poll(self) -> list[Source]:
        """What has been asked for since the last time."""
        self._held.give_sign_of_life()
        sources = []
        for customer in self._sweep.customers:
            with self._held.plane.store.read() as connection:
                asked = (each for each in requests_of(connection, customer) if self._concerns(each))
                new = list(islice((each for each in asked if each not in self._taken_up), _AT_ONCE))
            self._taken_up.update(new)
            if new:
                sources.append(Source(customer, self._jobs(customer, new), urgent=True))
        return sources

    def _concerns(self, request: Request) -> bool:
        is_subscription = not ResourceId.parse(request.resource_id).names
        return is_subscription == (self._kind is TargetKind.SUBSCRIPTION)

    def _jobs(self, customer: str, requests: list[Request]) -> Iterator[Job]:
        for request in requests:
            yield self._meet(customer, request)

    def _meet(self, customer: str, request: Request) -> Generator[Call[Any], Any, None]:
        target = ResourceId.parse(request.resource_id)
        try:
            yield from self._look_up(customer, request, target)
        except RefusedError:
            # It would be refused again: there is no such subscription any more, or we may not look.
            self._forget(request)
            return
        except AzureError:
            # The request stays, and the next run takes it up again.
            return
        with self._held.plane.store.read() as connection:
            due = targets_of(connection, customer, self._kind, [target.key])
        standings = set()
        for each in due:
            verdict = yield from self._sweep.job(customer, each)
            standings.add(verdict.standing)
        if Standing.UNKNOWN not in standings:
            self._forget(request)

    def _forget(self, request: Request) -> None:
        with self._held.plane.store.write() as connection:
            forget_requests(connection, [request])

    def _look_up(
        self, customer: str, request: Request, target: ResourceId
    ) -> Generator[Call[Any], Any, None]:
        """Learn of a resource that is new, or has other tags than when it was listed.

        Only in a subscription that is known to be the customer's: a record names what it likes, and the
        resources of a subscription nobody has listed would never be missed again.
        """
        plane = self._held.plane
        if target.subscription_id not in self._sweep.view(customer).subscription_states:
            return
        with plane.store.read() as connection:
            known = resource_keyed(connection, customer, target.key)
            is_target = bool(targets_of(connection, customer, self._kind, [target.key]))
        # A target that is no resource of the listing is nested in one, and needs no looking up.
        is_nested = is_target and known is None
        is_listed = is_target and request.change is ChangeKind.SETTING
        if self._kind is TargetKind.SUBSCRIPTION or is_nested or is_listed:
            return
        seen: list[FoundResource] = []
        yield from list_resources(plane.arm, target.subscription_id, seen, only=target)
        same = [each for each in seen if each.id.key == target.key]
        with plane.store.write() as connection:
            self._held.prolong(connection, customer)
            take_in(connection, plane, customer, {target.key: known} if known else {}, same)
