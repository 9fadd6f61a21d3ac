"""Access tokens: JSON Web Tokens as Entra ID issues them, signed with a key only this Azure knows.

Source: learn.microsoft.com/entra/identity-platform/access-tokens. The issuer is that of version 1 tokens, the
one Azure Resource Manager and Azurite expect.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from lab.azure.arm_error import ArmError
from lab.azure.directory import Principal

AUDIENCES: Final = frozenset({"https://management.azure.com", "https://management.core.windows.net"})
"""The audiences Azure Resource Manager takes tokens for, without a slash at the end."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a token speaks for."""

    tenant_id: str
    object_id: str


def issue(
    principal: Principal, audience: str, issued: datetime, lifetime: timedelta, signing_key: bytes
) -> str:
    """A token for one principal and one audience."""
    claims: dict[str, object] = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{principal.tenant_id}/",
        "iat": int(issued.timestamp()),
        "nbf": int(issued.timestamp()),
        "exp": int((issued + lifetime).timestamp()),
        "tid": principal.tenant_id,
        "oid": principal.object_id,
        "sub": principal.object_id,
        "idtyp": "user" if principal.is_user else "app",
        "ver": "1.0",
        **({"appid": principal.app_id} if principal.app_id else {}),
    }
    signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
    return f"{signed}.{_signature(signed, signing_key)}"


def read(authorization: str | None, now: datetime, signing_key: bytes) -> Claims:
    """Who the value of an Authorization header speaks for.

    Raises:
        ArmError: 401 without a token, or for one that is not ours, expired, or for somebody else.
    """
    if not authorization or not authorization.lower().startswith("bearer "):
        raise unauthorized(
            "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
        )
    claims, expires = _verified(authorization[len("bearer ") :].strip(), signing_key)
    if now.timestamp() >= expires:
        raise expired()
    return claims


@lru_cache(maxsize=1024)
def _verified(token: str, signing_key: bytes) -> tuple[Claims, float]:
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature, _signature(signed, signing_key)):
        raise unauthorized("InvalidAuthenticationToken", "The access token is invalid.")
    try:
        claims = json.loads(urlsafe_b64decode(signed.split(".")[1] + "=="))
    except (IndexError, ValueError, NotBase64Error) as error:
        raise unauthorized("InvalidAuthenticationToken", "The access token is invalid.") from error
    if str(claims["aud"]).rstrip("/") not in AUDIENCES:
        raise unauthorized(
            "InvalidAuthenticationTokenAudience",
            f"The access token has been obtained for wrong audience or resource '{claims['aud']}'.",
        )
    return Claims(claims["tid"], claims["oid"]), claims["exp"]


def expired() -> ArmError:
    """401: the token was good once."""
    return unauthorized("ExpiredAuthenticationToken", "The access token expiry is in the past.")


def unauthorized(code: str, message: str) -> ArmError:
    """401, with the challenge that goes with it."""
    return ArmError(
        401,
        code,
        message,
        {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{message}"'},
    )


def _encoded(part: dict[str, object]) -> str:
    return urlsafe_b64encode(json.dumps(part, separators=(",", ":")).encode()).decode().rstrip("=")


def _signature(signed: str, signing_key: bytes) -> str:
    digest = hmac.digest(signing_key, signed.encode(), hashlib.sha256)
    return urlsafe_b64encode(digest).decode().rstrip("=")
