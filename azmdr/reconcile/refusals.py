"""Refusals: the verdict on a target whose call came to nothing. Pure.

ARM's error codes say what kind of refusal it is; where one code covers several, its message does. Sources:
github.com/hashicorp/terraform-provider-azurerm issue 21161 (sinks), github.com/Azure/missionlz issue 565.
"""

from typing import Final

from azmdr.azure.errors import AzureError, RefusedError
from azmdr.reconcile.verdict import Reason, Verdict

_BY_CODE: Final = {
    "linkedauthorizationfailed": Reason.NO_PERMISSION_ON_HUB,
    "authorizationfailed": Reason.NO_PERMISSION,
    "invalidauthenticationtokentenant": Reason.NO_PERMISSION,
    "missingsubscriptionregistration": Reason.PROVIDER_NOT_REGISTERED,
    "readonlydisabledsubscription": Reason.SUBSCRIPTION_DISABLED,
    "resourcetypenotsupported": Reason.TYPE_WITHOUT_LOGS,
    "dataexportlimitreached": Reason.EXPORT_RULE_LIMIT,
    "destinationinuse": Reason.DESTINATION_IN_USE,
}
_BY_STATUS: Final = {403: Reason.NO_PERMISSION, 404: Reason.NOT_FOUND}
_BY_WORDS: Final = (
    ("limit of 5 diagnostic settings", Reason.SETTING_LIMIT),
    ("data sinks can't be reused", Reason.SINK_IN_USE),
    ("data sinks can&#39;t be reused", Reason.SINK_IN_USE),
)


def verdict_on(error: AzureError, *, wrote: bool) -> Verdict:
    """The verdict where a call about a target came to nothing.

    Args:
        error: what Azure said, or that it said nothing.
        wrote: whether the call was to change something.
    """
    if not isinstance(error, RefusedError):
        return Verdict(Reason.WRITE_FAILED if wrote else Reason.READ_FAILED, error.told)
    told = error.told.lower()
    by_words = next((reason for words, reason in _BY_WORDS if words in told), None)
    reason = _BY_CODE.get(error.code.lower()) or by_words or _BY_STATUS.get(error.status)
    return Verdict(reason or Reason.REFUSED_BY_AZURE, error.told)
