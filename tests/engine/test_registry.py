"""The registry: plugins are found by entry point, a broken one is named, and readers never get the writing half."""

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from soloist.config import Settings
from soloist.engine import registry as module
from soloist.engine.connections import Connection, connections, context
from soloist.engine.registry import ReadingHalf, describe, load, reading_halves
from soloist.sdk import Base, Manifest, Registry, Trouble


class Post(Base):
    kind = "post"


def register(registry: Registry) -> None:
    registry.add_connector(Post())


def register_a_clash(registry: Registry) -> None:
    registry.add_connector(Post())
    registry.add_agent("postmaster", Path("postmaster"))


def register_badly(registry: Registry) -> None:
    registry.add_connector(Post())
    raise RuntimeError("no licence")


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Entry points of this test: name to function (or to an error that loading it raises)."""
    given: dict[str, object] = {"shipped": lambda registry: None}

    class Point:
        def __init__(self, name: str) -> None:
            self.name = name

        def load(self) -> object:
            found = given[self.name]
            if isinstance(found, Exception):
                raise found
            return found

    monkeypatch.setattr(module, "entry_points", lambda group: [Point(name) for name in given])
    monkeypatch.delenv(module.ONLY, raising=False)
    return given


def test_the_shipped_connectors_are_there_even_when_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "entry_points", lambda group: EntryPoints([]))
    assert {"http", "smtp", "maildir", "dropfolder"} <= set(load().connectors)


def test_an_installed_distribution_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("shipped", "soloist.plugins:register", "soloist.plugins")
    monkeypatch.setattr(module, "entry_points", lambda group: EntryPoints([point]))
    assert "http" in load().connectors


def test_a_third_partys_connector_is_loaded(points: dict[str, object]) -> None:
    points["post"] = register
    assert list(load().connectors) == ["post"]


def test_a_plugin_that_cannot_be_imported_is_named_and_the_rest_goes_on(points: dict[str, object]) -> None:
    points["broken"] = ImportError("No module named 'nope'")
    points["post"] = register
    found = load()
    assert found.troubles == ["broken: ImportError: No module named 'nope'"]
    assert list(found.connectors) == ["post"]


def test_what_a_failing_plugin_had_added_is_kept_and_the_fault_named(points: dict[str, object]) -> None:
    points["bad"] = register_badly
    found = load()
    assert found.troubles == ["bad: RuntimeError: no licence"]
    assert list(found.connectors) == ["post"]


def test_a_second_connector_of_that_name_is_named_and_the_rest_of_its_plugin_kept(points: dict[str, object]) -> None:
    points["a"], points["b"] = register, register_a_clash
    found = load()
    assert found.troubles == ["b: two connectors are called post"]
    assert list(found.agents) == ["postmaster"]


@pytest.mark.parametrize(("only", "kinds"), [("", []), ("post", ["post"]), ("other, post", ["post"]), ("shipped", [])])
def test_only_the_named_plugins_are_loaded(
    points: dict[str, object], monkeypatch: pytest.MonkeyPatch, only: str, kinds: list[str]
) -> None:
    points["post"] = register
    monkeypatch.setenv(module.ONLY, only)
    assert list(load().connectors) == kinds


def halves(tmp_path: Path, settings: Settings) -> dict[str, ReadingHalf]:
    def make(connection: Connection, manifest: Manifest):
        return context(connection, manifest, settings=settings, home=tmp_path, secrets=lambda name: "")

    return reading_halves(connections(settings), load(), make)


def test_a_reading_half_cannot_write(tmp_path: Path) -> None:
    half = halves(tmp_path, Settings())["mail"]
    assert not {"execute", "prepare", "undo"} & set(dir(half))


async def test_what_a_disk_raises_becomes_a_trouble_of_the_closed_set(tmp_path: Path) -> None:
    half = halves(tmp_path, Settings())["mail-in"]
    (tmp_path / "mail").mkdir(exist_ok=True)
    (tmp_path / "mail/in").write_text("a file where the folder should be")
    with pytest.raises(Trouble) as caught:
        [page async for page in half.pull("new", "")]
    assert (caught.value.fault, caught.value.sent) == ("unavailable", "no")


async def test_a_reading_half_checks_pulls_and_puts_aside(tmp_path: Path) -> None:
    incoming = halves(tmp_path, Settings())["mail-in"]
    (tmp_path / "mail/in/new").mkdir(parents=True)
    (tmp_path / "mail/in/new/1").write_bytes(b"hello")
    (page,) = [page async for page in incoming.pull("new", "")]
    incoming.done_with(page.arrivals[0])
    assert (await incoming.check()).state == "ok"
    assert [page async for page in incoming.pull("new", "")] == []


def test_operations_are_described_for_doctor_and_api(tmp_path: Path) -> None:
    described = {entry["connector"]: entry for entry in describe(halves(tmp_path, Settings()))}
    (send,) = described["mail"]["operations"]
    assert (send["name"], send["class"], send["hold"], send["undo"]) == ("mail.send", "B", 30.0, "apology")
    assert described["drop"]["operations"] == []


def test_a_kind_without_adapter_becomes_a_trouble(tmp_path: Path) -> None:
    empty = Registry()
    assert reading_halves({"x": Connection("x", "pigeon", {})}, empty, lambda c: None) == {}
    assert empty.troubles == ["connectors.x: there is no adapter of the kind 'pigeon'"]
