"""What is remembered about somebody: facts that hold, contradict and are past, items by tier, three lines."""

from __future__ import annotations

from typing import Any

from soloist.app import App
from soloist.engine.store import facts, memories, records
from soloist.insight import remembered
from soloist.kernel.fact import NewFact
from soloist.kernel.memory import NewMemory


def ada(app: App) -> str:
    made = lambda tx: records.create(tx, "person", "Ada Okafor", {"name": "Ada Okafor"}, why="a test")  # noqa: E731
    return app.store.write_now(made)


def say(app: App, record: str, attribute: str, value: Any, **more: Any) -> None:
    new = NewFact(**{"record": record, "attribute": attribute, "value": value, "valid_from": "2026-01-05", **more})
    app.store.write_now(lambda tx: facts.state(tx, new))


def keep(app: App, record: str, text: str, **more: Any) -> str:
    item = NewMemory(text=text, record=record, at="2026-02-01T10:00:00.000000Z", **more)
    return app.store.write_now(lambda tx: memories.add(tx, [item], actor="soloist"))[0]


def test_facts_stand_in_three_lists_and_lead_the_lines(app: App):
    person = ada(app)
    low = {"minor": 300000, "currency": "EUR"}
    say(app, person, "budget", {"low": low, "high": low}, trust="confirmed", actor="operator")
    say(app, person, "budget", "a million", valid_from="2026-01-09", actor="victor@quick-offers.example")
    say(app, person, "name", "Ada", valid_to="2026-01-07", actor="ada@okafor-ceramics.example")
    keep(app, person, "She likes calls in the morning.", kind="note", trust="confirmed")
    found = app.store.read_now(lambda conn: remembered.about(conn, person))
    assert [line.value for line in found.current] == ["EUR 3,000"]
    assert [(line.value, line.against) for line in found.disputed] == [("a million", (found.current[0].id,))]
    assert [line.value for line in found.past] == ["Ada"]
    assert found.lines[0].startswith("Budget: EUR 3,000 (since 2026-01-05, you confirmed it")
    assert "calls in the morning" in found.lines[1]
    assert len(found.lines) <= remembered.LINES


def test_what_can_be_done_depends_on_tier_kind_and_trust(app: App):
    person = ada(app)
    keep(app, person, "We agreed on three pages.", kind="note", trust="confirmed", ref="note:1")
    keep(app, person, "Kept for good.", kind="note", tier="canonical", trust="confirmed")
    found = app.store.read_now(lambda conn: remembered.about(conn, person)).memories
    assert "promote" in found["session"][0].affordances
    assert "promote" not in found["canonical"][0].affordances
    assert "forget" in found["canonical"][0].affordances


def test_tiers_are_counted_with_their_rule(app: App):
    keep(app, "", "one", kind="note")
    keep(app, "", "four", kind="message")
    lines = {(line.tier, line.kind): line for line in app.store.read_now(remembered.tiers)}
    assert (lines["session", ""].rows, lines["session", ""].characters) == (2, 7)
    assert lines["session", "note"].rows == 1
    assert lines["canonical", ""].rule
