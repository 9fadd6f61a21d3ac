import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from lab.broken_stories import NESTED_LEVELS
from lab.customers import CUSTOMERS
from lab.operation_stories import PATTERNS
from lab.scenario import LONGEST_SECONDS, STORIES, PlannedEvent, Scenario, plan_scenario
from lab.story import ExpectedOperation

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CONDENSED_CATEGORIES = {"Administrative", "Write", "Delete", "Action", "Policy"}
ORDER = {"Start": 0, "Accept": 1, "Success": 2, "Failure": 2}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return plan_scenario(7, START)


def records_of(body: bytes) -> Iterator[dict[str, Any] | None]:
    """The records of a body, and None for each piece that is none: found by trial, not by the lab's word."""
    try:
        whole = json.loads(body)
    except ValueError:
        whole = None
    if whole is not None:
        yield from whole["records"]
        return
    text = body.decode()
    if not text.startswith('{"records":['):
        yield None
        return
    position = text.index("[") + 1
    while position < len(text) and text[position] == "{":
        try:
            record, position = json.JSONDecoder().raw_decode(text, position)
            yield record
        except ValueError:
            yield None
            position = text.index("},{", position) + 1
        position += 1


def is_stage(record: dict[str, Any]) -> bool:
    return (
        record.get("category") in CONDENSED_CATEGORIES
        and record.get("resultType") in ORDER
        and "/" in record["operationName"]
    )


def key_of(record: dict[str, Any]) -> tuple[str, str, str]:
    lone = record["time"] + record["resourceId"]
    return (
        record.get("correlationId", lone).lower(),
        record["operationName"].lower(),
        record["resourceId"].lower(),
    )


def recounted(stages: list[dict[str, Any]]) -> tuple[str, int, int, bool]:
    """Outcome, attempts, distinct records and ambiguity, told from the records alone."""
    distinct = {json.dumps(stage, sort_keys=True): stage for stage in stages}.values()
    attempts: list[list[str]] = []
    for stage in sorted(distinct, key=lambda stage: (stage["time"], ORDER[stage["resultType"]])):
        ended = bool(attempts) and bool({"Success", "Failure"} & set(attempts[-1]))
        if not attempts or (stage["resultType"] == "Start" and ended):
            attempts.append([])
        attempts[-1].append(stage["resultType"])
    last = set(attempts[-1])
    outcome = next(
        outcome
        for stage, outcome in (
            ("Failure", "failure"),
            ("Success", "success"),
            ("Accept", "accepted"),
            ("Start", "started"),
        )
        if stage in last
    )
    ambiguous = any(attempt.count("Start") > 1 for attempt in attempts)
    return outcome, len(attempts), len(distinct), ambiguous


def events_of(scenario: Scenario, customer: str) -> list[PlannedEvent]:
    return [event for event in scenario.events if event.hub.name == customer]


def pieces_of(scenario: Scenario, customer: str) -> list[dict[str, Any] | None]:
    return [
        piece for event in events_of(scenario, customer) if event.body for piece in records_of(event.body)
    ]


def stages_by_key(scenario: Scenario, customer: str) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    stages: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for record in pieces_of(scenario, customer):
        if record is not None and is_stage(record):
            stages[key_of(record)].append(record)
    return stages


def test_the_same_seed_gives_the_same_scenario(scenario: Scenario) -> None:
    assert plan_scenario(7, START) == scenario


def test_another_seed_gives_other_operations(scenario: Scenario) -> None:
    def correlation_ids(told: Scenario) -> set[str | None]:
        return {operation.correlation_id for operation in told.expected} - {None}

    assert correlation_ids(plan_scenario(8, START)).isdisjoint(correlation_ids(scenario))


@pytest.mark.parametrize("customer", [customer.name for customer in CUSTOMERS])
def test_what_is_expected_of_every_operation_can_be_recounted_from_the_bodies(
    scenario: Scenario, customer: str
) -> None:
    stages = stages_by_key(scenario, customer)
    told = {key: recounted(records) for key, records in stages.items()}
    expected = {
        (
            (operation.correlation_id or "").lower(),
            operation.operation_name.lower(),
            operation.resource_id.lower(),
        ): (operation.outcome.value, operation.attempts, operation.records, operation.ambiguous)
        for operation in scenario.expected
        if operation.customer == customer
    }
    for (correlation, operation, resource), counted in told.items():
        correlated = correlation if "/" not in correlation else ""
        assert expected.pop((correlated, operation, resource)) == counted
    assert not expected


@pytest.mark.parametrize("customer", [customer.name for customer in CUSTOMERS])
def test_the_totals_can_be_recounted_from_the_bodies(scenario: Scenario, customer: str) -> None:
    pieces = pieces_of(scenario, customer)
    records = [piece for piece in pieces if piece is not None]
    passing = [record for record in records if not is_stage(record)]
    stages = stages_by_key(scenario, customer)
    distinct_stages = sum(recounted(of_one)[2] for of_one in stages.values())
    sign_ins = Counter(
        record["properties"]["id"]
        for record in passing
        if record.get("category") in {"SignInLogs", "NonInteractiveUserSignInLogs"}
    )
    reemitted = sum(times - 1 for times in sign_ins.values())
    totals = scenario.totals[customer]

    assert totals.records == len(pieces) == sum(event.pieces for event in events_of(scenario, customer))
    assert totals.quarantined == pieces.count(None)
    assert totals.operations == len(stages)
    assert totals.operation_records == distinct_stages
    assert totals.duplicates == sum(map(len, stages.values())) - distinct_stages
    assert totals.reemitted == reemitted > 0
    assert totals.passed_through == len(passing) - reemitted
    assert len({json.dumps(record) for record in passing}) == len(passing)


