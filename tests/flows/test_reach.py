"""What a role may not read never reaches it from memory: not by a context, a look-up, like cases, or a prompt."""

from __future__ import annotations

import json
from typing import Any

import pytest

from soloist.engine.store import records
from soloist.flows.remembering import Remembering
from soloist.insight import explanation, knew, runs
from soloist.kernel.fact import NewFact
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import Search, facts
from tests.flows.conftest import House, mail
from tests.flows.test_giving import given
from tests.flows.test_written_by_model import provider, says, written  # noqa: F401  # fixtures

NARROW = ("person.name", "person.emails", "fact", "memory", "house_book", "templates")
SECRETS = ("98765", "+4940778899", "seventeen percent", "quartz")
EARLIER = "Hello Mara,\n\nthe word for the website is quartz. Please keep it for our website.\n\nEmily\n"


def may_read(home: House, agent: str, reads: tuple[str, ...]) -> None:
    """The agent's contract with another list of what it reads."""
    specs = home.desk.runtime.roster.specs
    specs[agent] = specs[agent].model_copy(update={"reads": reads})


def emily(home: Any) -> str:
    """A client of whom a budget, a telephone number and a note are known."""

    def enter(tx: Any) -> str:
        body = {"name": "Emily Carter", "emails": ["emily@carter-bakery.example"]}
        ident = records.create(tx, "person", "Emily Carter", body, why="test", actor="operator")
        records.link(tx, "email", "emily@carter-bakery.example", ident, rule="test", evidence={})
        base: dict[str, Any] = {"record": ident, "source": "record", "actor": "operator", "trust": "confirmed"}
        base |= {"valid_from": tx.now, "origin": ("operator",), "confidence": "stated"}
        facts.state(tx, NewFact(attribute="name", value="Emily Carter", ref=f"record:{ident}#1", **base))
        facts.state(tx, NewFact(attribute="phone", value="+4940778899", ref=f"record:{ident}#2", **base))
        amount = {"minor": 9_876_500, "currency": "EUR"}
        facts.state(tx, NewFact(attribute="budget", value=amount, ref=f"record:{ident}#3", **base))
        return ident

    ident: str = home.app.store.write_now(enter)
    return ident


def note_of(ident: str) -> NewMemory:
    text = "For her website the discount is seventeen percent."
    return NewMemory(text=text, kind="note", ref="note:1", record=ident, origin=("operator",), trust="confirmed")


async def test_withheld_values_are_in_no_prompt_and_counted_on_the_page(written: Any, provider: Any) -> None:  # noqa: F811
    provider.reply = says()
    home = await written()
    ident = emily(home)
    await home.desk.memory.remember([note_of(ident)], actor="operator")
    await home.take_in(mail(EARLIER, subject="Our website", ident="zero@carter-bakery.example"))
    await home.until(lambda: home.rows("proposals"))
    await Remembering(home.desk).catch_up(within=60.0)
    provider.asked.clear()

    writer = home.desk.runtime.roster.specs["writer"].reads
    may_read(home, "writer", NARROW)
    await home.take_in(mail(ident="one@carter-bakery.example"))
    narrow = (await home.until(lambda: home.rows("proposals")[1:]))[0]
    said = json.dumps(provider.asked)
    assert provider.asked and "Emily Carter" in said
    assert [one for one in SECRETS if one in said.replace(",", "").replace(".00", "")] == []
    kept = json.dumps([row["request"] for row in home.rows("model_calls", run=narrow["run"])])
    assert kept != "[]" and not [one for one in SECRETS if one in kept.replace(",", "")]

    (context,) = home.rows("contexts", id=narrow["context"])
    withheld = context["packed"]["withheld"]
    assert all(withheld.get(place, 0) >= 1 for place in ("person.phones", "person.budget", "person", "conversation"))
    page = home.app.store.read_now(lambda conn: runs.run(conn, narrow["run"]))
    assert "of memory were not given: the role may not read conversation (" in page.withheld
    assert "person.phones (" in page.withheld
    told = str(
        home.app.store.read_now(lambda conn: (explanation.page(conn, narrow["id"]), knew.page(conn, narrow["id"])))
    )
    assert "Not given" in told and "+4940778899" not in told

    provider.asked.clear()
    may_read(home, "writer", writer)
    await home.take_in(mail(ident="two@carter-bakery.example"))
    await home.until(lambda: home.rows("proposals")[2:])
    said = json.dumps(provider.asked).replace(",", "")
    assert [one for one in SECRETS if one not in said] == [], "with the shipped contract all of it is given"


@pytest.fixture
def home(rig: Any) -> Any:
    return rig()


async def test_a_look_up_gives_a_role_what_it_reads_and_replays_the_same(home: Any) -> None:
    ident = emily(home)
    more = [NewMemory(text=f"Website plan {n} of the house.", ref=f"note:h{n}", kind="note") for n in range(5)]
    await home.desk.memory.remember([note_of(ident), *more], actor="operator")
    asked: dict[str, Any] = {"query": "website discount budget phone", "k": 3, "meaning": False}
    whole = await home.desk.memory.search(Search(**asked))
    held = await home.desk.memory.search(Search(**asked, reads=NARROW))
    assert "seventeen percent" in str(whole.items) and not whole.withheld
    assert "seventeen percent" not in str(held.items) and "98765" not in str(held.items)
    assert len(held.items) == 3, "what is withheld leaves its place to others"
    assert "note:1" in held.withheld["person"]
    assert all(one in held.withheld for one in ("person.phones", "person.budget"))
    assert (await home.desk.memory.replay(held.id))["identical"]
    log = await home.desk.memory.retrieval(held.id)
    assert log["detail"]["withheld"] == held.withheld and "seventeen" not in str(log)


async def test_a_researcher_of_the_operators_answers_from_what_it_reads(house: Any) -> None:
    home = await house()
    ident = emily(home)
    await home.desk.memory.remember([note_of(ident)], actor="operator")
    question = {"question": "Which discount does she get for her website?"}
    found = await given(home, agent="researcher", input=question)
    assert "seventeen percent" in str(found["value"])
    may_read(home, "researcher", ("memory", "fact", "person.name"))
    found = await given(home, agent="researcher", input={**question, "about": ident})
    assert "seventeen percent" not in str(found) and "+4940778899" not in str(found)
    assert "not given: the role may not read" in found["said"]
