"""Merges over the API: made, listed, kept apart, taken back; what cannot be merged names its field."""

from typing import Any

import pytest

from soloist.engine.store import records
from soloist.stages.records import merging


@pytest.fixture
def people(app: Any) -> tuple[str, str]:
    """Ada twice, proposed as one; the second has an address of her own."""

    def work(tx: Any) -> tuple[str, str]:
        one, two = (records.create(tx, "person", "Ada Okafor", {"name": "Ada Okafor"}, why="test") for _ in "ab")
        records.link(tx, "email", "ada@okafor.example", two, rule="email", evidence={})
        merging.propose(tx, one, two, why="test")
        return one, two

    return app.store.write_now(work)


async def test_a_merge_is_made_read_and_taken_back(http: Any, people: tuple[str, str]) -> None:
    made = await http.post("/merges", json={"kept": people[0], "other": people[1], "choices": {"name": "other"}})
    assert (made.status_code, made.json()["state"], made.json()["choices"]) == (201, "merged", {"name": "other"})
    ident = made.json()["id"]
    (one,) = (await http.get("/identities", params={"record": people[0]})).json()["items"]
    assert (one["record"], one["stands_for"]) == (people[1], people[0])
    assert (await http.delete(f"/merges/{ident}")).json()["state"] == "unmerged"
    assert (await http.delete(f"/merges/{ident}")).status_code == 409
    assert (await http.get("/identities", params={"record": people[0]})).json()["items"] == []


async def test_a_proposed_pair_is_listed_with_its_evidence_and_kept_apart(http: Any, people: tuple[str, str]) -> None:
    (one,) = (await http.get("/merges", params={"state": "proposed"})).json()["items"]
    assert [field["field"] for field in one["fields"]] == ["name"]
    done = await http.post(f"/merges/{one['id']}/decision", json={"option": "apart"})
    assert done.json()["state"] == "apart"
    assert (await http.get(f"/merges/{one['id']}")).json() == done.json()


async def test_what_cannot_be_merged_is_a_problem_with_its_field(http: Any, people: tuple[str, str]) -> None:
    for body, field in (
        ({"kept": people[0], "other": people[0]}, "other"),
        ({"kept": people[0], "other": "nobody"}, "other"),
        ({"kept": people[0], "other": people[1], "choices": {"shoe": "both"}}, "choices.shoe"),
    ):
        answer = await http.post("/merges", json=body)
        assert answer.status_code == 422
        assert answer.json()["field"] == field
    assert (await http.get("/merges/none")).status_code == 404
