"""What a role may read and write is held while it works: a skill is given listed fields, and no others are written."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from soloist.engine.store import conversations, records
from soloist.engine.worker import Worker
from soloist.flows import tidying
from soloist.flows.intake import intake
from soloist.kernel.errors import NotAllowed
from soloist.kernel.message import Understanding
from soloist.kernel.work import WorkItem
from tests.flows.by_step import Verbs
from tests.flows.policy_rig import Rig

ADA = {
    "name": "Ada Okafor",
    "emails": ["ada@okafor.example"],
    "phones": ["+49 40 1"],
    "website": "https://okafor.example",
}


class Seeing(Worker):
    """A reading process that notes what it is given, and is none."""

    asked: ClassVar[list[tuple[str, dict[str, Any]]]] = []

    async def call(self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0) -> Any:
        self.asked.append((skill, value))
        return {"matches": []}


@pytest.fixture
def home(rig: Any, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr("soloist.app.Worker", Seeing)
    Seeing.asked.clear()
    made: Rig = rig()
    return made


def without(home: Rig, agent: str, *places: str) -> None:
    """The agent's contract as if these places stood in neither of its lists."""
    specs = home.desk.runtime.roster.specs
    listed = {name: tuple(p for p in getattr(specs[agent], name) if p not in places) for name in ("reads", "writes")}
    specs[agent] = specs[agent].model_copy(update=listed)


async def test_a_skill_is_given_only_the_fields_its_role_may_read(home: Rig) -> None:
    people = [
        home.store.write_now(
            lambda tx, name=name: records.create(tx, "person", name, {**ADA, "name": name}, why="t", actor="operator")
        )
        for name in ("Ada Okafor", "A. Okafor")
    ]
    home.store.write_now(lambda tx: tx.start("r1", "work", "r1"))
    item = WorkItem("r1", "work", "crm_keeper", "duplicates", {"records": people[:1]})
    await tidying.keep(home.desk, Verbs(home.app, "r1"), item)
    (whole,) = Seeing.asked
    assert whole[1]["new"]["fields"]["phone"] == "+49 40 1"
    assert "website" not in str(whole), "the skill does not ask for it"
    without(home, "crm_keeper", "person.phones", "person.emails")
    await tidying.keep(home.desk, Verbs(home.app, "r1"), item)
    given = Seeing.asked[-1][1]
    assert given["new"]["fields"] == {"name": "Ada Okafor"}
    assert [one["fields"] for one in given["known"]] == [{"name": "A. Okafor"}]
    without(home, "crm_keeper", "person.name", "person.website", "person.company_name")
    with pytest.raises(NotAllowed, match=r"crm_keeper@\d+ may not read person; its agent.toml does not list it"):
        await tidying.keep(home.desk, Verbs(home.app, "r1"), item)


async def test_whoever_reads_mail_writes_no_field_of_people_that_its_contract_does_not_list(home: Rig) -> None:
    intake(home.desk)
    read = Understanding(own_text="Hello", kind="client", kind_rule="test").model_dump(mode="json")
    row = {"direction": "in", "sender": ADA["emails"][0], "sender_name": "Ada Okafor", "kind": "client"}
    row |= {"message_id": "m1", "recipients": [], "references": [], "text": "Hello", "understanding": read}

    def work(tx: Any) -> str:
        tx.start("r1", "intake", "r1")
        event = tx.append("mail.received", subject="m1", source="mail", external_id="1")
        talk = conversations.open_new(tx, "mail", "Hello")
        return conversations.add(tx, {**row, "conversation": talk, "at": tx.now, "event": event.id})

    message = home.store.write_now(work)
    without(home, "intake", "person.phones")
    with pytest.raises(NotAllowed, match=r"intake@\d+ may not write person.phones"):
        await home.desk.records.identify("r1", message)
    assert home.store.read_now(lambda conn: records.listed(conn, "person", before=None, limit=9)) == []
