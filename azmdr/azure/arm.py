"""Azure Resource Manager through Microsoft's clients, in one place where they need other habits.

- They retry nothing: the gateway does, so that every request is paced and counted.
- They register no resource provider in a customer's subscription. By default every management client does so
  by itself when it meets 409 MissingSubscriptionRegistration (azure-mgmt-core, `policies/_base.py`).
- What an answer says is left in a token bucket reaches the pacer.
"""

import re
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import Any, Final

import requests
from azure.core.credentials import TokenCredential
from azure.core.pipeline import PipelineRequest, PipelineResponse, policies
from azure.core.pipeline.transport import HttpTransport, RequestsTransport
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential, DefaultAzureCredential
from azure.mgmt.eventhub import EventHubManagementClient
from azure.mgmt.loganalytics import LogAnalyticsManagementClient
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
from requests.adapters import HTTPAdapter

from azmdr.azure.address import ArmAddress, ServicePrincipal
from azmdr.azure.pacing import TENANT, Kind, Lane, Pacer
from azmdr.clock import Clock

TOKEN_SCOPE: Final = "https://management.azure.com/.default"  # noqa: S105 - what a token is for, no token

_SUBSCRIPTION: Final = re.compile(r"/subscriptions/([0-9a-f-]{36})", re.IGNORECASE)
_KINDS: Final = {"GET": Kind.READS, "HEAD": Kind.READS, "DELETE": Kind.DELETES}
_CONNECT_SECONDS: Final = 10
_READ_SECONDS: Final = 60
_NO_SUBSCRIPTION: Final = "00000000-0000-0000-0000-000000000000"


def credential_of(principal: ServicePrincipal | None, address: ArmAddress) -> TokenCredential:
    """The credential: the application's, or the identity of the machine (``DefaultAzureCredential``)."""
    if principal is None:
        return DefaultAzureCredential()
    options: dict[str, Any] = {}
    if address.authority is not None:
        options = {"authority": address.authority, "disable_instance_discovery": True}
    if address.authority_file is not None:
        options["connection_verify"] = str(address.authority_file)
    return ClientSecretCredential(
        principal.tenant_id, principal.client_id, principal.secret.get_secret_value(), **options
    )


class Arm:
    """Microsoft's clients, one a service, all on one connection pool. Threads may share it.

    Args:
        credential: who asks.
        address: where.
        pacer: is told what is left in the token buckets.
        clock: dates what it is told.
        transport: takes the place of HTTPS connections; for tests that make thousands of calls a second.
        connections: how many may be open at once.
    """

    def __init__(
        self,
        credential: TokenCredential,
        address: ArmAddress,
        pacer: Pacer,
        clock: Clock,
        *,
        transport: HttpTransport[Any, Any] | None = None,
        connections: int = 16,
    ) -> None:
        self._credential = credential
        self._address = address
        self._pacer = pacer
        self._clock = clock
        self._transport = transport or _transport(address, connections)

    @cached_property
    def _policies(self) -> list[Any]:
        return [
            policies.HeadersPolicy(),
            policies.UserAgentPolicy(base_user_agent="azmdr"),
            policies.ContentDecodePolicy(),
            policies.BearerTokenCredentialPolicy(self._credential, TOKEN_SCOPE),
            _BucketReader(self._pacer, self._clock),
        ]

    def _options(self) -> dict[str, Any]:
        return {
            "base_url": self._address.endpoint,
            "credential_scopes": [TOKEN_SCOPE],
            "policies": self._policies,
            "transport": self._transport,
        }

    @cached_property
    def subscriptions(self) -> SubscriptionClient:
        """Subscriptions, of every tenant that delegated some to us."""
        return SubscriptionClient(self._credential, **self._options())

    @cached_property
    def settings(self) -> MonitorManagementClient:
        """Diagnostic settings of resources, whatever their subscription."""
        return MonitorManagementClient(self._credential, _NO_SUBSCRIPTION, **self._options())

    def monitor(self, subscription_id: str) -> MonitorManagementClient:
        """Diagnostic settings of a subscription itself."""
        return MonitorManagementClient(self._credential, subscription_id, **self._options())

    def resources(self, subscription_id: str) -> ResourceManagementClient:
        """Resources of a subscription."""
        return ResourceManagementClient(self._credential, subscription_id, **self._options())

    def log_analytics(self, subscription_id: str) -> LogAnalyticsManagementClient:
        """Workspaces of a subscription."""
        return LogAnalyticsManagementClient(self._credential, subscription_id, **self._options())

    def event_hubs(self, subscription_id: str) -> EventHubManagementClient:
        """Event hubs of a subscription."""
        return EventHubManagementClient(self._credential, subscription_id, **self._options())

    def ask(self, method: str, path: str, api_version: str, body: object = None, **query: str) -> Any:
        """Ask where there is no client for it: the answer's JSON, None without one.

        Args:
            method: the HTTP method.
            path: from the leading slash of an id on, or the whole link to a next page.
            api_version: the API version; empty where a link names it.
            body: becomes JSON.
            query: by name, without the dollar sign.

        Raises:
            HttpResponseError: Azure refuses.
        """
        asked = {f"${name}": value for name, value in query.items()}
        if api_version:
            asked["api-version"] = api_version
        request = HttpRequest(method, path, params=asked, json=body)
        response = self.subscriptions.send_request(request)
        response.raise_for_status()
        return response.json() if response.content else None

    def close(self) -> None:
        """Give back the connections."""
        self._transport.close()


def lane_of(method: str, url: str) -> Lane:
    """The token bucket a request draws on."""
    found = _SUBSCRIPTION.search(url)
    return Lane(found[1].lower() if found else TENANT, _KINDS.get(method, Kind.WRITES))


def text_of(value: Any) -> str:
    """What Azure wrote, where a client makes a member of an enumeration of it, or leaves it a string."""
    return str(value.value) if isinstance(value, Enum) else str(value)


def _transport(address: ArmAddress, connections: int) -> RequestsTransport:
    session = requests.Session()
    session.mount("https://", HTTPAdapter(pool_connections=1, pool_maxsize=connections))
    verify: bool | str = str(address.authority_file) if address.authority_file else True
    return RequestsTransport(
        session=session,
        connection_verify=verify,
        connection_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
    )


class _BucketReader(policies.SansIOHTTPPolicy[Any, Any]):
    """Reads off every answer what is left in the bucket it drew on."""

    def __init__(self, pacer: Pacer, clock: Clock) -> None:
        self._pacer = pacer
        self._clock = clock

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        """Tell the pacer."""
        lane = lane_of(request.http_request.method, request.http_request.url)
        level = "tenant" if lane.scope == TENANT else "subscription"
        left = response.http_response.headers.get(f"x-ms-ratelimit-remaining-{level}-{lane.kind}")
        if left is not None and left.isdecimal():
            now: datetime = self._clock.now()
            self._pacer.told(lane, float(left), now.timestamp())
