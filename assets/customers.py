"""``customers``: whose Azure we watch, as the provider's people have registered them."""

from collections import Counter

import dagster as dg

from assets.reconciling import TEAM, table
from azmdr.store.customers import all_customers
from azmdr_dagster.partitions import known_customers
from azmdr_dagster.resources import Deployment


@dg.asset(
    name="customers",
    group_name="inventory",
    owners=TEAM,
    kinds={"azure"},
    description=(
        "The registry of customers: name, Entra ID tenant, home region, the workspace of their Entra ID logs."
        " People keep it with `azmdr customer add`, `set` and `remove`. Every customer in it becomes a"
        " partition of the assets behind this one. None is ever taken away, since the lake has its data."
    ),
)
def customers(context: dg.AssetExecutionContext, deployment: Deployment) -> dg.MaterializeResult[None]:
    """Mirror the registry into the partitions."""
    with deployment.store.read() as connection:
        registered = all_customers(connection)
    names = [one.name for one in registered]
    strangers = [key for key in known_customers(context.instance, names) if key not in set(names)]
    states = Counter(one.state for one in registered)
    columns = ("customer", "tenant", "home region", "state", "dry run", "Entra ID workspace")
    rows = [
        (
            *(one.name, one.tenant_id, one.home_region, one.state, "yes" if one.dry_run else ""),
            (one.entra_workspace_id or "").rpartition("/")[2],
        )
        for one in registered
    ]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(registered),
            **{f"customers: {state}": number for state, number in sorted(states.items())},
            "customers: dry run": sum(one.dry_run for one in registered),
            "customers": table(columns, rows),
            "capture files of, but not registered": ", ".join(strangers) or "nobody",
        }
    )
