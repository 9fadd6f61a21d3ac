"""Views: what the store knows about a customer, put together for the decisions about its targets."""

import hashlib

from azmdr.inventory.customers import Customer
from azmdr.reconcile.wanted import CustomerView
from azmdr.steps.control_plane import ControlPlane, StepReport
from azmdr.steps.holding import Held, LeaseLostError
from azmdr.steps.monitored_resources import targets_of_resource
from azmdr.store.customers import customer_named, judged_by, note_judged_by
from azmdr.store.event_hubs import hubs_of
from azmdr.store.inventory import known_resources, known_subscriptions
from azmdr.store.log_catalogues import catalogues_of
from azmdr.store.targets import put_targets, unsettle


def view_of(plane: ControlPlane, name: str) -> CustomerView:
    """All that is known about a customer now."""
    with plane.store.read() as connection:
        return CustomerView(
            customer=customer_named(connection, name),
            policy=plane.policy,
            own_name=plane.own_name,
            hubs=hubs_of(connection, name),
            catalogues=catalogues_of(connection, name, plane.clock.now() - plane.bounds.catalogue_age),
            subscription_states={
                subscription_id: known.facts.state
                for subscription_id, known in known_subscriptions(connection, name).items()
            },
        )


def views_of(held: Held, report: StepReport) -> dict[str, CustomerView]:
    """All that is known about each customer this run holds; who can't be looked at is told in the report."""
    views = {}
    for name in held.names:
        try:
            _apply_new_rules(held, name)
            views[name] = view_of(held.plane, name)
        except LeaseLostError as error:
            report.fail(name, str(error))
        except Exception as error:  # noqa: BLE001 - one customer's trouble is told, and is not the others'
            report.fail(name, repr(error))
    return views


def _apply_new_rules(held: Held, name: str) -> None:
    """Have a customer's targets judged anew where the policy or its own rules have changed since.

    What is nested in a resource and logs on its own is part of the policy too.
    """
    plane = held.plane
    with plane.store.read() as connection:
        customer = customer_named(connection, name)
        known = list(known_subscriptions(connection, name))
        if judged_by(connection, name) == rules_digest(plane, customer):
            return
    for subscription_id in known:
        with plane.store.write() as connection:
            held.prolong(connection, name)
            resources = known_resources(connection, name, subscription_id).values()
            targets = (each for one in resources for each in targets_of_resource(one.facts, plane.policy))
            put_targets(connection, name, list(targets), plane.clock.now())
    with plane.store.write() as connection:
        held.prolong(connection, name)
        unsettle(connection, name)
        note_judged_by(connection, name, rules_digest(plane, customer))


def rules_digest(plane: ControlPlane, customer: Customer) -> str:
    """Changes when any verdict on a customer's targets might, though nothing has changed in its Azure."""
    rules = (plane.own_name, customer.state, plane.policy.digest(customer.rules))
    return hashlib.sha256("\n".join(rules).encode()).hexdigest()
