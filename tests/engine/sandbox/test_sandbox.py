"""Code of others under Landlock, seccomp and limits: what it may not do is refused, what it uses up is told."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from soloist.engine.sandbox.calls import Sandbox
from soloist.engine.sandbox.levels import Levels
from soloist.kernel.errors import NotAllowed, SoloistError, WorkerTrouble
from tests.engine.sandbox import parcels


def has_landlock() -> bool:
    """Whether this kernel has it, asked without the code under test."""
    if not sys.platform.startswith("linux"):
        return False
    from landlock import landlock_abi_version

    try:
        return landlock_abi_version() > 0
    except OSError:
        return False


HERE = "landlock" if has_landlock() else "none"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    home = tmp_path_factory.mktemp("home")
    made = parcels.boxed(home, HERE, "today", "business.currency", "scratch", granted=("today", "scratch"))
    made.trusted = HERE == "none"
    yield made
    made.close()


def said(box: Sandbox, what: str, where: str = "") -> str:
    """Have it do one thing; what came of it."""
    try:
        return str(asyncio.run(box.call("act", {"what": what, "where": where}))["said"])
    except SoloistError as error:
        return f"{type(error).__name__}: {error.detail}"


def test_the_self_test_says_what_this_kernel_has(box: Sandbox) -> None:
    found = box.levels.tested()
    assert found.level == HERE
    assert found.holds == (HERE == "landlock")
    refused = {attempt.what: attempt.refused for attempt in found.attempts}
    assert refused["read a file of the home"] == (HERE == "landlock")
    assert len(refused) >= 12


def test_where_nothing_is_asked_for_the_operator_has_to_trust(tmp_path: Path) -> None:
    box = parcels.boxed(tmp_path, "none")
    with pytest.raises(NotAllowed, match="are not run here"):
        asyncio.run(box.call("act", {"what": "environment"}))
    box.trusted = True
    assert said(box, "environment") in ("LANG,LC_ALL,OMP_NUM_THREADS,OPENBLAS_NUM_THREADS,TZ",)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("fill", "more memory than the 300 MB"),
        ("flood", "more than the 64 KB"),
        ("forge", "'more' is not foreseen"),
        ("bomb", "PermissionError" if HERE == "landlock" else "fork"),
    ],
)
def test_what_it_uses_up_ends_in_a_sentence(box: Sandbox, what: str, told: str) -> None:
    assert told in said(box, what)


def test_it_gets_what_was_granted_and_nothing_else(box: Sandbox) -> None:
    assert said(box, "handed") == "2026-11-23 kept"
    assert "not granted" in said(box, "currency")


def test_time_on_the_clock_is_limited_too(box: Sandbox) -> None:
    with pytest.raises(WorkerTrouble, match="took longer than 1 s"):
        asyncio.run(box.call("act", {"what": "sleep"}, timeout=1.0))


def test_a_changed_file_is_not_run(tmp_path: Path) -> None:
    box = parcels.boxed(tmp_path, HERE)
    file = box.installed["badly"].folder / "badly.py"
    file.chmod(0o644)
    file.write_text(file.read_text() + "\n# one more line\n")
    with pytest.raises(NotAllowed, match=r"badly\.py was changed"):
        asyncio.run(box.call("act", {"what": "environment"}))


def test_a_level_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = Levels(tmp_path, "bubblewrap").tested()
    assert found.level == "none"
    assert found.lacking == ("bubblewrap: the program bwrap is not installed",)
