"""Versions of agents: published once, put in use, pinned, gone back to; what is wrong does not stop the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import failures, published, releases, settings, tables, tasks
from soloist.engine.store.tx import Tx
from soloist.flows.publishing import SEEN, Publishing, seen
from soloist.kernel.errors import BadConfig, BadInput, Conflict, NotAllowed, NotFound
from soloist.stages.runtime import contracts
from soloist.stages.runtime.agents import read_folder

SORTER = """
name = "sorter"
version = "{version}"
kind = "task"
summary = "Sorts the photos of a project into its folders."
skills = ["{skill}"]
[limits]
timeout = "5s"
"""
TEXT = "# Sorter\n\nSort every photo into the folder of its room, and leave alone what shows no room at all.\n"


def content(version: str = "1", skill: str = "kind", text: str = TEXT) -> dict[str, Any]:
    return {"toml": SORTER.format(version=version, skill=skill), "instructions": text}


def own(root: Path, name: str = "sorter", **given: str) -> Path:
    """An agent of the operator's in the home."""
    folder = root / "agents" / name
    folder.mkdir(parents=True, exist_ok=True)
    made = content(**given)
    (folder / "agent.toml").write_text(made["toml"], encoding="utf-8")
    (folder / "instructions.md").write_text(made["instructions"], encoding="utf-8")
    return folder


