"""The step ``entra_data_exports``: Entra ID's logs flow from the customer's workspace to the region's hub.

Lighthouse does not reach Entra ID itself: its diagnostic setting sends to a workspace in the customer's own
tenant, which a person there has to set up once; from the workspace a data export rule of ours takes over.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from azmdr.azure.data_exports import WorkspaceExports
from azmdr.azure.dispatch import Call, Job, Source
from azmdr.azure.errors import AzureError
from azmdr.inventory.customers import Customer, CustomerState
from azmdr.inventory.resource_id import ResourceId
from azmdr.reconcile.data_export import DataExport
from azmdr.reconcile.plan import Plan, plan_export
from azmdr.reconcile.refusals import verdict_on
from azmdr.reconcile.verdict import Reason, Standing, Verdict
from azmdr.reconcile.wanted import CustomerView, wanted_export
from azmdr.steps.control_plane import ControlPlane, StepReport
from azmdr.steps.holding import hold
from azmdr.steps.sweep import Decisions, Sweep
from azmdr.steps.views import views_of
from azmdr.store.targets import DueTarget, Target, TargetKind, put_targets, targets_of_kind

_TYPE = "microsoft.operationalinsights/workspaces"


@dataclass(frozen=True, slots=True)
class _Workspace:
    """What of a workspace a decision about its export rests on."""

    region: str
    tables: frozenset[str]


def reconcile_exports(plane: ControlPlane, customers: Sequence[Customer]) -> StepReport:
    """Bring the data export rules of the customers' Entra ID workspaces to what they should be.

    Raises:
        SignInError: there is no token to be had.
    """
    report = StepReport()
    with hold(plane, [customer.name for customer in customers], report) as held:
        views = views_of(held, report)
        for view in views.values():
            _know_workspace(plane, view.customer)
        exports = _Exports(plane)
        sweep = Sweep(
            *(held, TargetKind.DATA_EXPORT, views, WorkspaceExports(plane.arm)),
            Decisions(exports.wanted, exports.plan),
            report,
        )
        sources = [Source(name, exports.jobs(sweep, name)) for name in views]
        tally = plane.work_off(sources, plane.until, held.give_sign_of_life)
        sweep.close()
        report.close(tally, held.names)
    return report


def _know_workspace(plane: ControlPlane, customer: Customer) -> None:
    """Keep a customer's workspace among the targets; one that it had before, and has again, is due again."""
    if customer.entra_workspace_id is None:
        return
    workspace = ResourceId.parse(customer.entra_workspace_id)
    with plane.store.write() as connection:
        known = targets_of_kind(connection, customer.name, TargetKind.DATA_EXPORT)
        if workspace.key not in {due.target.key for due in known if not due.settled}:
            target = Target(
                *(TargetKind.DATA_EXPORT, workspace.text, workspace.key, workspace.subscription_id),
                *(workspace.key, _TYPE),
            )
            put_targets(connection, customer.name, [target], plane.clock.now())


class _Exports:
    """The decisions about data export rules, and what of the workspaces they rest on."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._means = WorkspaceExports(plane.arm)
        self._workspaces: dict[str, _Workspace] = {}

    def jobs(self, sweep: Sweep[DataExport], customer: str) -> Iterator[Job]:
        """One for each workspace of a customer: the one it has, and those it had."""
        with self._plane.store.read() as connection:
            known = targets_of_kind(connection, customer, TargetKind.DATA_EXPORT)
        for due in known:
            if due.settled:
                continue
            yield self._job(sweep, customer, due)

    def _job(
        self, sweep: Sweep[DataExport], customer: str, due: DueTarget
    ) -> Generator[Call[Any], Any, Verdict]:
        view = sweep.view(customer)
        if _is_current(view.customer, due):
            if due.target.subscription_id not in view.subscription_states:
                told = f"subscription {due.target.subscription_id} is none the customer has delegated"
                return sweep.judge(customer, due, Verdict(Reason.WORKSPACE_MISSING, told))
            workspace = ResourceId.parse(due.target.id)
            try:
                found = yield self._means.workspace(workspace)
                tables = yield self._means.tables(workspace)
            except AzureError as error:
                verdict = verdict_on(error, wrote=False)
                if verdict.reason is Reason.NOT_FOUND:
                    verdict = Verdict(Reason.WORKSPACE_MISSING, verdict.detail)
                return sweep.judge(customer, due, verdict)
            self._workspaces[due.target.key] = _Workspace(found.region, tables)
        return (yield from sweep.job(customer, due))

    def wanted(self, view: CustomerView, due: DueTarget) -> DataExport | Verdict:
        """The rule a workspace should have."""
        if view.customer.state is not CustomerState.ACTIVE:
            return Verdict(Reason.CUSTOMER_LEAVES)
        if not _is_current(view.customer, due):
            return Verdict(Reason.EXCLUDED_SCOPE, "no longer the customer's workspace of Entra ID logs")
        workspace = self._workspaces[due.target.key]
        return wanted_export(view, workspace.region, workspace.tables)

    def plan(
        self, view: CustomerView, due: DueTarget, wanted: DataExport | Verdict, found: Sequence[DataExport]
    ) -> Plan[DataExport]:
        """What to do about a workspace's rules."""
        plan = plan_export(wanted, found, view.own_name)
        workspace = self._workspaces.get(due.target.key)
        if workspace is None:
            return plan
        if plan.counts_on_hub and (obstacle := view.hub_obstacle(workspace.region)):
            return Plan(obstacle, ours=plan.ours)
        present = {table.lower() for table in workspace.tables}
        tables = view.policy.entra_tables_for(view.customer.rules)
        missing = [table for table in tables if table.lower() not in present]
        if missing and plan.verdict.standing is Standing.COVERED:
            told = f"{plan.verdict.detail}; " if plan.verdict.detail else ""
            detail = f"{told}not in the workspace: {', '.join(missing)}"
            return replace(plan, verdict=replace(plan.verdict, detail=detail))
        return plan


def _is_current(customer: Customer, due: DueTarget) -> bool:
    current = customer.entra_workspace_id
    return (
        customer.state is CustomerState.ACTIVE
        and current is not None
        and ResourceId.parse(current).key == due.target.key
    )
