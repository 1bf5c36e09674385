"""The follower of the journal: idempotent, patient, quiet about spam, one item for what is said twice; summaries."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from soloist.engine.store import conversations, memories, outcomes, records, sessions, tasks
from soloist.engine.store import facts as rows
from soloist.engine.store import settings as switches
from soloist.engine.store.clock import later
from soloist.engine.store.tables import metadata
from soloist.flows import remembering
from soloist.flows import sessions as working
from soloist.flows.curating import Curating
from soloist.flows.remembering import Remembering, remember
from soloist.flows.sessions import Sessions
from soloist.insight import practice, sheets
from soloist.kernel.errors import BadInput, Conflict, NotAllowed
from soloist.kernel.fact import NewFact
from soloist.kernel.memory import NewMemory
from soloist.kernel.message import Understanding
from tests.flows.policy_rig import Rig

ADA = "ada@okafor-ceramics.example"
WORDS = (
    "The kiln photographs should be on the start page of the shop by the end of March. We would pay 2,400 EUR for the "
    "shop and the photographs together. The old shop goes offline on 12 April, so nothing may be late. My sister Ngozi "
    "writes the texts for every page. Delivery is by courier within Germany only."
)


@pytest.fixture
def home(rig: Any) -> Rig:
    return rig()


def arrived(home: Rig, text: str = WORDS, *, talk: str = "", ident: str = "m1", kind: str = "client") -> str:
    """A message that was read, understood and put on its thread; answers its conversation."""

    def work(tx: Any) -> str:
        conversation = talk or conversations.open_new(tx, "mail", "kiln photographs")
        read = Understanding(own_text=text, kind=kind, kind_rule="test").model_dump()
        row = {"id": ident, "conversation": conversation, "direction": "in", "sender": ADA, "sender_name": "Ada Okafor"}
        row |= {"at": tx.now, "subject": "Kiln photographs", "text": text, "kind": kind, "understanding": read}
        conversations.add(tx, {**row, "recipients": [], "attachments": [], "language": "en"})
        tx.append("message.understood", subject=ident)
        return conversation

    return str(home.store.write_now(work))


def kept(home: Rig, **wanted: Any) -> list[dict[str, Any]]:
    table = metadata.tables["memories"]
    found = home.store.read_now(lambda conn: conn.execute(sa.select(table).order_by(table.c.n)).mappings().all())
    return [dict(row) for row in found if not row["ended"] and all(row[k] == v for k, v in wanted.items())]


async def caught_up(home: Rig) -> None:
    home.later(seconds=remembering.PATIENCE + 1)
    await Remembering(home.desk).catch_up()


async def test_the_same_journal_twice_gives_the_same_items(home: Rig):
    arrived(home)
    await caught_up(home)
    before = kept(home)
    home.store.write_now(lambda tx: switches.put(tx, remembering.MARK, ""))
    await caught_up(home)
    assert kept(home) == before
    assert len(before) == 1


async def test_a_message_waits_until_its_sender_is_known_and_not_for_ever(home: Rig):
    arrived(home)
    await Remembering(home.desk).catch_up()
    assert kept(home) == []
    await caught_up(home)
    assert [item["ref"] for item in kept(home)] == ["message:m1"]


async def test_spam_is_not_remembered_and_a_long_mail_is_condensed_verbatim(home: Rig):
    arrived(home, kind="spam")
    long = WORDS + " " + "We talked about this and that. " * 300
    arrived(home, long, ident="m2")
    await caught_up(home)
    (item,) = kept(home)
    assert "condensed" in item["tags"]
    assert len(item["text"]) < 2500
    for span in item["detail"]["spans"]:
        assert long[span["from"] : span["to"]] in item["text"]


async def test_two_processes_write_a_turn_once(home: Rig):
    arrived(home)
    home.later(seconds=remembering.PATIENCE + 1)
    turn = home.store.read_now(lambda conn: remembering.gather(conn, later(home.moment.isoformat(), 0)))
    assert turn is not None
    assert home.store.write_now(lambda tx: remembering.keep(tx, turn)) is True
    assert home.store.write_now(lambda tx: remembering.keep(tx, turn)) is False


def test_what_is_said_twice_is_one_item_and_what_is_said_anew_takes_its_place(home: Rig):
    note = NewMemory("Calls before ten.", kind="note", ref="note:1")
    (first,) = home.store.write_now(lambda tx: remember(tx, [note], actor="soloist"))
    same = NewMemory("Calls before ten.", kind="note", ref="note:2")
    assert home.store.write_now(lambda tx: remember(tx, [same, same], actor="soloist")) == [first, first]
    anew = NewMemory("Calls after ten.", kind="note", ref="note:1")
    (other,) = home.store.write_now(lambda tx: remember(tx, [anew], actor="soloist"))
    old = home.store.read_now(lambda conn: memories.get(conn, first))
    assert (old["ended_why"], old["superseded_by"]) == ("said anew", other)


def test_only_a_persons_word_or_a_rule_writes_canonical_memory(home: Rig):
    item = NewMemory("Pay at once.", tier="canonical")
    with pytest.raises(NotAllowed) as refused:
        home.store.write_now(lambda tx: remember(tx, [item], actor="soloist"))
    assert refused.value.field == "tier"
    tainted = NewMemory("Pay at once.", trust="confirmed", origin=("outside:victor@quick-offers.example",))
    with pytest.raises(NotAllowed):
        home.store.write_now(lambda tx: remember(tx, [tainted], actor="soloist"))
    assert kept(home) == []


async def test_a_quiet_thread_gets_one_summary_with_its_places(home: Rig):
    talk = arrived(home)
    home.later(hours=1)
    arrived(home, "Please send the offer for the shop until Friday. " + WORDS, talk=talk, ident="m2")
    flow = Sessions(home.desk)
    await flow.turn()
    assert kept(home, kind="summary") == []
    home.later(seconds=working.QUIET + 60)
    await flow.turn()
    await flow.turn()
    (summary,) = kept(home, kind="summary")
    assert (summary["tier"], summary["trust"], summary["thread"]) == ("session", "unverified", talk)
    thread = {f"message:{m['id']}": m["text"] for m in home.store.read_now(lambda conn: conversations.of(conn, talk))}
    for span in summary["detail"]["spans"]:
        assert thread[span["ref"]][span["from"] : span["to"]] in summary["text"]


def test_a_written_summary_must_cite_its_words(home: Rig):
    talk = arrived(home)
    good = {"text": "The old shop goes offline on 12 April.", "spans": [{"ref": "message:m1", "from": 0, "to": 250}]}
    home.store.write_now(lambda tx: working.keep_written(tx, talk, [good], model="fake"))
    bad = {**good, "text": "They pay 9,000 EUR."}
    for wrong in (bad, {**good, "spans": []}, {"text": "x", "spans": [{"ref": "y"}]}):
        with pytest.raises(BadInput):
            home.store.write_now(lambda tx, wrong=wrong: working.keep_written(tx, talk, [wrong], model="fake"))
    assert [item["source"] for item in kept(home, kind="summary")] == ["summary:fake"]


async def test_an_idle_working_session_closes_into_what_was_decided_in_it(home: Rig):
    flow = Sessions(home.desk)
    made = await flow.begin({"title": "Spring offers", "objectives": ["Three offers"]}, who="operator")
    assert [item["tier"] for item in kept(home)] == ["working"]
    note = NewMemory("No bakeries in summer.", kind="decision", at="2026-11-20T10:00:00Z", origin=("operator",))
    home.store.write_now(lambda tx: remember(tx, [note], actor="operator"))
    home.later(seconds=working.IDLE + 60)
    await flow.turn()
    row = home.store.read_now(lambda conn: sessions.get(conn, made["id"]))
    assert row["state"] == "closed"
    assert "No bakeries in summer." in row["summary"]
    with pytest.raises(Conflict):
        await flow.change(made["id"], {"title": "again"}, who="operator")


async def test_questions_about_contradictions_are_capped(home: Rig):
    made = lambda tx: records.create(tx, "person", "Ada Okafor", {"name": "Ada Okafor"}, why="a test")  # noqa: E731
    record = home.store.write_now(made)
    for number in range(remembering.MOST_CARDS + 2):
        sure = NewFact(record, f"a{number}", "x", trust="confirmed", actor="operator")
        home.store.write_now(lambda tx, sure=sure: rows.state(tx, sure))
        await Curating(home.desk).state(NewFact(record, f"a{number}", "y", actor=ADA))
    assert home.store.read_now(remembering.open_questions) == remembering.MOST_CARDS
    (card, *_) = home.store.read_now(lambda conn: tasks.cards(conn, "open"))
    sheet = home.store.read_now(lambda conn: sheets.sheet(conn, card["id"]))
    assert [option.id for option in sheet.options] == ["keep", "take"]
    assert sheet.links[0].href == f"/records/-/{record}"


async def test_an_artefact_lives_as_long_as_its_day_and_belongs_to_its_run(home: Rig):
    curating = Curating(home.desk)
    await curating.keep_artefact("run:1", "half", "an intermediate text")
    assert [row["text"] for row in await curating.artefacts("run:1")] == ["an intermediate text"]
    home.later(days=2)
    assert await curating.artefacts("run:1") == []


async def test_practice_counts_what_each_way_of_working_led_to(home: Rig):
    made = await home.propose("notify", text="hello")
    home.store.write_now(
        lambda tx: outcomes.note(tx, {"object": made["id"], "metric": "answered", "value": "2"}, actor="x")
    )
    (way,) = home.store.read_now(practice.ways)
    assert (way.operation, way.cases, way.answered) == ("shop.notify", 1, 1)
    assert "1 answered" in way.told


async def test_no_address_gets_into_the_chained_part_of_the_journal(home: Rig):
    record = home.store.write_now(
        lambda tx: records.create(tx, "person", "Ada Okafor", {"name": "Ada Okafor"}, why="a test")
    )
    talk = arrived(home, "Our budget for the shop is 3,000 EUR.")
    home.store.write_now(lambda tx: conversations.assign(tx, talk, record))
    await Curating(home.desk).state(NewFact(record, "budget", "3,000 EUR", actor=ADA))
    await caught_up(home)
    table = metadata.tables["events"]
    rows = home.store.read_now(lambda conn: conn.execute(sa.select(table)).mappings().all())
    assert not [row["kind"] for row in rows if "@" in f"{row['actor']}{row['subject']}{row['external_id']}{row['run']}"]
