"""What azurerm refuses beyond its schema: values out of an enumeration or a range, names it can't take.

The enumerations and ranges are data, probed from azurerm 5.2.0. Names and formats it told of in words only
(``invalid value for name (...)``) stand here as patterns.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_NAMESPACE: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9]")
_HUB: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,254}[A-Za-z0-9])?")
_RULE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,58}[A-Za-z0-9])?")
_GROUP: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,48}[A-Za-z0-9])?")
_EVENT_GRID: Final = re.compile(r"[A-Za-z0-9-]{3,64}")
_QUEUE: Final = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}")
_ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}")
_ARCHIVE_TOKENS: Final = (
    "{Namespace}",
    "{EventHub}",
    "{PartitionId}",
    "{Year}",
    "{Month}",
    "{Day}",
    "{Hour}",
    "{Minute}",
    "{Second}",
)

PATTERNS: Final[dict[str, dict[str, re.Pattern[str]]]] = {
    "azurerm_eventhub": {"name": _HUB},
    "azurerm_eventhub_namespace": {"name": _NAMESPACE},
    "azurerm_eventhub_namespace_authorization_rule": {"name": _RULE, "namespace_name": _NAMESPACE},
    "azurerm_eventhub_consumer_group": {"name": _GROUP, "namespace_name": _NAMESPACE, "eventhub_name": _HUB},
    "azurerm_eventgrid_system_topic": {"name": _EVENT_GRID},
    "azurerm_eventgrid_system_topic_event_subscription": {"name": _EVENT_GRID},
    "azurerm_storage_account": {"name": _ACCOUNT},
    "azurerm_storage_container": {"name": _QUEUE},
    "azurerm_storage_queue": {"name": _QUEUE},
}
PARTITIONS: Final = range(1, 33)


class ValueRules:
    """Judges configuration by rules as ``azurerm-5.2.0-constraints.json`` holds them."""

    def __init__(self, constraints: Mapping[str, Any]) -> None:
        self._constraints = constraints

    def complaints(self, kind: str, config: Any) -> Iterator[str]:
        """What azurerm would say against a resource's configuration; unknown values are passed over."""
        for path, rule in self._constraints.get(kind, {}).get("attributes", {}).items():
            for value in _values(config, path.split(".")):
                if said := _against(rule, value):
                    yield f"{kind}: {path}: {said}"
        for name, pattern in PATTERNS.get(kind, {}).items():
            for value in _values(config, [name]):
                if isinstance(value, str) and not pattern.fullmatch(value):
                    yield f"{kind}: invalid value for {name}: {value!r}"
        if kind == "azurerm_eventhub":
            yield from _against_hub(config)


def _against_hub(config: Any) -> Iterator[str]:
    for count in _values(config, ["partition_count"]):
        if isinstance(count, (int, float)) and count not in PARTITIONS:
            yield "azurerm_eventhub: EventHub Partition Count has to be between 1 and 32"
    for text in _values(config, ["capture_description", "destination", "archive_name_format"]):
        if isinstance(text, str):
            for token in _ARCHIVE_TOKENS:
                if token not in text:
                    yield f'azurerm_eventhub: archive_name_format needs to contain "{token}"'


def _values(config: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(config, list):
        for each in config:
            yield from _values(each, path)
    elif not path:
        yield config
    elif isinstance(config, dict):
        yield from _values(config.get(path[0]), path[1:])


def _against(rule: Mapping[str, Any], value: Any) -> str | None:
    if isinstance(value, str):
        if "enum" in rule and value not in rule["enum"]:
            return f"expected one of {rule['enum']}, got {value!r}"
        if "length" in rule and not rule["length"][0] <= len(value) <= rule["length"][1]:
            return f"expected a length in {rule['length']}, got {len(value)}"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if "range" in rule and not rule["range"][0] <= value <= rule["range"][1]:
            return f"expected a number in {rule['range']}, got {value}"
        if "min" in rule and value < rule["min"]:
            return f"expected at least {rule['min']}, got {value}"
    return None
