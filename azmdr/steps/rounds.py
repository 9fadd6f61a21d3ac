"""Rounds: all steps for some customers, one after the other, as a person at a command line wants them."""

from collections.abc import Sequence

from azmdr.inventory.customers import Customer
from azmdr.steps.control_plane import ControlPlane, StepReport
from azmdr.steps.data_exports import reconcile_exports
from azmdr.steps.event_hubs import observe_event_hubs
from azmdr.steps.monitored_resources import find_resources
from azmdr.steps.resource_settings import reconcile_resources
from azmdr.steps.subscription_settings import reconcile_subscriptions
from azmdr.steps.subscriptions import find_subscriptions


def reconcile_all(plane: ControlPlane, customers: Sequence[Customer]) -> dict[str, StepReport]:
    """Every step once, in the order in which one builds on the other; reports by the assets' names.

    Raises:
        SignInError: there is no token to be had.
    """
    return {
        "event_hubs": observe_event_hubs(plane),
        "subscriptions": find_subscriptions(plane, customers),
        "monitored_resources": find_resources(plane, customers),
        "subscription_diagnostic_settings": reconcile_subscriptions(plane, customers),
        "resource_diagnostic_settings": reconcile_resources(plane, customers),
        "entra_data_exports": reconcile_exports(plane, customers),
    }
