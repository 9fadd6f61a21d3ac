"""What is promised of the code location as a whole, before anything runs."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dagster as dg
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster_shared.serdes import serialize_value

from assets.condensed_tables import CondenseConfig
from assets.diagnostic_settings import SettingsConfig
from assets.monitored_resources import ListingConfig
from azmdr_dagster.definitions import definitions
from azmdr_dagster.jobs import of_each_customer
from lab.azurite import ACCOUNT_KEY

ROOT: Final = Path(__file__).parents[2]
LOAD_CPU_SECONDS: Final = 5.0
PARTITIONS: Final = "customers x days"
TEAM: Final = frozenset({"team:detection-engineering"})
OPERATIONS_TEAM: Final = frozenset({"team:cloud-operations"})
TABLE_KINDS: Final = frozenset({"azure", "polars", "parquet"})
AZURE: Final = frozenset({"azure"})


@dataclass(frozen=True, slots=True)
class AssetPromise:
    """What a reader of the lineage page sees of an asset."""

    deps: frozenset[str]
    group: str
    owners: frozenset[str]
    kinds: frozenset[str]
    partitions: str | None
    checks: frozenset[str] = frozenset()


def table(checks: frozenset[str] = frozenset()) -> AssetPromise:
    return AssetPromise(frozenset({"capture_files"}), "capture", TEAM, TABLE_KINDS, PARTITIONS, checks)


def per_customer(group: str, *deps: str, checks: tuple[str, ...]) -> AssetPromise:
    return AssetPromise(frozenset(deps), group, OPERATIONS_TEAM, AZURE, "customers", frozenset(checks))


SERVED: Final = "customers_reconciled"
LISTED: Final = "inventory_complete"
EXPECTED: Final = {
    "customers": AssetPromise(frozenset(), "inventory", OPERATIONS_TEAM, AZURE, partitions=None),
    "event_hub_mapping": AssetPromise(
        frozenset({"monitored_resources"}),
        "infrastructure",
        OPERATIONS_TEAM,
        frozenset({"azure", "eventhubs"}),
        None,
        frozenset({"every_need_has_a_hub"}),
    ),
    "event_hub_terraform": AssetPromise(
        frozenset({"event_hub_mapping"}),
        "infrastructure",
        OPERATIONS_TEAM,
        frozenset({"terraform", "github"}),
        None,
        frozenset({"destroy_guard"}),
    ),
    "event_hubs": AssetPromise(
        frozenset({"event_hub_terraform"}),
        "infrastructure",
        OPERATIONS_TEAM,
        frozenset({"azure", "eventhubs"}),
        None,
        frozenset({"event_hubs_listed"}),
    ),
    "subscriptions": per_customer("inventory", "customers", checks=(SERVED, LISTED)),
    "monitored_resources": per_customer("inventory", "subscriptions", checks=(SERVED, LISTED)),
    "subscription_diagnostic_settings": per_customer(
        "collection", "event_hubs", "subscriptions", checks=(SERVED,)
    ),
    "resource_diagnostic_settings": per_customer(
        "collection", "event_hubs", "monitored_resources", checks=(SERVED,)
    ),
    "entra_data_exports": per_customer(
        "collection", "event_hubs", "customers", "subscriptions", checks=(SERVED,)
    ),
    "coverage": per_customer(
        "collection",
        "event_hubs",
        "customers",
        "subscriptions",
        "monitored_resources",
        "subscription_diagnostic_settings",
        "resource_diagnostic_settings",
        "entra_data_exports",
        checks=("coverage_adds_up", "nothing_blocked"),
    ),
    "capture_files": AssetPromise(
        frozenset(), "capture", TEAM, frozenset({"azure", "eventhubs", "avro"}), partitions=None
    ),
    "activity_records": table(frozenset({"capture_files_read"})),
    "operations": table(frozenset({"records_conserved (blocking)"})),
    "quarantined_records": table(),
    "compacted_days": AssetPromise(
        frozenset({"operations"}),
        "capture",
        TEAM,
        frozenset({"polars", "parquet"}),
        PARTITIONS,
        frozenset({"days_compacted"}),
    ),
}


def promises() -> dict[str, AssetPromise]:
    """The assets as they are, in the words of ``EXPECTED``."""
    graph = definitions.resolve_asset_graph()
    checks = {key: check for one in definitions.assets or [] for key, check in checks_of(one).items()}
    return {
        spec.key.to_user_string(): AssetPromise(
            deps=frozenset(dep.asset_key.to_user_string() for dep in spec.deps),
            group=spec.group_name or "",
            owners=frozenset(spec.owners),
            kinds=frozenset(spec.kinds),
            partitions=partitions_of(spec.partitions_def),
            checks=frozenset(
                f"{key.name}{' (blocking)' * checks[key].blocking}"
                for key in graph.asset_check_keys
                if key.asset_key == spec.key
            ),
        )
        for spec in definitions.resolve_all_asset_specs()
    }


def checks_of(assets: object) -> dict[dg.AssetCheckKey, dg.AssetCheckSpec]:
    return {spec.key: spec for spec in assets.check_specs} if isinstance(assets, dg.AssetsDefinition) else {}


def partitions_of(partitions: dg.PartitionsDefinition | None) -> str | None:
    if isinstance(partitions, dg.DynamicPartitionsDefinition):
        return partitions.name
    if not isinstance(partitions, dg.MultiPartitionsDefinition):
        return None
    by_dimension = {one.name: one.partitions_def for one in partitions.partitions_defs}
    customers, days = by_dimension["customer"], by_dimension["day"]
    assert isinstance(customers, dg.DynamicPartitionsDefinition)
    assert isinstance(days, dg.DailyPartitionsDefinition)
    return f"{customers.name} x days"


def serialized() -> str:
    """The repository as the code server hands it to webserver and daemon."""
    return serialize_value(RepositorySnap.from_def(definitions.get_repository_def()))


def in_a_fresh_interpreter(code: str, folder: Path = ROOT, **environment: str) -> str:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AZMDR_")}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=folder,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_it_loads_in_a_fresh_interpreter_within_five_seconds_of_cpu() -> None:
    # Dagster loads it anew in the webserver, the daemon and every run.
    code = "import time, azmdr_dagster.definitions as it; print(time.process_time(), len(it.default_assets))"
    seconds, assets = in_a_fresh_interpreter(code).split()
    assert float(seconds) < LOAD_CPU_SECONDS
    assert int(assets) > 0


def test_it_loads_where_nothing_is_configured(tmp_path: Path) -> None:
    # A missing address is a failed run that names the key, never a code location that does not load.
    code = "import azmdr_dagster.definitions; print('loaded')"
    assert in_a_fresh_interpreter(code, folder=tmp_path) == "loaded\n"
    assert list(tmp_path.iterdir()) == []


def test_all_of_it_can_be_loaded() -> None:
    dg.Definitions.validate_loadable(definitions)


def test_the_assets_are_these() -> None:
    assert promises() == EXPECTED


def test_the_customer_is_the_first_dimension_so_that_a_range_is_one_of_customers() -> None:
    (spec,) = (one for one in definitions.resolve_all_asset_specs() if one.key == dg.AssetKey("operations"))
    assert isinstance(spec.partitions_def, dg.MultiPartitionsDefinition)
    assert [one.name for one in spec.partitions_def.partitions_defs] == ["customer", "day"]


def test_a_backfill_is_one_run() -> None:
    for name in (name for name, promise in EXPECTED.items() if promise.partitions):
        assert definitions.resolve_assets_def(name).backfill_policy == dg.BackfillPolicy.single_run(), name


def test_every_asset_and_check_has_a_description_and_every_table_its_columns() -> None:
    for spec in definitions.resolve_all_asset_specs():
        name = spec.key.to_user_string()
        assert spec.description, name
        if EXPECTED[name].partitions == PARTITIONS:
            assert isinstance(spec.metadata["dagster/column_schema"], dg.TableSchema), name
    for assets in definitions.assets or []:
        assert all(spec.description for spec in checks_of(assets).values())


def test_every_job_sensor_and_schedule_has_a_description() -> None:
    repository = definitions.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    described = {
        **{job.name: job.description for job in jobs},
        **{sensor.name: sensor.description for sensor in repository.sensor_defs},
        **{schedule.name: schedule.description for schedule in repository.schedule_defs},
    }
    assert len(described) == 18
    assert [name for name, description in described.items() if not description] == []


def test_every_field_of_a_launchpad_is_described() -> None:
    for config in (CondenseConfig, ListingConfig, SettingsConfig):
        assert [name for name, field in config.model_fields.items() if not field.description] == []


def test_a_slice_has_all_done_that_there_is_for_customers() -> None:
    wanted = {name for name, promise in EXPECTED.items() if promise.partitions == "customers"}
    assert {step.key.to_user_string() for step in of_each_customer} == wanted
    job = definitions.resolve_job_def("reconcile_customers")
    made = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert made == wanted | {"event_hubs"}


def test_sensors_and_schedules_are_on_by_default() -> None:
    repository = definitions.get_repository_def()
    assert {one.default_status for one in repository.sensor_defs} == {dg.DefaultSensorStatus.RUNNING}
    assert {one.default_status for one in repository.schedule_defs} == {dg.DefaultScheduleStatus.RUNNING}


def test_it_can_be_handed_to_the_webserver() -> None:
    # `dagster definitions validate` is content with an enum as an asset key; the webserver is not.
    text = serialized()
    for name in EXPECTED:
        assert f'"{name}"' in text


def test_no_secret_and_no_address_is_in_what_is_handed_over() -> None:
    text = in_a_fresh_interpreter(
        "from tests.code_location.test_definitions import serialized; print(serialized())",
        AZMDR_STORE_URL="postgresql+psycopg://azmdr:hunter2-store@store.internal/azmdr",
        AZMDR_STORAGE_ACCOUNT_KEY=ACCOUNT_KEY,
        AZMDR_CLIENT_SECRET="hunter2-client",
    )
    assert len(text) > 10_000
    for secret in ("hunter2-store", "hunter2-client", "store.internal", ACCOUNT_KEY[:20]):
        assert secret not in text
