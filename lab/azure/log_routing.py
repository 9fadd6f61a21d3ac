"""Log routing: which event hubs the logs of a target go to, by the diagnostic settings on it."""

from collections.abc import Iterator

from lab.azure.cloud import Cloud
from lab.azure.resource_id import ResourceId
from lab.customers import Hub


def hubs_taking(cloud: Cloud, target: str, category: str) -> Iterator[Hub]:
    """The event hubs that take a category of a target's logs; those that don't stand take nothing.

    Args:
        cloud: with the settings.
        target: a resource or a subscription.
        category: a log category; one that is in a group is taken with the group.
    """
    key = ResourceId.parse(target).key
    for _, setting in cloud.settings[key].all_latest():
        if setting.event_hub_rule_id is None or not setting.event_hub_name:
            continue
        if not any(each.enabled and (each.group or each.category == category) for each in setting.logs):
            continue
        namespace = ResourceId.parse(setting.event_hub_rule_id.lower().partition("/authorizationrules/")[0])
        if setting.event_hub_name.lower() in cloud.hubs[namespace.key]:
            yield Hub(namespace.name, setting.event_hub_name.lower(), keeps_empty_files=False)
