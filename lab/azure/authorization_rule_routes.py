"""Authorization rules of event hub namespaces over HTTP, and the keys behind them."""

from typing import Final

from lab.azure.arm_error import not_found
from lab.azure.call import Body, Call, Route
from lab.azure.event_hub_routes import VERSIONS, ready_namespace
from lab.azure.event_hubs import AuthorizationRule, check_rule
from lab.azure.paging import page
from lab.azure.resource_id import respelled
from lab.azure.wire import Answer


class _RuleProperties(Body):
    rights: tuple[str, ...]


class _RuleBody(Body):
    properties: _RuleProperties


def _list_rules(call: Call) -> Answer:
    call.cloud.existing(call.scope)
    rules = call.cloud.rules[call.scope.key]
    return Answer(200, page(call.request, rules, call.cloud.page_size, lambda each: _shown_rule(call, each)))


def _get_rule(call: Call) -> Answer:
    return Answer(200, _shown_rule(call, _rule(call)))


def _put_rule(call: Call) -> Answer:
    ready_namespace(call)
    rule = AuthorizationRule(call.parts["rule"], call.body(_RuleBody).properties.rights)
    rules = call.cloud.rules[call.scope.key]
    check_rule(rule, [each for name, each in rules.items() if name != rule.name.lower()])
    rules[rule.name.lower()] = rule
    return Answer(200, _shown_rule(call, rule))


def _delete_rule(call: Call) -> Answer:
    gone = call.cloud.rules[call.scope.key].pop(call.parts["rule"].lower(), None)
    return Answer(200 if gone else 204)


def _list_keys(call: Call) -> Answer:
    rule, place = _rule(call), call.scope.key
    endpoint = f"Endpoint=sb://{call.scope.names[0].lower()}.servicebus.windows.net/"
    keys = {which: rule.key(place, which) for which in ("primary", "secondary")}
    connections = {
        f"{which}ConnectionString": f"{endpoint};SharedAccessKeyName={rule.name};SharedAccessKey={key}"
        for which, key in keys.items()
    }
    named = {f"{which}Key": key for which, key in keys.items()}
    return Answer(200, {**connections, **named, "keyName": rule.name})


def _rule(call: Call) -> AuthorizationRule:
    call.cloud.existing(call.scope)
    rule = call.cloud.rules[call.scope.key].get(call.parts["rule"].lower())
    if rule is None:
        raise not_found(f"The authorization rule '{call.parts['rule']}' was not found.")
    return rule


def _shown_rule(call: Call, rule: AuthorizationRule) -> dict[str, object]:
    return {
        "id": f"{respelled(call.scope.text, call.turn)}/authorizationRules/{rule.name}",
        "name": rule.name,
        "type": "Microsoft.EventHub/namespaces/authorizationRules",
        "properties": {"rights": list(rule.rights)},
    }


_RULES: Final = "{namespace}/authorizationRules"
_OF_RULE: Final = "Microsoft.EventHub/namespaces/authorizationRules/"

ROUTES: Final = (
    Route("GET", _RULES, VERSIONS, _list_rules, _OF_RULE + "read"),
    Route("GET", _RULES + "/{rule}", VERSIONS, _get_rule, _OF_RULE + "read"),
    Route("PUT", _RULES + "/{rule}", VERSIONS, _put_rule, _OF_RULE + "write"),
    Route("DELETE", _RULES + "/{rule}", VERSIONS, _delete_rule, _OF_RULE + "delete"),
    Route("POST", _RULES + "/{rule}/listKeys", VERSIONS, _list_keys, _OF_RULE + "listkeys/action"),
)
