"""What Azure Resource Manager may answer instead of what was asked, told apart by what to do about it.

Source: learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors and
.../azure-resource-manager/management/request-limits-and-throttling.
"""

from collections.abc import Callable
from typing import TypeVar, cast

from azure.core.exceptions import (
    AzureError as SdkError,
)
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
)
from azure.core.rest import HttpResponse

Answer = TypeVar("Answer")

_AGAIN = frozenset({408, 500, 502, 503, 504})
_SHOWN_CHARACTERS = 500


class AzureError(Exception):
    """A call that did not bring what was asked for. ``what`` names the call for a person."""

    def __init__(self, what: str, told: str) -> None:
        super().__init__(f"{what}: {told[:_SHOWN_CHARACTERS]}")
        self.what = what
        self.told = told[:_SHOWN_CHARACTERS]


class ThrottledError(AzureError):
    """Azure takes no more calls of this kind for now; ``retry_after`` in seconds, where Azure said it."""

    def __init__(self, what: str, told: str, retry_after: float | None) -> None:
        super().__init__(what, told)
        self.retry_after = retry_after


class TransientError(AzureError):
    """It may go well the next time: a server's error, a broken connection, an answer cut short."""

    def __init__(self, what: str, told: str, retry_after: float | None = None) -> None:
        super().__init__(what, told)
        self.retry_after = retry_after


class RefusedError(AzureError):
    """Azure refuses, and would again. ``code`` is ARM's error code, to branch on."""

    def __init__(self, what: str, status: int, code: str, told: str) -> None:
        super().__init__(what, f"{status} {code}: {told}")
        self.status = status
        self.code = code


class UnreadableError(AzureError):
    """An answer in a shape nobody has seen; asking again would bring the same."""


class SignInError(AzureError):
    """We get no token: a wrong secret, an unknown tenant. Nothing else will go well either."""


def asked(what: str, ask: Callable[[], Answer]) -> Answer:
    """Make one call of an SDK client.

    Args:
        what: the call, as a person would name it.
        ask: makes it, with no retries of its own.

    Raises:
        AzureError: of the kind that fits.
    """
    try:
        return ask()
    except DecodeError as error:
        raise TransientError(what, f"the answer can't be read: {error.message}") from error
    except ClientAuthenticationError as error:
        # Resource Manager gives a code with each 401. Without one it is Entra ID's, to who asks for a token.
        if error.response is None or error.status_code != 401 or _code(error) is None:
            raise SignInError(what, str(error.message)) from error
        raise _of_response(what, error) from error
    except HttpResponseError as error:
        if error.response is None:
            raise TransientError(what, str(error.message)) from error
        raise _of_response(what, error) from error
    except SdkError as error:
        # Requests that were never sent and answers that never came; what Azure did is not known.
        raise TransientError(what, str(error.message)) from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise UnreadableError(what, f"the answer has an unknown shape: {error!r}") from error


def _of_response(what: str, error: HttpResponseError) -> AzureError:
    status = error.status_code or 0
    code = _code(error) or str(error.reason)
    told = str(error.error.message) if error.error is not None and error.error.message else str(error.message)
    wait = _retry_after(error)
    if status == 429:
        return ThrottledError(what, told, wait)
    if status in _AGAIN:
        return TransientError(what, f"{status} {code}: {told}", wait)
    if status == 401 and code in ("ExpiredAuthenticationToken", "InvalidAuthenticationToken"):
        # The client has thrown the token away and fetches another for the next call.
        return TransientError(what, f"{status} {code}: {told}")
    return RefusedError(what, status, code, told)


def _code(error: HttpResponseError) -> str | None:
    return str(error.error.code) if error.error is not None and error.error.code else None


def _retry_after(error: HttpResponseError) -> float | None:
    response = cast("HttpResponse", error.response)
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
