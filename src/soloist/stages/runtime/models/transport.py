"""Transport: what model libraries send goes through the one guarded egress; no redirects, no retries, own limits."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import httpx2

from soloist.engine.egress import Egress, Opened, Resolver, system_resolver
from soloist.sdk import MaybeSent, NotSent


class Body(httpx2.AsyncByteStream):
    """An answer's body as it comes."""

    def __init__(self, opened: Opened, request: httpx2.Request) -> None:
        """``opened`` is closed with the body."""
        self._opened, self._request = opened, request
        self._parts = opened.parts()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The parts; asked again (the library reads what is left), it goes on. A broken line is the library's error."""
        try:
            async for part in self._parts:
                yield part
        except MaybeSent as error:
            raise _named(error, self._request) from error

    async def aclose(self) -> None:
        """Close the connection."""
        await self._opened.aclose()


class Guarded(httpx2.AsyncBaseTransport):
    """The transport of one model: it reaches the host and port of its ``base_url`` and nothing else."""

    def __init__(self, egress: Egress, patience: float) -> None:
        """``patience`` in seconds is the longest silence."""
        self._egress, self._patience = egress, patience

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request, one answer that is read as it comes."""
        body = await request.aread()
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        try:
            opened = await self._egress.open(
                request.method, str(request.url), headers=headers, body=body, patience=self._patience
            )
        except NotSent as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        except MaybeSent as error:
            raise _named(error, request) from error
        return httpx2.Response(opened.status, headers=opened.headers, stream=Body(opened, request))


def _named(error: MaybeSent, request: httpx2.Request) -> httpx2.TransportError:
    """A broken exchange by the library's names: a silence, or a cut."""
    silent = "in time" in str(error)
    return (httpx2.ReadTimeout if silent else httpx2.ReadError)(str(error), request=request)


def client(
    base_url: str,
    *,
    allow_private: bool,
    patience: float,
    ca_file: str = "",
    resolver: Resolver = system_resolver,
) -> httpx2.AsyncClient:
    """A client for one model (NotSent when its address breaks the rules)."""
    tls = ssl.create_default_context(cafile=ca_file) if ca_file else None
    egress = Egress.for_url(base_url, allow_private=allow_private, resolver=resolver, tls=tls)
    return httpx2.AsyncClient(transport=Guarded(egress, patience), follow_redirects=False, timeout=patience)
