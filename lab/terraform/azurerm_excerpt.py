"""The part of azurerm 5.2 that the event hubs' code uses: its resources, with the arguments the code gives.

For a plan where the whole schemas are not at hand. What is here says of each argument what azurerm says of
it; what is not here is refused, though azurerm may know it. Source: azurerm's documentation of them.
"""

from collections.abc import Mapping
from typing import Any, Final

_TYPES: Final[Mapping[str, object]] = {
    "text": "string",
    "flag": "bool",
    "number": "number",
    "list": ["list", "string"],
    "set": ["set", "string"],
    "map": ["map", "string"],
    "rulesets": [
        "list",
        [
            "object",
            {
                "default_action": "string",
                "ip_rule": ["list", ["object", {"action": "string", "ip_mask": "string"}]],
                "public_network_access_enabled": "bool",
                "trusted_service_access_enabled": "bool",
                "virtual_network_rule": [
                    "set",
                    [
                        "object",
                        {
                            "ignore_missing_virtual_network_service_endpoint": "bool",
                            "subnet_id": "string",
                        },
                    ],
                ],
            },
        ],
    ],
}

Block = Mapping[str, Any]


def _block(needs: str = "", takes: str = "", tells: str = "", both: str = "", **blocks: Block) -> Block:
    """A block: arguments it needs, those it may be given, those Azure tells, those either may be."""
    flags = ((needs, ("required",)), (takes, ("optional",)), (tells, ("computed",)))
    attributes = {
        name: {"type": kind, **dict.fromkeys(told, True)}
        for words, told in (*flags, (both, ("optional", "computed")))
        for name, kind in map(_argument, words.split())
    }
    return {"attributes": attributes, "block_types": blocks}


def _argument(word: str) -> tuple[str, object]:
    name, _, kind = word.partition(":")
    return name, _TYPES[kind or "text"]


def _nested(most: int = 1, least: int = 0, /, **of: Any) -> Block:
    bounds = {name: number for name, number in (("min_items", least), ("max_items", most)) if number}
    return {"nesting_mode": "list", **bounds, "block": _block(**of)}


_IDENTITY: Final = _nested(needs="type", takes="identity_ids:set", tells="principal_id tenant_id")
_USER: Final = _nested(needs="type", takes="user_assigned_identity")
_DAYS: Final = _nested(takes="days:number")

RESOURCES: Final[Mapping[str, Block]] = {
    "azurerm_resource_group": _block("name location", "tags:map", both="id"),
    "azurerm_user_assigned_identity": _block(
        "name location resource_group_name", "tags:map", "client_id principal_id tenant_id", "id"
    ),
    "azurerm_role_assignment": _block(
        "scope principal_id", "description", both="id name role_definition_name principal_type"
    ),
    "azurerm_storage_account": _block(
        "name location resource_group_name account_tier account_replication_type",
        "account_kind is_hns_enabled:flag min_tls_version https_traffic_only_enabled:flag"
        " shared_access_key_enabled:flag default_to_oauth_authentication:flag"
        " allow_nested_items_to_be_public:flag cross_tenant_replication_enabled:flag"
        " local_user_enabled:flag public_network_access_enabled:flag tags:map",
        "primary_blob_endpoint primary_queue_endpoint",
        "id",
        network_rules=_nested(
            needs="default_action", both="bypass:set ip_rules:set virtual_network_subnet_ids:set"
        ),
        blob_properties=_nested(
            delete_retention_policy=_DAYS,
            container_delete_retention_policy=_DAYS,
        ),
    ),
    "azurerm_storage_container": _block("name storage_account_id", "container_access_type", both="id"),
    "azurerm_storage_queue": _block("name storage_account_id", both="id"),
    "azurerm_storage_management_policy": _block(
        "storage_account_id",
        both="id",
        rule=_nested(
            0,
            needs="name enabled:flag",
            filters=_nested(1, 1, needs="blob_types:set", takes="prefix_match:set"),
            actions=_nested(
                1,
                1,
                base_blob=_nested(
                    takes="tier_to_cool_after_days_since_creation_greater_than:number"
                    " delete_after_days_since_creation_greater_than:number"
                ),
            ),
        ),
    ),
    "azurerm_eventgrid_system_topic": _block(
        "name location resource_group_name topic_type source_resource_id",
        "tags:map",
        both="id",
        identity=_IDENTITY,
    ),
    "azurerm_eventgrid_system_topic_event_subscription": _block(
        "name system_topic resource_group_name",
        "event_delivery_schema",
        both="id included_event_types:list",
        subject_filter=_nested(takes="subject_begins_with subject_ends_with case_sensitive:flag"),
        storage_queue_endpoint=_nested(
            needs="storage_account_id queue_name", takes="queue_message_time_to_live_in_seconds:number"
        ),
        delivery_identity=_USER,
        dead_letter_identity=_USER,
        storage_blob_dead_letter_destination=_nested(needs="storage_account_id storage_blob_container_name"),
        retry_policy=_nested(needs="max_delivery_attempts:number event_time_to_live:number"),
    ),
    "azurerm_eventhub_namespace": _block(
        "name location resource_group_name sku",
        "capacity:number auto_inflate_enabled:flag maximum_throughput_units:number minimum_tls_version"
        " local_authentication_enabled:flag public_network_access_enabled:flag tags:map",
        both="id network_rulesets:rulesets",
        identity=_IDENTITY,
    ),
    "azurerm_eventhub_namespace_authorization_rule": _block(
        "name namespace_name resource_group_name", "send:flag listen:flag manage:flag", both="id"
    ),
    "azurerm_eventhub": _block(
        "name namespace_id partition_count:number",
        both="id",
        retention_description=_nested(needs="cleanup_policy", takes="retention_time_in_hours:number"),
        capture_description=_nested(
            needs="enabled:flag encoding",
            takes="interval_in_seconds:number size_limit_in_bytes:number skip_empty_archives:flag",
            destination=_nested(
                1,
                1,
                needs="name archive_name_format blob_container_name storage_account_id",
                takes="storage_authentication_type storage_authentication_id",
            ),
        ),
    ),
    "azurerm_eventhub_consumer_group": _block(
        "name eventhub_name namespace_name resource_group_name", both="id"
    ),
}

PROVIDER_BLOCK: Final = _block(
    takes="storage_use_azuread:flag",
    features=_nested(0, resource_group=_nested(0, takes="prevent_deletion_if_contains_resources:flag")),
)


def excerpt(provider: str) -> dict[str, object]:
    """The schemas as ``terraform providers schema -json`` would show them."""
    resources = {name: {"version": 0, "block": block} for name, block in RESOURCES.items()}
    shown = {"provider": {"version": 0, "block": PROVIDER_BLOCK}, "resource_schemas": resources}
    return {"format_version": "1.0", "provider_schemas": {provider: shown}}
