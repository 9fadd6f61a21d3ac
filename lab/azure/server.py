"""The server: a front door over TLS or plain HTTP on 127.0.0.1, for as long as a ``with`` block lasts."""

import asyncio
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self
from urllib.parse import parse_qsl

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lab.azure.certificates import make_certificates
from lab.azure.wire import Answer, Cut, Request

# ASGI's own types: what a message holds depends on its "type".
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

_TRANSPORT: Final = "lab.transport"
_READY_WITHIN: Final = 30.0


class Door(Protocol):
    """What stands behind the address."""

    def answer(self, request: Request) -> Answer:
        """Answer a request."""


class AzureServer:
    """This Azure's addresses: Entra ID and Azure Resource Manager share one.

    Args:
        front_door: answers the requests.
        port: 0 takes a free one.
        folder: where the certificates go; None takes a temporary one.
        latency: seconds of the machine's time that every request is held up; requests wait side by side.
        tls: whether to speak TLS; without it there are no certificates.
    """

    name = "Azure"

    def __init__(
        self,
        front_door: Door,
        port: int = 0,
        folder: Path | None = None,
        latency: float = 0.0,
        *,
        tls: bool = True,
    ) -> None:
        self._front_door = front_door
        self._scheme = "https" if tls else "http"
        self._latency = latency
        self._port = port
        self._folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.authority_file = Path()
        """What clients have to trust; known once the server runs."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address, such as ``https://localhost:8443``."""
        return f"{self._scheme}://localhost:{self._port}"

    def start(self) -> None:
        """Serve from a thread.

        Raises:
            RuntimeError: it did not come up.
        """
        config = uvicorn.Config(
            self._application,
            host="127.0.0.1",
            port=self._port,
            http=_ResettableProtocol,
            ws="none",
            interface="asgi3",
            proxy_headers=False,
            server_header=False,
            lifespan="off",
            log_level="warning",
            access_log=False,
            **self._certificates(),
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name=f"lab-{self.name.lower()}", daemon=True)
        self._thread.start()
        self._await_ready(self._server, self._thread)

    def stop(self) -> None:
        """End it."""
        if self._server is not None and self._thread is not None:
            # Clients keep connections open as long as they live; nothing is lost by closing them.
            self._server.should_exit = self._server.force_exit = True
            self._thread.join()
        if self._temporary is not None:
            self._temporary.cleanup()

    def _certificates(self) -> dict[str, Any]:
        if self._scheme == "http":
            return {}
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="lab-certificates-")
        folder = self._folder or Path(self._temporary.name if self._temporary else "")
        certificates = make_certificates(folder)
        self.authority_file = certificates.authority
        return {"ssl_certfile": certificates.chain, "ssl_keyfile": certificates.key}

    def _await_ready(self, server: uvicorn.Server, thread: threading.Thread) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"the lab's {self.name} did not come up on 127.0.0.1")
            time.sleep(0.01)
        self._port = server.servers[0].sockets[0].getsockname()[1]

    async def _application(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        request = await _request(scope, receive)
        if self._latency:
            await asyncio.sleep(self._latency)
        answer = self._front_door.answer(request)
        if answer.cut is Cut.RESET:
            await _reset(scope, receive)
            return
        await _send(answer, scope, receive, send)


class _ResettableProtocol(HttpToolsProtocol):
    """HTTP whose connection the application can reset, which ASGI has no word for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_TRANSPORT: {"transport": self.transport}}


async def _request(scope: _Message, receive: _Receive) -> Request:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qsl(scope["query_string"].decode("ascii"), keep_blank_values=True)
    return Request(
        scope["method"],
        scope["path"],
        f"{scope['scheme']}://{headers.get('host', 'localhost')}",
        {name.lower(): value for name, value in query},
        headers,
        body,
    )


async def _send(answer: Answer, scope: _Message, receive: _Receive, send: _Send) -> None:
    content = answer.content()
    headers = {**answer.all_headers(), "Content-Length": str(len(content))}
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    if answer.cut is Cut.TRUNCATED and content:
        await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
        await asyncio.sleep(0.01)
        await _reset(scope, receive)
        return
    await send({"type": "http.response.body", "body": content})


async def _reset(scope: _Message, receive: _Receive) -> None:
    transport: asyncio.Transport = scope["extensions"][_TRANSPORT]["transport"]
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
