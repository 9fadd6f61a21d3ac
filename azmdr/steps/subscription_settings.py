"""The step ``subscription_diagnostic_settings``: every subscription's activity log flows to its home hub."""

from collections.abc import Sequence

from azmdr.azure.diagnostic_settings import SubscriptionSettings
from azmdr.inventory.customers import Customer
from azmdr.inventory.regions import GLOBAL
from azmdr.reconcile.diagnostic_setting import DiagnosticSetting
from azmdr.reconcile.plan import Plan, plan_setting
from azmdr.reconcile.verdict import Verdict
from azmdr.reconcile.wanted import ACTIVITY_LOG, CustomerView, wanted_on_subscription
from azmdr.steps.control_plane import ControlPlane, StepReport
from azmdr.steps.holding import hold
from azmdr.steps.requests import Requests
from azmdr.steps.sweep import Decisions, Sweep
from azmdr.steps.views import views_of
from azmdr.store.targets import DueTarget, TargetKind


def reconcile_subscriptions(
    plane: ControlPlane, customers: Sequence[Customer], *, requested_only: bool = False
) -> StepReport:
    """Bring the diagnostic settings of the customers' subscriptions to what they should be.

    Args:
        plane: what the step works with.
        customers: whose subscriptions.
        requested_only: only those of which a change was seen in the stream.

    Raises:
        SignInError: there is no token to be had.
    """
    report = StepReport()
    with hold(plane, [customer.name for customer in customers], report) as held:
        views = views_of(held, report)
        decisions = Decisions(wanted_on_subscription, _plan)
        sweep = Sweep(
            held, TargetKind.SUBSCRIPTION, views, SubscriptionSettings(plane.arm), decisions, report
        )
        requests = Requests(sweep, TargetKind.SUBSCRIPTION, held)
        sources = [*requests.poll(), *([] if requested_only else sweep.sources())]
        tally = plane.work_off(sources, plane.until, requests.poll)
        sweep.close()
        report.close(tally, held.names)
    return report


def _plan(
    view: CustomerView,
    due: DueTarget,  # noqa: ARG001 - all subscriptions of a customer are alike
    wanted: DiagnosticSetting | Verdict,
    found: Sequence[DiagnosticSetting],
) -> Plan[DiagnosticSetting]:
    plan = plan_setting(wanted, found, view.own_name, ACTIVITY_LOG)
    if plan.counts_on_hub and (obstacle := view.hub_obstacle(GLOBAL)):
        return Plan(obstacle, ours=plan.ours)
    return plan
