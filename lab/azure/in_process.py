"""SDK clients without a socket: a transport whose connections end in the front door.

For tests that need thousands of requests a second. Client, transport and HTTP library are the real ones; what
is missing against the server is TLS and the connection itself.
"""

import io
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from lab.azure.front_door import FrontDoor
from lab.azure.wire import Answer, Cut, Request

URL = "https://localhost"
"""The address clients are given: nothing listens there, the transport never leaves the process."""


def in_process_transport(front_door: FrontDoor) -> RequestsTransport:
    """A transport for SDK clients and credentials: ``Client(..., transport=in_process_transport(door))``."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _FrontDoorAdapter(front_door))
    return RequestsTransport(session=session, session_owner=False)


class _FrontDoorAdapter(HTTPAdapter):
    """Sends what would go to a server to the front door."""

    def __init__(self, front_door: FrontDoor) -> None:
        super().__init__()
        self._front_door = front_door

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Answer a request; the settings of a connection mean nothing here."""
        del stream, timeout, verify, cert, proxies
        answer = self._front_door.answer(_request(request))
        if answer.cut is Cut.RESET:
            raise requests.ConnectionError(ConnectionResetError("reset by the lab"), request=request)
        return self.build_response(request, _response(answer))


def _request(request: requests.PreparedRequest) -> Request:
    address = urlsplit(request.url or "")
    body = request.body or b""
    if not isinstance(body, str | bytes):
        raise TypeError("the lab takes no streamed bodies")
    return Request(
        request.method or "GET",
        unquote(address.path),
        f"{address.scheme}://{address.netloc}",
        {name.lower(): value for name, value in parse_qsl(address.query, keep_blank_values=True)},
        {name.lower(): str(value) for name, value in request.headers.items()},
        body.encode() if isinstance(body, str) else body,
    )


def _response(answer: Answer) -> HTTPResponse:
    content = answer.content()
    announced = {**answer.all_headers(), "Content-Length": str(len(content))}
    arrived = content[: len(content) // 2] if answer.cut is Cut.TRUNCATED else content
    return HTTPResponse(
        body=io.BytesIO(arrived), headers=announced, status=answer.status, preload_content=False
    )
