"""A real server and a real service over HTTP: what changes there behind our back is found, and mended over the API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from soloist.cli import starter
from tests.acceptance.driving import Served, token, until
from tests.servers.diary import Diary

pytestmark = pytest.mark.servers


class House:
    """A served home with a diary, asked over the API."""

    def __init__(self, folder: Path) -> None:
        self.diary = Diary()
        toml = starter.write_into(folder / "home", business="Linde", timezone="UTC", language="en")[0]
        toml.write_text(toml.read_text() + self.diary.toml())
        self.served = Served(folder / "home")
        self.served.start()
        self.key = token(folder / "home")

    def get(self, path: str, **params: str) -> Any:
        answer = self.served.ask("GET", path, self.key, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.served.ask("POST", path, self.key, json=body)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    def done(self, ident: str) -> dict[str, Any]:
        """The effect of an approved proposal, once it is done."""

        def found() -> Any:
            effects = self.get(f"/proposals/{ident}")["effects"]
            return effects and effects[0]["state"] == "succeeded" and effects[0]

        return dict(until(found, 240, what=f"{ident} done"))

    def approve(self, ident: str) -> dict[str, Any]:
        digest = self.get(f"/proposals/{ident}")["payload_hash"]
        self.post(f"/proposals/{ident}/approval", decision="approve", payload_hash=digest)
        return self.done(ident)

    def book(self, name: str, amount: int) -> dict[str, Any]:
        given = {"connector": "diary", "operation": "book", "payload": {"name": name, "amount": amount}}
        return self.approve(self.post("/proposals", **given, reason="asked", source_ref=name)["id"])

    def compared(self) -> dict[str, dict[str, Any]]:
        """A fresh comparison; what is not gone, by title."""
        run = self.post("/comparisons", connector="diary")["run"]
        until(lambda: self.get(f"/runs/{run}")["state"] in ("done", "failed"), 240, what="a comparison")
        return {one["title"]: one for one in self.get("/mismatches", state="")["items"] if one["state"] != "gone"}

    def decide(self, row: dict[str, Any], option: str, **fields: str) -> dict[str, Any]:
        return dict(self.post(f"/mismatches/{row['id']}/decision", option=option, fields=fields))

    def until_agreed(self, agreed: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Compare until it is so."""
        return dict(until(lambda: (now := self.compared()) is not None and agreed(now) and [now], 240, 0.5)[0])


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.served.kill()
    made.diary.shutdown()


def test_what_changed_behind_our_back_is_found_and_mended(house: House) -> None:
    diary = house.diary
    refs = {
        name: house.book(name, 100 + n)["provider_ref"] for n, name in enumerate(("gone", "other", "twice", "fine"))
    }
    time.sleep(2.5)  # what was done a moment ago is settling
    del diary.books[refs["gone"]]
    diary.books[refs["other"]]["amount"] = 999
    doubled = diary.put(name="twice", amount=102)
    diary.put(name="stranger", amount=1)
    found = house.until_agreed(lambda now: len(now) == 4)
    kinds = {title: one["kind"] for title, one in found.items()}
    assert kinds == {"gone": "missing_outside", "other": "differs", "twice": "duplicate", "stranger": "unattributed"}
    assert found["other"]["fields"] == [{"field": "amount", "inside": 101, "outside": 999}]
    before = list(diary.writes)

    again = house.decide(found["gone"], "send_again")["proposals"][0]
    update = house.decide(found["other"], "choose", amount="inside")["proposals"][0]
    house.decide(found["stranger"], "mine")
    assert diary.writes == before  # nothing is mended by itself
    back = house.decide(found["twice"], "take_back")["effect"]
    until(lambda: house.get(f"/effects/{back}")["state"] == "compensated", 240, what=str(house.get(f"/effects/{back}")))
    house.approve(again)
    house.approve(update)
    left = house.until_agreed(lambda now: set(now) == {"stranger"})
    assert left["stranger"]["state"] == "accepted"
    assert [one["amount"] for one in diary.named("other")] == [101]
    assert [one["id"] for one in diary.named("twice")] == [refs["twice"]] != [doubled]
    assert len(diary.named("gone")) == len(diary.named("fine")) == 1


def test_a_list_that_fails_is_a_trouble_and_never_an_absence(house: House) -> None:
    house.book("fine", 1)
    time.sleep(2.5)
    house.diary.answers = 404
    assert house.compared() == {}
    (told,) = [one for one in house.get("/comparisons")["items"] if one["connector"] == "diary"]
    assert "404" in told["trouble"]
    house.diary.answers = 200
    assert house.compared() == {}
    (told,) = [one for one in house.get("/comparisons")["items"] if one["connector"] == "diary"]
    assert (told["trouble"], told["matched"]) == ("", 1)
