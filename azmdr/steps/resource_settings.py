"""The step ``resource_diagnostic_settings``: every resource's wanted logs flow to the hub of its region."""

from collections.abc import Sequence
from functools import partial

from azmdr.azure.diagnostic_settings import ResourceSettings
from azmdr.azure.dispatch import Tally
from azmdr.inventory.customers import Customer
from azmdr.reconcile.diagnostic_setting import DiagnosticSetting
from azmdr.reconcile.log_catalogue import LogCatalogue
from azmdr.reconcile.plan import Plan, plan_setting
from azmdr.reconcile.verdict import Verdict
from azmdr.reconcile.wanted import CustomerView, wanted_on_resource
from azmdr.steps.control_plane import ControlPlane, StepReport
from azmdr.steps.holding import hold
from azmdr.steps.log_categories import learn_due_categories, learn_for
from azmdr.steps.requests import Requests
from azmdr.steps.sweep import Decisions, Sweep
from azmdr.steps.views import views_of
from azmdr.store.targets import DueTarget, TargetKind


def reconcile_resources(
    plane: ControlPlane, customers: Sequence[Customer], *, requested_only: bool = False
) -> StepReport:
    """Bring the diagnostic settings of the customers' resources to what they should be.

    Args:
        plane: what the step works with.
        customers: whose resources.
        requested_only: only those of which a change was seen in the stream.

    Raises:
        SignInError: there is no token to be had.
    """
    report = StepReport()
    until = plane.until
    with hold(plane, [customer.name for customer in customers], report) as held:
        views = views_of(held, report)
        tally = Tally() if requested_only else learn_due_categories(held, views, until)
        sweep = Sweep(
            *(held, TargetKind.RESOURCE, views, ResourceSettings(plane.arm)),
            Decisions(wanted_on_resource, _plan, partial(learn_for, held)),
            report,
        )
        requests = Requests(sweep, TargetKind.RESOURCE, held)
        sources = [*requests.poll(), *([] if requested_only else sweep.sources())]
        tally += plane.work_off(sources, until, requests.poll)
        sweep.close()
        report.close(tally, held.names)
    return report


def _plan(
    view: CustomerView,
    due: DueTarget,
    wanted: DiagnosticSetting | Verdict,
    found: Sequence[DiagnosticSetting],
) -> Plan[DiagnosticSetting]:
    catalogue = view.catalogues.get((due.target.type, due.variant)) or LogCatalogue({})
    plan = plan_setting(wanted, found, view.own_name, catalogue)
    if plan.counts_on_hub and (obstacle := view.hub_obstacle(due.location)):
        return Plan(obstacle, ours=plan.ours)
    return plan
