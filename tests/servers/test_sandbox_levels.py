"""Both levels of the sandbox with real processes: bubblewrap and Landlock hold against each thing a bad skill tries."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from soloist.engine.sandbox.calls import Sandbox
from soloist.engine.sandbox.levels import Levels
from soloist.kernel.errors import SoloistError
from soloist.kernel.package import Quotas
from tests.engine.sandbox import parcels

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module", params=["bubblewrap", "landlock"])
def box(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = parcels.boxed(tmp_path_factory.mktemp("home"), request.param, "today", "scratch")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock on the wall gives no quota here: a busy machine needs long for two seconds of computing."""
    monkeypatch.setattr(Quotas, "wall", 300.0)


def said(box: Sandbox, what: str, where: str = "") -> str:
    try:
        return str(asyncio.run(box.call("act", {"what": what, "where": where}, timeout=300.0))["said"])
    except SoloistError as error:
        return f"{type(error).__name__}: {error.detail}"


def test_every_attempt_to_break_out_is_refused(box: Sandbox, tmp_path: Path) -> None:
    found = box.levels.tested()
    assert [attempt for attempt in found.attempts if not attempt.refused] == []
    assert found.holds
    assert not found.lacking


def test_without_a_wish_the_strongest_level_is_taken(tmp_path: Path) -> None:
    assert Levels(tmp_path).tested().level == "bubblewrap"


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("loop", "computing time"),
        ("fill", "more memory than the 300 MB"),
        ("noise", "printed more than 1 MB"),
        ("flood", "more than the 64 KB"),
        ("large", "more than the 65536"),
        ("bomb", "PermissionError"),
        ("thread", "can't start new thread"),
        ("exit", "without an answer"),
        ("abort", "without an answer"),
        ("crash", "without an answer"),
        ("forge", "'more' is not foreseen"),
        ("raise", "SystemExit"),
        ("recurse", "RecursionError"),
        ("program", "PermissionError"),
    ],
)
def test_what_it_uses_up_ends_in_a_sentence(box: Sandbox, what: str, told: str) -> None:
    assert told in said(box, what)


@pytest.mark.parametrize("what", ["read", "list", "write"])
def test_what_lies_outside_is_not_there(box: Sandbox, tmp_path: Path, what: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    answer = said(box, what, str(tmp_path if what == "list" else secret))
    assert "Error" in answer
    assert "mine" not in answer
    assert secret.read_text() == "mine"


def test_it_has_its_own_folder_and_what_was_granted(box: Sandbox) -> None:
    assert said(box, "handed") == "2026-11-23 kept"


def test_a_call_remembers_nothing_of_the_one_before(box: Sandbox) -> None:
    assert [said(box, "remember", name) for name in ("Ada", "Jonas")] == ["['Ada']", "['Jonas']"]
