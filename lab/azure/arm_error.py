"""The errors of Azure Resource Manager: a status, a code to branch on, a message for people.

Source: learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors, and the
error type of the common types in Microsoft's REST API specifications.
"""

from collections.abc import Mapping


class ArmError(Exception):
    """A request Azure refuses.

    Args:
        status: the HTTP status.
        code: Azure's error code.
        message: what was refused, naming the thing and the place.
        headers: what the answer carries beside the body.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def body(self) -> dict[str, object]:
        """The body as ARM shapes it."""
        return {"error": {"code": self.code, "message": self.message}}


def bad_request(message: str, code: str = "BadRequest") -> ArmError:
    """400."""
    return ArmError(400, code, message)


def conflict(message: str, code: str = "Conflict") -> ArmError:
    """409."""
    return ArmError(409, code, message)


def not_found(message: str, code: str = "ResourceNotFound") -> ArmError:
    """404."""
    return ArmError(404, code, message)
