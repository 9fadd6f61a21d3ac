"""Resource ids: what their segments say, and how Azure spells the same id differently from answer to answer.

Ids are compared without regard to case, and Azure gives no promise about the case it answers with.
Source: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules and
github.com/hashicorp/terraform-provider-azurerm issues 10388 and 17172.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

_SUBSCRIPTION = re.compile(r"^/subscriptions/(?P<subscription>[0-9a-f-]{36})(?P<rest>/.*)?$", re.IGNORECASE)
_GROUP = re.compile(r"^/resourcegroups/(?P<group>[^/]+)(?P<rest>/.*)?$", re.IGNORECASE)
_RESOURCE = re.compile(r"^/providers/(?P<namespace>[^/]+)/(?P<tail>.+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ResourceId:
    """The id of a subscription, a resource group or a resource, as somebody spelled it."""

    text: str
    subscription_id: str
    group: str | None
    namespace: str | None
    types: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, text: str) -> "ResourceId":
        """Read an id.

        Raises:
            ValueError: it is not an id below a subscription, or its segments don't pair up.
        """
        text = "/" + text.strip("/")
        outer = _SUBSCRIPTION.match(text)
        if outer is None:
            raise ValueError(f"{text!r} is not below a subscription")
        rest, group = outer["rest"] or "", None
        if inner := _GROUP.match(rest):
            group, rest = inner["group"], inner["rest"] or ""
        if not rest:
            return cls(text, outer["subscription"].lower(), group, None, (), ())
        resource = _RESOURCE.match(rest)
        segments = resource["tail"].split("/") if resource else []
        if resource is None or len(segments) % 2 or not all(segments):
            raise ValueError(f"{text!r} does not name a resource")
        types, names = tuple(segments[::2]), tuple(segments[1::2])
        return cls(text, outer["subscription"].lower(), group, resource["namespace"], types, names)

    @property
    def key(self) -> str:
        """What two spellings of one id have in common."""
        return self.text.lower()

    @property
    def type(self) -> str:
        """The full type, such as ``Microsoft.Storage/storageAccounts/blobServices``."""
        if self.namespace is None:
            return "Microsoft.Resources/" + ("subscriptions" if self.group is None else "resourceGroups")
        return "/".join((self.namespace, *self.types))

    @property
    def name(self) -> str:
        """The name with those of its parents, such as ``account/default``."""
        return "/".join(self.names) or self.group or self.subscription_id

    @property
    def is_nested(self) -> bool:
        """Whether another resource is its parent."""
        return len(self.types) > 1

    @property
    def parent_key(self) -> str:
        """The key of what a nested resource belongs to."""
        return self.key.rsplit("/", 2)[0]


def within(key: str, scope_key: str) -> bool:
    """Whether an id stands at or below a scope; both as keys."""
    return key == scope_key or key.startswith(scope_key + "/")


def respelled(text: str, turn: int) -> str:
    """The id as Azure may spell it this time: as written, lower-cased, or with other segment names."""
    match turn % 3:
        case 0:
            return text
        case 1:
            return text.lower()
        case _:
            return re.sub(r"(?i)/(resourcegroups|providers/[^/]+)(?=/)", _swap_group_case, text)


def _swap_group_case(segment: re.Match[str]) -> str:
    spelled = segment[0]
    if spelled.lower() == "/resourcegroups":
        return "/resourceGroups" if spelled == "/resourcegroups" else "/resourcegroups"
    return "/providers/" + spelled.removeprefix("/").split("/")[1].lower()
