"""Stories of a single operation: every pattern of stages that real Activity Logs show, and some they might.

The patterns and how often they occur were counted in public samples; that a correlation id can be missing was
not seen there, but nothing promises it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from lab.activity_log import Request, Stage
from lab.request_bodies import WRITES
from lab.story import Outcome, Storyteller

Story: TypeAlias = Callable[[Storyteller], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One stage, ``after`` seconds into the operation."""

    stage: Stage
    after: float
    result: str = ""
    lag: float | None = None
    copies: int = 1
    again_after: float | None = None
    recased: bool = False
    """Spelled in another case than the Start."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """The stages of one operation, in order of event time, and what must come out of them."""

    story: str
    steps: tuple[Step, ...]
    outcome: Outcome
    attempts: int = 1
    ambiguous: bool = False
    weight: int = 1
    """How often a customer has it in a scenario of size 1."""

    @property
    def records(self) -> int:
        """Distinct records."""
        return len(self.steps)


_START: Final = Step(Stage.START, 0)
_CREATED: Final = Step(Stage.ACCEPT, 0.9, "Created")

PATTERNS: Final = (
    Pattern("start_success", (_START, Step(Stage.SUCCESS, 1.2, "OK")), Outcome.SUCCESS, weight=14),
    Pattern("start_accept_success", (_START, _CREATED, Step(Stage.SUCCESS, 6)), Outcome.SUCCESS, weight=8),
    Pattern("conflict", (_START, Step(Stage.FAILURE, 0.6, "Conflict")), Outcome.FAILURE, weight=3),
    Pattern("forbidden", (_START, Step(Stage.FAILURE, 0.3, "Forbidden")), Outcome.FAILURE, weight=3),
    Pattern("lone_final", (Step(Stage.SUCCESS, 0, "OK"),), Outcome.SUCCESS, weight=3),
    Pattern(
        "many_accepts",
        (_START, _CREATED, *(Step(Stage.ACCEPT, 2.0 * n) for n in range(1, 8)), Step(Stage.SUCCESS, 16)),
        Outcome.SUCCESS,
        weight=2,
    ),
    Pattern(
        "never_finished",
        (_START, _CREATED, Step(Stage.ACCEPT, 4), Step(Stage.ACCEPT, 8)),
        Outcome.ACCEPTED,
        weight=3,
    ),
    Pattern("start_only", (_START,), Outcome.STARTED, weight=2),
    Pattern(
        "retried_after_error",
        (
            _START,
            Step(Stage.FAILURE, 2, "InternalServerError"),
            Step(Stage.START, 5),
            Step(Stage.SUCCESS, 8, "OK"),
        ),
        Outcome.SUCCESS,
        attempts=2,
        weight=2,
    ),
    Pattern(
        "throttled_twice",
        (
            _START,
            Step(Stage.FAILURE, 0.5, "TooManyRequests"),
            Step(Stage.START, 3),
            Step(Stage.FAILURE, 3.5, "TooManyRequests"),
        ),
        Outcome.FAILURE,
        attempts=2,
    ),
    Pattern(
        "retry_still_running",
        (_START, Step(Stage.FAILURE, 1, "Conflict"), Step(Stage.START, 4), Step(Stage.ACCEPT, 5, "Created")),
        Outcome.ACCEPTED,
        attempts=2,
    ),
    Pattern(
        "overlapping",
        (
            *(Step(Stage.START, 0.05 * n) for n in range(9)),
            *(Step(Stage.SUCCESS, 0.5 + 0.05 * n, "OK") for n in range(9)),
        ),
        Outcome.SUCCESS,
        ambiguous=True,
    ),
    Pattern(
        "several_successes",
        (_START, _CREATED, Step(Stage.SUCCESS, 4), Step(Stage.SUCCESS, 9), Step(Stage.SUCCESS, 15)),
        Outcome.SUCCESS,
    ),
    Pattern(
        "case_changes",
        (_START, _CREATED, Step(Stage.SUCCESS, 5, recased=True)),
        Outcome.SUCCESS,
        weight=3,
    ),
    Pattern(
        "accept_after_success",
        (_START, Step(Stage.SUCCESS, 3, "OK"), Step(Stage.ACCEPT, 3.4, "Created")),
        Outcome.SUCCESS,
        weight=2,
    ),
    Pattern(
        "final_before_start",
        (Step(Stage.START, 0, lag=14), Step(Stage.SUCCESS, 1.5, "OK", lag=0.5)),
        Outcome.SUCCESS,
        weight=3,
    ),
    Pattern(
        "duplicates",
        (Step(Stage.START, 0, copies=2), Step(Stage.SUCCESS, 1.2, "OK", copies=3, again_after=9)),
        Outcome.SUCCESS,
        weight=3,
    ),
)


def play(tell: Storyteller, request: Request, pattern: Pattern, begins: float = 0.0) -> None:
    """Plant the pattern's stages for a request, and state its expectation."""
    starts = any(step.stage is Stage.START for step in pattern.steps)
    for step in pattern.steps:
        spelled = replace(request, resource_id=_other_case(request.resource_id)) if step.recased else request
        tell.stage(
            spelled,
            step.stage,
            begins + step.after,
            step.result,
            lag=step.lag,
            copies=step.copies,
            again_after=step.again_after,
            asynchronous=starts and step.stage is Stage.SUCCESS and not step.result,
        )
    tell.expect(request, pattern.outcome, pattern.records, pattern.attempts, pattern.ambiguous)


def story_of(pattern: Pattern) -> Story:
    """The pattern as a story: a write of some kind that goes this way."""

    def tell_it(tell: Storyteller) -> None:
        write = tell.rng.choice(WRITES)
        play(tell, tell.request(write.operation, write.body(tell.rng)), pattern)

    return tell_it


def deleted_child(tell: Storyteller) -> None:
    """A role assignment vanished: Azure writes its final and no Start."""
    request = tell.request("Microsoft.Authorization/roleAssignments/delete")
    tell.stage(request, Stage.SUCCESS, 0, "OK")
    tell.expect(request, Outcome.SUCCESS, records=1)


def legacy_categories(tell: Storyteller) -> None:
    """Exports of the first years had the verb as category."""
    for verb, operation in (
        ("Write", "Microsoft.Support/supportTickets/write"),
        ("Action", "Microsoft.EventHub/namespaces/authorizationRules/listKeys/action"),
    ):
        request = replace(tell.request(operation), category=verb)
        tell.stage(request, Stage.START, 0)
        tell.stage(request, Stage.SUCCESS, 1, "Created")
        tell.expect(request, Outcome.SUCCESS, records=2)


def uncorrelated(tell: Storyteller) -> None:
    """Records without a correlation id: each is an operation of its own."""
    for stage, result, outcome in (
        (Stage.START, "", Outcome.STARTED),
        (Stage.SUCCESS, "OK", Outcome.SUCCESS),
    ):
        request = tell.request("Microsoft.Web/sites/write", correlated=False)
        tell.stage(request, stage, 0, result)
        tell.expect(request, outcome, records=1)


SINGLE_STORIES: Final[dict[str, tuple[Story, int]]] = {
    **{pattern.story: (story_of(pattern), pattern.weight) for pattern in PATTERNS},
    "deleted_child": (deleted_child, 3),
    "legacy_categories": (legacy_categories, 1),
    "uncorrelated": (uncorrelated, 1),
}
"""Stories by name, with how often a customer has each in a scenario of size 1."""


def _other_case(resource_id: str) -> str:
    return resource_id.lower().replace("/resourcegroups/", "/resourceGroups/")
