"""What every test shares: the folder of the corpora, and the rule that no test is skipped in silence."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from soloist.app import App
from tests import light
from tests.engine.store import databases

ROOT = Path(__file__).parents[1]
MARKERS = ("servers", "storm", "corpora")
"""Markers with a make target of their own."""
FIRST = ("test_api_schema", "test_first_start", "test_api_contract", "test_waking_process", "test_upgrade")
"""Files that take long begin first, so that no worker is alone with one at the end."""
pytest_plugins = ("tests.storm.counts",)

settings.register_profile("house", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """What runs under a marker of its own is about the whole as it is shipped."""
    if config.option.markexpr not in MARKERS:
        light.begin()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test of what is made light for the others: the disk is waited for."""
    for (place, name), found in light.AS_SHIPPED.items():
        monkeypatch.setattr(place, name, found)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What collecting leaves stays to the end: the garbage collector need not look through it after every house."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)  # what a test leaves is small beside what it would cost to look so often
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A run of one marker reads the files that name it: to import the hundreds of others takes most of a minute."""
    wanted = config.option.markexpr
    if wanted in MARKERS and collection_path.name.startswith("test_") and collection_path.suffix == ".py":
        return True if f"mark.{wanted}" not in collection_path.read_text(encoding="utf-8") else None
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: FIRST.index(item.path.stem) if item.path.stem in FIRST else len(FIRST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test is a failed test: what cannot run here belongs behind a marker of its own make target."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped; no test is skipped here: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder with the mail corpora (SOLOIST_CORPORA, else ../shared/data); the test fails when it is absent."""
    folder = Path(os.environ.get("SOLOIST_CORPORA", "../shared/data"))
    folder = folder if folder.is_absolute() else ROOT / folder
    if not folder.is_dir():
        pytest.fail(f"There is no folder {folder}; make test-corpora needs it.")
    return folder


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A real home that is opened and not started."""
    opened = App(databases.home(tmp_path))
    opened.store.writer.send = lambda *_: None  # no engine runs here, so there is nobody to wake
    yield opened
    opened.close()
