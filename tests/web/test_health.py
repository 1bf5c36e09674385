"""/readyz: ready with a whole house, 503 with the reasons otherwise."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from soloist.engine.stopping import Halt
from soloist.insight import reconcile
from soloist.kernel.errors import StoreTrouble
from soloist.web.health import healthz, readyz


class House:
    """As much of an App as the page asks for."""

    def __init__(self) -> None:
        self.engine: Any = object()
        self.sources = SimpleNamespace(troubles={})
        self.store = self
        self.desk = SimpleNamespace(effects=SimpleNamespace(halt=Halt()))
        self.broken, self.stopped = False, ""

    async def write(self, work: Any, *, full: bool) -> None:
        if self.broken:
            raise StoreTrouble("The disk is full.")

    async def read(self, query: Any) -> Any:
        return {"open": 0, "oldest": ""} if query is reconcile.standing else self.stopped


def asked(house: House, path: str = "/readyz", client: str = "127.0.0.1") -> tuple[int, dict[str, Any]]:
    app = Starlette(routes=[Route("/readyz", readyz), Route("/healthz", healthz)])
    app.state.app = house
    answer = TestClient(app, client=(client, 50000)).get(path)
    return answer.status_code, answer.json()


def test_a_whole_house_is_ready() -> None:
    status, said = asked(House())
    assert (status, said["ok"], said["engine"], said["database"], said["reasons"]) == (200, True, True, True, [])
    assert said["mismatches"] == {"open": 0, "oldest": ""}


@pytest.mark.parametrize(("part", "value", "word"), [("engine", None, "engine"), ("broken", True, "database")])
def test_without_engine_or_database_it_is_not_ready_and_says_why(part: str, value: Any, word: str) -> None:
    house = House()
    setattr(house, part, value)
    status, said = asked(house)
    assert (status, said["ok"]) == (503, False)
    assert word in said["reasons"][0]
    assert asked(house, "/healthz") == (200, {"ok": True})


def test_a_source_in_trouble_is_listed_and_counts_for_a_strict_watcher() -> None:
    house = House()
    house.sources.troubles["post"], house.stopped = "The password was refused.", "2026-11-21T09:00:00Z"
    status, said = asked(house)
    assert (status, said["sources"]) == (200, {"post": "The password was refused."})
    status, said = asked(house, "/readyz?strict=1")
    assert status == 503
    assert said["reasons"] == [
        "post cannot be read: The password was refused.",
        "Everything outbound is stopped since 2026-11-21T09:00:00Z.",
    ]


def test_another_machine_hears_no_names() -> None:
    house = House()
    house.sources.troubles["post"] = "The password was refused."
    assert asked(house, "/readyz?strict=1", "203.0.113.7") == (503, {"ok": False})
