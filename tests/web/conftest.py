"""The console with a fake Door behind it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from soloist.app import App
from soloist.kernel.errors import SoloistError
from soloist.web.console import Console
from soloist.web.pages import routes
from soloist.web.pages.edge import fault, faults

_SPEC = importlib.util.spec_from_file_location("fake_door", Path(__file__).parent / "fake_door.py")
assert _SPEC is not None
assert _SPEC.loader is not None
fake_door: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fake_door)


@pytest.fixture
def fake() -> Any:
    return fake_door.FakeDoor()


def client_of(fake: Any) -> TestClient:
    app = Starlette(routes=routes(), exception_handlers={SoloistError: fault, HTTPException: fault})
    app.state.soloist = fake
    return TestClient(app, follow_redirects=False)


@pytest.fixture
def console(fake: Any) -> TestClient:
    return client_of(fake)


@pytest.fixture
def empty_console() -> TestClient:
    return client_of(fake_door.FakeDoor(empty=True))


@pytest.fixture
def real_console(app: App) -> TestClient:
    """The pages over a real home instead of the fake Door."""
    inner = Starlette(routes=routes(), exception_handlers=faults())
    inner.state.soloist = Console(app)
    return TestClient(inner, follow_redirects=False)
