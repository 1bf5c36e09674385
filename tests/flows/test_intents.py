"""Intents of the operator's own: kept, learned by language, told through two gates, and led to where each belongs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import conversations, events, samples, tables
from soloist.engine.worker import LocalWorker
from soloist.flows.intents import Intents
from soloist.insight import intents as view
from soloist.kernel.errors import BadInput, NotFound
from soloist.stages.runtime.models import AtOnce
from tests.flows.conftest import mail
from tests.stages.models.conftest import provider_module

TOML = """
[models.small]
base_url = "{url}"
model = "tiny"
allow_private_network = true
price = {{ input = "1", output = "4", currency = "EUR" }}
"""
MOVE = [
    "Können wir den Termin am Montag verschieben?",
    "Ich muss unseren Termin leider verschieben.",
    "Geht der Termin auch an einem anderen Tag?",
    "Wir würden den Termin gern auf Donnerstag verschieben.",
    "Bitte verschieben Sie den Termin auf nächste Woche.",
    "Der Termin passt mir nicht, können wir ihn verschieben?",
]
PAID = [
    "Die Rechnung habe ich gestern überwiesen.",
    "Ich habe Ihre Rechnung heute bezahlt.",
    "Die Rechnung ist bezahlt, das Geld kommt morgen an.",
    "Wir haben die Rechnung letzte Woche überwiesen.",
    "Ihre Rechnung wurde von uns bezahlt.",
    "Der Betrag der Rechnung ist überwiesen.",
]
NEW = "Guten Tag, können wir unseren Termin auf Freitag verschieben?"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    made = App(tmp_path)
    made.desk.runtime._fitter = LocalWorker
    made.desk.runtime._worker = LocalWorker()
    made.desk.runtime._working._worker = LocalWorker()
    yield made
    made.close()


async def kept(app: App, *, learn: bool = True) -> Intents:
    door = Intents(app.desk)
    shown = {"name": "move", "title": "Another day", "lead": "way", "target": "scheduling", "examples": MOVE}
    await door.keep(shown, who="operator")
    shown = {"name": "paid", "title": "It is paid", "lead": "reply", "target": "acknowledgement", "examples": PAID}
    await door.keep(shown, who="operator")
    if learn:
        assert await door.due()
        await door.fit()
        assert not await door.due()
    return door


def message(app: App, text: str = NEW, language: str = "de") -> str:
    def work(tx: Any) -> str:
        row = {"conversation": conversations.open_new(tx, "mail", "x"), "direction": "in", "at": tx.now, "text": text}
        more = {"sender": "p@x.example", "subject": "", "language": language, "kind": "unsure", "answer_to": ""}
        return conversations.add(tx, {**row, **more, "attachments": [], "recipients": []})

    return str(app.store.write_now(work))


async def test_a_message_like_the_examples_is_led_where_the_intent_leads(app: App) -> None:
    door, ident = await kept(app), message(app)
    way = await door.first("run-1", ident)
    assert (way["intent"], way["lead"], way["target"]) == ("move", "way", "scheduling")
    row = app.store.read_now(lambda conn: samples.find(conn, ident, "intent"))
    assert row is not None
    assert (row["label"], row["grouping"], row["language"], row["alone"]) == ("move", "way", "de", 1)
    assert (await door.turn("run-1", ident, way))["kind"] == "scheduling"
    assert app.store.read_now(lambda conn: conversations.message(conn, ident))["kind"] == "scheduling"


@pytest.mark.parametrize(("text", "language"), [("Xylophon Quarz Zebra Kaktus", "de"), (NEW, "fr")])
async def test_a_stranger_and_another_language_go_the_usual_way(app: App, text: str, language: str) -> None:
    door = await kept(app)
    assert await door.first("run-1", message(app, text, language)) == {}


async def test_what_an_operator_says_of_a_message_is_an_example_and_a_label(app: App) -> None:
    door, ident = await kept(app), message(app)
    await door.first("run-1", ident)
    await door.tell(ident, "paid", who="operator")
    assert await door.due()
    row = app.store.read_now(lambda conn: samples.find(conn, ident, "intent"))
    assert row is not None
    assert (row["outcome"], row["wanted"]) == ("wrong", "paid")
    with pytest.raises(NotFound):
        await door.tell(ident, "nothing", who="operator")


async def test_a_language_below_the_bar_is_not_told_apart(app: App) -> None:
    door = Intents(app.desk)
    for name, texts in (("one", MOVE[:3] + PAID[:3]), ("two", MOVE[3:] + PAID[3:])):
        await door.keep({"name": name, "lead": "way", "target": "ask", "examples": texts}, who="operator")
    await door.fit()
    (line,) = app.store.read_now(view.languages)
    assert (line.how, line.name) == ("", "German")
    assert "too few, so it asks you" in line.said
    assert await door.first("run-1", message(app)) == {}


async def test_a_fit_is_in_the_journal_with_what_was_measured(app: App) -> None:
    await kept(app)
    (event,) = app.store.read_now(lambda conn: events.after(conn, 0, 50, kind="model.refitted"))
    assert event["payload"]["examples"] == 12
    assert event["payload"]["languages"]["de"]["how"] == "letters"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "Move it"}, "name"),
        ({"lead": "flow"}, "lead"),
        ({"target": "nowhere"}, "target"),
        ({"lead": "agent", "target": "nobody"}, "target"),
        ({"examples": ["x"] * 3 + ["y" * 2001]}, "examples"),
    ],
)
async def test_what_does_not_fit_is_refused_by_field(app: App, changed: dict[str, Any], field: str) -> None:
    given = {"name": "move", "lead": "way", "target": "ask", "examples": MOVE, **changed}
    with pytest.raises(BadInput) as error:
        await Intents(app.desk).keep(given, who="operator")
    assert error.value.field == field
    assert app.store.read_now(view.lines) == []


async def test_an_agent_that_cannot_take_it_leaves_a_card(app: App) -> None:
    door, ident = Intents(app.desk), message(app)
    way = {"intent": "x", "lead": "agent", "target": "supervisor", "why": "It reads like your examples."}
    await door.hand_over("run-1", ident, way)
    (card,) = app.store.read_now(lambda c: c.execute(tables.tasks.select()).mappings().all())
    assert "leads to supervisor, which could not take it" in card["why"]


async def test_what_the_router_is_not_sure_of_goes_to_the_model_of_the_house(tmp_path: Path) -> None:
    with provider_module.serving(provider_module.Provider()) as provider:
        call = {"id": "c1", "type": "function", "function": {"name": "final_result", "arguments": '{"intent":"paid"}'}}
        provider.reply = lambda _served, _body: {"content": None, "tool_calls": [call]}
        (tmp_path / "soloist.toml").write_text(TOML.format(url=provider.url))
        app = App(tmp_path)
        app.desk.runtime._worker = app.desk.runtime._working._worker = LocalWorker()
        app.desk.runtime._fitter = LocalWorker
        try:
            door, ident = await kept(app), message(app, "Hallo, wie besprochen. Danke und bis bald!")
            way = await door.way(AtOnce("run-1"), ident, {"way": await door.first("run-1", ident)})
            assert (way["intent"], way["lead"], len(provider.asked)) == ("paid", "reply", 1)
            provider.reply = lambda _served, _body: {"content": "no idea"}
            other = message(app, "Hallo, wie immer. Danke und bis bald, Ihr Paul!")
            assert await door.way(AtOnce("run-2"), other, {"way": await door.first("run-2", other)}) == {}
        finally:
            app.close()


IN_FILE = """
[intents.note]
title = "A note for the shop"
leads = "operation:shop.notify"
examples = ["Bitte notieren Sie das.", "Bitte merken Sie das vor."]
[intents.gone]
leads = "operation:shop.nothing"
"""


async def test_intents_of_the_file_lead_to_an_operation_by_its_name(rig: Any) -> None:
    home = rig(IN_FILE)
    home.desk.runtime._worker = home.desk.runtime._working._worker = LocalWorker()
    door = Intents(home.desk)
    with pytest.raises(BadInput, match=r"intents.gone: target: one of shop.create_charge, shop.notify"):
        await door.from_file()
    home.desk.settings.intents.pop("gone")
    assert await door.from_file() == [], "what stands as it is is not kept again"
    (line,) = home.store.read_now(view.lines)
    assert (line.name, line.leads_to) == ("note", "a proposal of shop.notify, which waits for you")
    ident, way = message(home.app), {"intent": "note", "lead": "operation", "target": "shop.notify", "why": "It reads."}
    await door.call("run-1", ident, way)
    (row,) = home.rows("proposals")
    assert (row["state"], row["operation"], row["payload"]["text"]) == ("waiting", "notify", NEW)
    assert "outside" in str(row["origin"])
    await door.call("run-2", ident, {**way, "target": "shop.nothing"})
    assert any("which could not take it" in card["why"] for card in home.rows("tasks"))
    home.desk.settings.intents.clear()
    assert await door.from_file() == ["note"]
    assert home.store.read_now(view.lines) == []


async def test_without_intents_nothing_is_asked(app: App) -> None:
    assert await Intents(app.desk).first("run-1", message(app)) == {}
    door = await kept(app)
    for name in ("move", "paid"):
        await door.end(name, who="operator")
    assert await door.first("run-1", message(app)) == {}
    assert app.store.read_now(view.lines) == []


async def test_what_came_last_is_listed(house):
    house = await house()
    await house.take_in(mail())
    (line,) = house.app.store.read_now(view.lately)
    assert (line.sender, line.subject) == ("Emily Carter", "New website for our bakery")