def test_no_two_expectations_are_of_one_operation(scenario: Scenario) -> None:
    def identity(operation: ExpectedOperation) -> tuple[str | None, ...]:
        return operation.customer, operation.correlation_id, operation.operation_name, operation.resource_id

    assert max(Counter(map(identity, scenario.expected)).values()) == 1


@pytest.mark.parametrize("size", [0.0, 1.0])
def test_every_customer_has_every_story_whatever_the_size(size: float) -> None:
    scenario = plan_scenario(3, START, size)
    operationless = {
        "data_plane",
        "every_resource_log",
        "identity",
        "reemitted_sign_in",
        "notices",
        "text_instead_of_json",
        "broken_among_good",
        "deeply_nested",
        "empty_event",
        "unreadable_time",
    }
    for customer in CUSTOMERS:
        told = {operation.story for operation in scenario.expected if operation.customer == customer.name}
        assert told >= STORIES.keys() - operationless


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.story)
def test_every_pattern_of_stages_reaches_the_hubs(scenario: Scenario, pattern: Any) -> None:
    operation = next(operation for operation in scenario.expected if operation.story == pattern.story)
    key = (
        str(operation.correlation_id).lower(),
        operation.operation_name.lower(),
        operation.resource_id.lower(),
    )
    arrived = stages_by_key(scenario, operation.customer)[key]
    distinct = {json.dumps(stage): stage for stage in arrived}.values()
    in_time = sorted(distinct, key=lambda stage: stage["time"])
    assert [stage["resultType"] for stage in in_time] == [step.stage.value for step in pattern.steps]


def test_a_final_can_reach_the_hub_well_before_its_start(scenario: Scenario) -> None:
    ids = {
        operation.correlation_id for operation in scenario.expected if operation.story == "final_before_start"
    }
    arrivals: dict[tuple[str | None, str], float] = {}
    for event in scenario.events:
        for record in records_of(event.body or b"-"):
            if record and record.get("correlationId") in ids:
                arrivals[record["correlationId"], record["resultType"]] = event.at
    assert len(ids) == 9
    assert all(arrivals[one, "Success"] + 5 < arrivals[one, "Start"] for one in ids)


def test_an_exact_duplicate_comes_in_the_same_body_and_in_a_later_one(scenario: Scenario) -> None:
    duplicated = {
        operation.correlation_id for operation in scenario.expected if operation.story == "duplicates"
    }
    finals: dict[str, list[float]] = defaultdict(list)
    for event in scenario.events:
        for record in records_of(event.body or b"-"):
            if record and record.get("correlationId") in duplicated and record["resultType"] == "Success":
                finals[json.dumps(record)].append(event.at)
    assert len(finals) == len(duplicated)
    for at in finals.values():
        assert [at.count(moment) for moment in sorted(set(at))] == [3, 1]


def test_records_of_one_operation_land_in_different_partitions(scenario: Scenario) -> None:
    partitions: dict[str, set[int]] = defaultdict(set)
    for event in scenario.events:
        for record in records_of(event.body or b"-"):
            if record and is_stage(record):
                partitions[str(key_of(record))].add(event.partition)
    several = [of_one for of_one in partitions.values() if len(of_one) > 1]
    assert len(several) > len(scenario.expected) / 3


def test_no_customers_record_is_in_another_ones_hub(scenario: Scenario) -> None:
    for customer in CUSTOMERS:
        own = {customer.tenant_id, *(subscription.id for subscription in customer.subscriptions)}
        for record in pieces_of(scenario, customer.name):
            if record is None:
                continue
            scope = str(record.get("resourceId", record.get("AADTenantId"))).lower()
            tenant_wide = scope == "/providers/microsoft.authorization"
            assert tenant_wide or any(identity in scope for identity in own)


def test_records_have_the_size_of_real_ones(scenario: Scenario) -> None:
    sizes = sorted(
        len(json.dumps(record))
        for customer in CUSTOMERS
        for record in pieces_of(scenario, customer.name)
        if record is not None and is_stage(record)
    )
    assert 2000 < sizes[len(sizes) // 2] < 4000
    assert max(len(event.body or b"") for event in scenario.events) < 256 * 1024


def test_a_hundred_levels_of_nesting_are_a_well_formed_record(scenario: Scenario) -> None:
    depths = [
        depth_of(record["properties"])
        for customer in CUSTOMERS
        for record in pieces_of(scenario, customer.name)
        if record is not None and record.get("category") == "NetworkSecurityGroupFlowEvent"
    ]
    assert depths.count(NESTED_LEVELS) == len(CUSTOMERS)


def depth_of(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth_of, children), default=0) if isinstance(value, dict | list) else 0


def test_there_are_events_without_a_body(scenario: Scenario) -> None:
    assert sum(event.body is None for event in scenario.events) == len(CUSTOMERS)


def test_a_scenario_fits_into_a_minute_and_a_half() -> None:
    assert all(plan_scenario(seed, START, 0.5).span < LONGEST_SECONDS - 20 for seed in range(5))
