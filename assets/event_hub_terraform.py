"""``event_hub_terraform``: the event hubs as Terraform, committed to the infrastructure repository."""

import re
from collections.abc import Iterator
from typing import Final

import dagster as dg

from assets.event_hub_mapping import event_hub_mapping
from assets.reconciling import TEAM, table
from azmdr.clock import SystemClock
from azmdr_dagster.resources import Deployment
from terraform_gen.event_hub_commit import commit_mapping
from terraform_gen.event_hub_mapping import MappingSettings, Proposal
from terraform_gen.guard import Verdict
from terraform_gen.hub_changes import commit_body, commit_title
from terraform_gen.repository import CommitResult

GUARD: Final = "destroy_guard"


@dg.asset(
    name="event_hub_terraform",
    group_name="infrastructure",
    owners=TEAM,
    kinds={"terraform", "github"},
    deps=[event_hub_mapping],
    description=(
        "The mapping as one Terraform file in the infrastructure repository, in one commit for all customers,"
        " made only when it differs. Terraform Cloud applies it without anybody looking at the plan, so the"
        " destroy guard looks before the commit."
    ),
    check_specs=[
        dg.AssetCheckSpec(
            GUARD,
            asset="event_hub_terraform",
            description=(
                "No event hub is removed on thin evidence: an inventory with gaps, too short a time without"
                " need, something that still arrives, more at once than a person allowed. A removal that is"
                " refused is not in the commit. `azmdr terraform approve` lets one through."
            ),
        )
    ],
)
def event_hub_terraform(
    context: dg.AssetExecutionContext, deployment: Deployment
) -> Iterator[dg.MaterializeResult[None]]:
    """Commit what the guard allows."""
    settings, mapping = deployment.settings, MappingSettings.of(deployment.settings)
    committed = commit_mapping(
        deployment.store, mapping, deployment.repository, settings.github_path, SystemClock()
    )
    proposal, changes, result = committed.proposal, committed.changes, committed.result
    context.log.info("%s: %s, %s", result.outcome, commit_title(changes), result.url)
    yield dg.MaterializeResult(
        metadata={
            "outcome": result.outcome.value,
            "event hubs": len(proposal.mapping.placements),
            **{kind: sum(each.kind == kind for each in changes) for kind in ("added", "removed", "grown")},
            "changes": dg.MetadataValue.md(commit_body(changes)),
            "diff": dg.MetadataValue.md(_fenced(result.diff) if result.diff else "nothing differs"),
            **_links(result),
            "waiting to be removed": table(("event hub", "why it stays"), sorted(proposal.waiting.items())),
        },
        check_results=[_check(proposal)],
    )


def _fenced(diff: str) -> str:
    """A diff as Markdown shows it, whatever stands in it."""
    fence = "~" * max(3, 1 + max(map(len, re.findall("~+", diff)), default=0))
    return f"{fence}diff\n{diff}\n{fence}"


def _links(result: CommitResult) -> dict[str, dg.MetadataValue]:
    found: dict[str, dg.MetadataValue] = {
        "commit": dg.MetadataValue.url(result.url),
        "commit id": dg.MetadataValue.text(result.sha),
    }
    if result.pull_request is not None:
        found["pull request"] = dg.MetadataValue.url(result.pull_request.url)
    return found


def _check(proposal: Proposal) -> dg.AssetCheckResult:
    verdict = proposal.verdict
    return dg.AssetCheckResult(
        check_name=GUARD,
        passed=verdict.allowed,
        description=_told(verdict) if verdict.refusals else None,
        metadata={
            "refused": dg.MetadataValue.md(verdict.markdown()) if verdict.refusals else "nothing",
            "approved by a person": verdict.approved,
            **({} if verdict.allowed or verdict.final else {"to approve": _command(verdict)}),
        },
    )


def _told(verdict: Verdict) -> str:
    hubs = "; ".join(f"{hub}: {', '.join(why)}" for hub, why in sorted(verdict.refusals.items()))
    return f"not removed: {hubs}" if not verdict.final else f"nothing is committed: {hubs}"


def _command(verdict: Verdict) -> str:
    return f"azmdr terraform approve {verdict.digest}"
