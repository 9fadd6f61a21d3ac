"""Signing in: the two addresses of Entra ID that an SDK client asks for a token.

Source: learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow and
learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

import re
from typing import Final
from urllib.parse import parse_qs

from lab.azure.cloud import Cloud
from lab.azure.directory import Principal, Tenant
from lab.azure.tokens import issue
from lab.azure.wire import Answer, Request

_ADDRESS: Final = re.compile(
    r"/(?P<tenant>[^/]+)/(?P<what>v2\.0/\.well-known/openid-configuration|oauth2/v2\.0/token)", re.IGNORECASE
)


def is_sign_in(path: str) -> bool:
    """Whether a path belongs to Entra ID."""
    return _ADDRESS.fullmatch(path) is not None


def answer(cloud: Cloud, request: Request) -> Answer:
    """Answer a request to Entra ID."""
    found = _ADDRESS.fullmatch(request.path)
    if found is None:
        return Answer(404)
    tenant = cloud.tenants.get(found["tenant"].lower())
    if tenant is None:
        return _refusal(400, "invalid_tenant", 90002, f"Tenant '{found['tenant']}' not found.")
    if found["what"].lower().endswith("openid-configuration"):
        return _configuration(tenant, request.origin)
    return _token(cloud, tenant, request)


def _configuration(tenant: Tenant, origin: str) -> Answer:
    place = f"{origin}/{tenant.id}"
    return Answer(
        200,
        {
            "issuer": f"{place}/v2.0",
            "authorization_endpoint": f"{place}/oauth2/v2.0/authorize",
            "token_endpoint": f"{place}/oauth2/v2.0/token",
            "jwks_uri": f"{place}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": "NA",
        },
    )


def _token(cloud: Cloud, tenant: Tenant, request: Request) -> Answer:
    form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
    if form.get("grant_type") != "client_credentials":
        return _refusal(400, "unsupported_grant_type", 70003, "Only client_credentials is known here.")
    scope = form.get("scope", "").split(" ")[0]
    if not scope.endswith("/.default"):
        return _refusal(400, "invalid_scope", 1002012, f"The scope '{scope}' does not end with /.default.")
    principal = _application(cloud, tenant, form.get("client_id", ""))
    if principal is None:
        message = f"Application '{form.get('client_id')}' was not found in the directory '{tenant.name}'."
        return _refusal(400, "unauthorized_client", 700016, message)
    if form.get("client_secret") != principal.secret:
        return _refusal(401, "invalid_client", 7000215, "Invalid client secret provided.")
    audience = scope.removesuffix("/.default")
    lifetime = cloud.token_lifetime
    token = issue(principal, audience, cloud.clock.now(), lifetime, cloud.signing_key)
    seconds = int(lifetime.total_seconds())
    return Answer(
        200,
        {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token},
    )


def _application(cloud: Cloud, tenant: Tenant, app_id: str) -> Principal | None:
    known = (each for each in cloud.principals.values() if each.tenant_id == tenant.id)
    return next((each for each in known if each.app_id is not None and each.app_id == app_id), None)


def _refusal(status: int, error: str, number: int, message: str) -> Answer:
    description = f"AADSTS{number}: {message}"
    return Answer(status, {"error": error, "error_description": description, "error_codes": [number]})
