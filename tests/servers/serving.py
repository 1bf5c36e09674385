"""Serving: an App or another wall on a port of its own while a test looks at it, without its engine."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import uvicorn
from playwright.sync_api import Error, Page
from starlette.applications import Starlette
from starlette.types import ASGIApp

from soloist.app import App
from soloist.kernel.access import Session, secret_hash
from soloist.web import server

TOML = '[business]\nname = "Studio Linde"\nowner = "Mara Linde"\nemail = "mara@studio-linde.example"\n'


def aside(work: Coroutine[Any, Any, Any]) -> Any:
    """Run it on a thread, since the browser has an event loop on this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def made(home: Path) -> App:
    """The App of Studio Linde in this folder."""
    (home / "soloist.toml").write_text(TOML)
    return App(home)


def signed_in(app: App) -> None:
    """The session whose cookie the pages of test_console_browser carry."""
    aside(app.access.create_session(Session(secret_hash("the-session"), time.time(), time.time())))


def followed(page: Page, selector: str) -> None:
    """Press what leads elsewhere, and wait until that page is there as a whole: the old one may say the same."""
    with page.expect_navigation():
        page.click(selector)


def looked_at(page: Page, address: str) -> None:
    """Open an address, also from a page that fetches itself anew every two seconds and gets in between."""
    while True:
        try:
            page.goto(address)
            return
        except Error as error:
            if "ERR_ABORTED" not in error.message and "interrupted by another navigation" not in error.message:
                raise


@contextmanager
def listening(wall: ASGIApp) -> Iterator[str]:
    """Serve it on a thread; its address."""
    port = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(wall, log_level="error", lifespan="off"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [port]})
    thread.start()
    try:
        yield f"http://localhost:{port.getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(10)


@contextmanager
def served(app: App) -> Iterator[str]:
    """Serve a whole App and close it at the end; its address."""
    wall = server.create(app, start=False)
    with listening(wall) as base:
        yield base
        cast(Starlette, wall.app).state.soloist.feed.close()
    app.close()