class House:
    """A home that can be opened again, as after an upgrade."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.app = App(root)

    async def opened(self) -> Publishing:
        self.app.close()
        self.app = App(self.root)
        made = Publishing(self.app.desk)
        await made.at_start()
        return made

    @property
    def troubles(self) -> str:
        return "\n".join(self.app.desk.runtime.roster.troubles)

    def version(self, name: str = "sorter") -> str:
        return self.app.desk.runtime.agents[name].version

    def kinds(self) -> list[str]:
        """What the journal says about agents, oldest first."""
        at = tables.events.c
        query = tables.events.select().where(at.kind.startswith("agent.")).order_by(at.seq)
        return [row.kind for row in self.app.store.read_now(lambda conn: conn.execute(query).all())]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "home")
    yield made
    made.app.close()


async def test_what_ships_is_published_once(house: House):
    await house.opened()
    first = house.kinds()
    assert (first.count("agent.published"), first.count("agent.released")) == (len(first) // 2, len(first) // 2)
    await house.opened()
    assert (house.kinds(), house.troubles) == (first, "")
    skills = house.app.store.read_now(lambda conn: published.hashes(conn, "skill"))
    assert {name for name, _ in skills} == house.app.registry.skills.keys()


async def test_an_agent_of_the_operators_is_found_in_the_home(house: House):
    own(house.root)
    await house.opened()
    assert house.version() == "1"
    row = house.app.store.read_now(lambda conn: published.get(conn, "agent", "sorter", "1"))
    assert (row["source"], row["content"]["instructions"]) == ("home", TEXT)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("skil = []\n", "skil: there is no such key; did you mean 'skills'?"),
        ('skills = ["knd"]\n', "there is no skill called 'knd'; did you mean 'kind'?"),
        ("skills = [\n", "this is no TOML"),
    ],
)
async def test_a_wrong_file_is_told_and_the_others_work(house: House, broken: str, said: str):
    path = own(house.root) / "agent.toml"
    path.write_text(broken + "\n".join(x for x in path.read_text().splitlines() if not x.startswith("skills")))
    await house.opened()
    assert said in house.troubles
    assert "agents/sorter/agent.toml" in house.troubles
    assert house.version("intake") == "2"
    assert house.app.store.read_now(lambda conn: releases.find(conn, "agent", "sorter")) is None


async def test_another_name_than_the_folders_is_told(house: House):
    own(house.root, "painter")
    await house.opened()
    assert "name: 'sorter', but its folder is called 'painter'" in house.troubles


async def test_a_version_is_never_changed(house: House):
    own(house.root)
    await house.opened()
    own(house.root, text=TEXT + "And be quick.\n")
    await house.opened()
    assert "was published before with another content" in house.troubles
    assert "such as '2'" in house.troubles
    assert house.app.desk.runtime.roster.contents["sorter"]["instructions"] == TEXT


async def test_an_upgrade_is_used_unless_it_is_pinned(house: House):
    own(house.root)
    made = await house.opened()
    own(house.root, version="2")
    made = await house.opened()
    assert house.version() == "2"
    await made.use("sorter", "2", who="operator", pin=True)
    own(house.root, version="3")
    await house.opened()
    assert house.version() == "2"


async def test_going_back_runs_the_stored_content_and_stays(house: House):
    own(house.root)
    await house.opened()
    own(house.root, version="2", text=TEXT + "Ask when two rooms are seen.\n")
    made = await house.opened()
    row = await made.back("sorter", who="operator", why="it asked too much")
    assert (row["version"], row["before"], row["pinned"]) == ("1", "2", 1)
    assert house.app.desk.runtime.roster.contents["sorter"]["instructions"] == TEXT
    made = await house.opened()
    assert house.version() == "1"
    with pytest.raises(NotFound, match="published: 2, 1"):
        await made.use("sorter", "9", who="operator")


async def test_there_is_nothing_to_go_back_to(house: House):
    made = await house.opened()
    with pytest.raises(Conflict, match="no other version"):
        await made.back("intake", who="operator")


async def test_a_version_is_published_from_texts(house: House):
    made = await house.opened()
    found = await made.publish(content(), who="operator", why="first try")
    assert (found["name"], house.version()) == ("sorter", "1")
    await made.publish(content(version="2"), who="operator", why="kept aside", use=False)
    assert house.version() == "1"
    with pytest.raises(Conflict, match="never changed"):
        await made.publish(content(text=TEXT * 2), who="operator", why="the same again")
    with pytest.raises(BadInput, match="did you mean 'kind'"):
        await made.publish(content(version="3", skill="kin"), who="operator", why="typing")
    with pytest.raises(BadConfig, match=r"instructions\.md is missing"):
        await made.publish(content(version="3", text=""), who="operator", why="no text")


async def test_a_paused_agent_does_nothing_and_its_work_waits(house: House):
    made = await house.opened()
    await made.switch("intake", "paused", who="operator", why="holidays")
    assert set(house.app.store.read_now(failures.held)) == {"intake", "reply"}
    with pytest.raises(NotAllowed, match="intake@2 is paused: holidays"):
        house.app.desk.runtime.roster.working("intake")
    await made.switch("supervisor", "paused", who="operator")
    await made.switch("intake", "active", who="operator")
    assert set(house.app.store.read_now(failures.held)) == {"intake", "reply"}
    await made.switch("supervisor", "active", who="operator")
    assert house.app.store.read_now(failures.held) == []
    assert house.app.desk.runtime.roster.working("intake").name == "intake"
    with pytest.raises(Conflict, match="is no state"):
        await made.switch("intake", "asleep", who="operator")


async def test_at_its_cap_it_is_not_switched_on(house: House):
    made = await house.opened()

    rows = releases.releases
    capped = rows.update().where(rows.c.name == "intake").values(state="at_cap")
    await house.app.store.write(lambda tx: tx.run(capped).rowcount)
    with pytest.raises(Conflict, match="has reached a cap"):
        await made.switch("intake", "active", who="operator")


async def test_a_skill_that_promises_less_under_its_version_is_told(house: House):
    made = await house.opened()

    def older(tx: Tx) -> None:
        row = published.version(tx.conn, "skill", "money", "1")
        assert row is not None
        more = {**row["content"], "examples": {**row["content"]["examples"], "one more": {"hash": "x"}}}
        tx.run(published.published.update().where(published.published.c.id == row["id"]).values(content=more, hash="o"))
        settings.put(tx, SEEN, "")

    await house.app.store.write(older)
    await made.skills()
    assert "money@1 no longer promises" in house.troubles
    assert "the example 'one more' is gone" in house.troubles


async def test_the_folder_of_a_shipped_agent_can_be_copied_and_made_ones_own(house: House):
    made = await house.opened()
    whole = read_folder(house.app.desk.runtime.roster.folders["intake"][0])
    mine = {**whole, "toml": whole["toml"].replace('version = "2"', 'version = "2.1-mine"')}
    await made.publish(mine, who="operator", why="shorter replies")
    await house.opened()
    assert house.version("intake") == "2.1-mine"
    assert "enquiry.de" in house.app.desk.runtime.roster.templates("intake")


async def test_who_hands_work_on_gives_no_more_than_both_have(house: House):
    """The sorter may not send mail, and does not by asking intake."""
    made = await house.opened()
    given = content()
    given["toml"] += '[[handoffs]]\nto = "intake"\nwork = "answer"\nwhen = "a photo came by mail"\n'
    await made.publish(given, who="operator", why="it asks intake")
    deputy = made.delegated("sorter", "intake", "answer")
    with pytest.raises(NotAllowed, match=r"may not propose mail\.send"):
        deputy.may_propose("mail.send")
    with pytest.raises(NotAllowed, match="may not hand answer to sorter"):
        made.delegated("intake", "sorter", "answer")


async def test_contracts_are_read_once_while_nothing_changes(house: House, monkeypatch: pytest.MonkeyPatch):
    made = await house.opened()
    read: list[str] = []
    monkeypatch.setattr(contracts, "content", lambda skill: read.append(skill.name))
    await made.skills()
    assert read == []


async def test_a_flow_held_by_hand_stays_held_when_its_agent_works_again(tmp_path: Path) -> None:
    house = House(tmp_path)
    made = await house.opened()
    store, flow = house.app.desk.store, house.app.desk.runtime.roster.get("intake").flows[0]
    store.write_now(lambda tx: failures.hold(tx, flow, True, actor="operator"))
    await made.switch("intake", "paused", who="operator")
    await made.switch("intake", "active", who="operator")
    assert flow in store.read_now(failures.held)
    store.write_now(lambda tx: failures.hold(tx, flow, False, actor="operator"))
    await made.switch("intake", "paused", who="operator")
    assert flow in store.read_now(failures.held)
    await made.switch("intake", "active", who="operator")
    assert flow not in store.read_now(failures.held)
    house.app.close()


async def test_a_version_that_is_not_taken_over_is_one_card(tmp_path: Path) -> None:
    house = House(tmp_path)
    own(tmp_path)
    await house.opened()
    own(tmp_path, text=TEXT + "Another text under the same version.\n")
    await house.opened()
    await house.opened()
    found = house.app.store.read_now(lambda conn: tasks.cards(conn, "open"))
    cards = [card for card in found if card["subject"] == "sorter"]
    assert [card["title"] for card in cards] == ["The agent sorter@1 was not taken over"]
    done = house.app.store.write_now(lambda tx: seen(tx, cards[0], "seen", "operator"))
    assert done == {"state": "closed"}
    house.app.close()
