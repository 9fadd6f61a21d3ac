"""Resource ids: what their segments say.

Azure compares ids without regard to case and answers with any case it likes, so two spellings of one id
have one key. Source: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

# Azure takes no control characters in names. A dot or two would be a step up the path of a request's address.
_NAME: Final = r"(?!\.\.?(?:/|$))[^/\x00-\x1f\x7f]+"
_ID: Final = re.compile(
    r"/subscriptions/(?P<subscription>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"
    rf"(?:/resourcegroups/(?P<group>{_NAME}))?"
    rf"(?:/providers/(?P<provider>{_NAME})/(?P<tail>{_NAME}/{_NAME}(?:/{_NAME}/{_NAME})*))?",
    re.IGNORECASE,
)


class ResourceIdError(ValueError):
    """A text that is no id of a subscription, a resource group or a resource."""


@dataclass(frozen=True, slots=True)
class ResourceId:
    """The id of a subscription, a resource group or a resource. Made by :meth:`parse`."""

    text: str
    """As somebody spelled it, with a leading slash and no trailing one."""
    subscription_id: str
    """In lower case."""
    resource_group: str | None
    type: str
    """In lower case, such as ``microsoft.storage/storageaccounts/blobservices``."""
    names: tuple[str, ...]
    """The names of a resource and of those it is nested in, outermost first; empty above resources."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an id.

        Raises:
            ResourceIdError: it is none; the message quotes it.
        """
        text = "/" + text.strip("/")
        found = _ID.fullmatch(text)
        if found is None:
            raise ResourceIdError(f"{text!r} is not the id of a subscription, a resource group or a resource")
        segments = found["tail"].split("/") if found["tail"] else []
        if segments:
            kind = "/".join((found["provider"], *segments[::2]))
        else:
            kind = "microsoft.resources/" + ("resourcegroups" if found["group"] else "subscriptions")
        return cls(text, found["subscription"].lower(), found["group"], kind.lower(), tuple(segments[1::2]))

    @property
    def key(self) -> str:
        """What all spellings of this id have in common."""
        return self.text.lower()

    @property
    def name(self) -> str:
        """The name as a listing shows it: with those of its parents, such as ``server/database``."""
        return "/".join(self.names)

    @property
    def provider(self) -> str:
        """The resource provider's namespace, in lower case."""
        return self.type.partition("/")[0]

    def child(self, path: str) -> Self:
        """The id of something nested in this, such as ``blobServices/default``."""
        return self.parse(f"{self.text}/{path}")


def is_within(key: str, scope_key: str) -> bool:
    """Whether an id stands at or below a scope; both as keys."""
    return key == scope_key or key.startswith(f"{scope_key}/")


def region_name(text: str) -> str:
    """A region as ARM names it: ``East US`` is ``eastus``."""
    return re.sub(r"[\s_-]", "", text).lower()
