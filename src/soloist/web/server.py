"""The server: one Starlette application over one App, served by uvicorn; it routes and decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable
from types import FrameType
from typing import cast

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from soloist.app import App
from soloist.flows.indexing import Indexing
from soloist.flows.spending import Hidden
from soloist.insight.live import Feed
from soloist.kernel.errors import StoreTrouble
from soloist.web import forms, hooks, pages
from soloist.web.auth import SignIn
from soloist.web.console import Console
from soloist.web.health import healthz, readyz, watch_of
from soloist.web.outgoing import Outgoing
from soloist.web.pages.edge import faults
from soloist.web.security import SecurityMiddleware

FIRST_PAGE = 0.2
"""Seconds that the first page has for itself before the engine is loaded."""

TRUSTED_PROXIES = ("127.0.0.1", "::1")
"""Whose X-Forwarded-For and -Proto count when server.tls is set: this machine alone, whatever the environment says."""


def create(app: App, *, hosts: tuple[str, ...] = (), start: bool = True) -> SecurityMiddleware:
    """Every door of one home as one ASGI application; with ``start`` its lifespan starts and stops the App."""

    interface = Later(lambda: _api(app))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if not start:
            yield
            return
        await app.settle()
        launching, waking = asyncio.create_task(_launch(app, interface)), watch_of(app)
        waking.start()
        indexing = asyncio.create_task(Indexing(app.store).follow())
        try:
            yield
        finally:
            indexing.cancel()
            await launching
            await waking.stop()
            await app.stop()

    routes = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        *SignIn(app.access, business=app.settings.business.name).routes(),
        *forms.routes(),
        *hooks.routes(),
        Mount("/api/v1", interface),
        *pages.routes(),
    ]
    hidden = Hidden(app.desk, app.vault)
    last = Middleware(Outgoing, secrets=lambda: app.store.read(hidden.within))
    inner = Starlette(routes=routes, lifespan=lifespan, exception_handlers=faults(), middleware=[last])
    inner.state.app = app
    inner.state.soloist = Console(app)
    return SecurityMiddleware(inner, app.access, app.settings.server, hosts=hosts)


class Later:
    """An ASGI application that is made when it is first needed: pages do not wait for what programs use."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        """``make`` is called once, on a thread."""
        self._make, self._once = make, asyncio.Lock()
        self._made: ASGIApp | None = None

    async def ready(self) -> ASGIApp:
        """The application."""
        async with self._once:
            if self._made is None:
                self._made = await asyncio.to_thread(self._make)
        return self._made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await (await self.ready())(scope, receive, send)


def _api(app: App) -> ASGIApp:
    """The HTTP API."""
    from soloist.web import api

    return api.create(app)


async def _launch(app: App, interface: Later) -> None:
    """Launch the engine behind the first page; a server whose engine cannot start ends, loudly."""
    await asyncio.sleep(FIRST_PAGE)
    try:
        await app.launch()
    except Exception:  # a server without its engine would accept work and do none
        logging.getLogger("soloist").exception("the engine could not be launched; the server ends")
        signal.raise_signal(signal.SIGTERM)
        return
    await interface.ready()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything else is done (StoreTrouble says who may have the port)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named as TCP, else asyncio leaves Nagle on and each answer waits 40 ms for the delayed ACK of its head
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)  # so that a browser that is quicker than the start waits instead of failing
    except OSError as error:
        listening.close()
        raise StoreTrouble(
            f"Port {port} on {host} cannot be used ({error.strerror}). Nothing was started. "
            "Another Soloist may be running; choose another port with --port."
        ) from error
    return listening


class Ending(uvicorn.Server):
    """A server that ends the open streams when it is asked to end, else each of them would hold it up."""

    streams: Feed

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came."""
        self.streams.close()
        super().handle_exit(sig, frame)


def serve(app: App, listening: socket.socket, *, open_page: str = "", hosts: tuple[str, ...] = ()) -> None:
    """Serve until SIGINT or SIGTERM; open calls get ten seconds to end. ``hosts`` are more names of the console."""
    wall = create(app, hosts=hosts)
    settings = uvicorn.Config(
        wall,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=10,
        server_header=False,
        proxy_headers=app.settings.server.tls,
        forwarded_allow_ips=[*TRUSTED_PROXIES],
    )
    server = Ending(settings)
    server.streams = cast(Starlette, wall.app).state.soloist.feed
    if open_page:
        threading.Timer(1.0, webbrowser.open, [open_page]).start()
    server.run(sockets=[listening])
    if not server.started:
        raise StoreTrouble("Soloist could not start; the reason is above.")
