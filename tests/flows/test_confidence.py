"""Every word of the operator is a label; thresholds follow, drift takes them back, and a list shows a few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App
from soloist.config import Rule
from soloist.engine.store import conversations, events, labels, samples, tables, thresholds
from soloist.engine.store import intents as intent_rows
from soloist.engine.worker import LocalWorker
from soloist.flows.confidence import Confidence
from soloist.flows.intents import Intents
from soloist.flows.sampling import Sampling
from soloist.insight import confidence as view
from soloist.kernel.errors import BadInput, Conflict
from soloist.stages import policy
from soloist.stages.policy.facts import Facts
from soloist.stages.runtime import kinds
from soloist.stages.runtime.routing import Routed


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    made = App(tmp_path)
    made.desk.runtime._worker = LocalWorker()
    yield made
    made.close()


def message(tx: Any, text: str = "Buy cheap links") -> str:
    row = {"conversation": conversations.open_new(tx, "mail", "x"), "direction": "in", "at": tx.now, "text": text}
    return conversations.add(tx, {**row, "sender": "p@x.example", "subject": "Links", "language": "en"})


def aside(app: App, said: list[str], *, confidence: int = 9000, drawn: bool = False, alone: int = 1) -> list[str]:
    """Messages that were set aside, and the operator's word on each ("" for none); ids of the samples."""

    def work(tx: Any) -> list[str]:
        found = []
        for word in said:
            ident = message(tx)
            told = {"language": "en", "grouping": "aside", "confidence": confidence, "label": "spam", "alone": alone}
            found.append(samples.tell(tx, ident, "kind", **told))
            if drawn:
                samples.draw(tx, found[-1:])
            if word:
                labels.add(tx, ident, "kind", word, was="spam", source="card", who="operator")
        return found

    return list(app.store.write_now(work))


def proved(app: App) -> Any:
    return app.store.read_now(lambda conn: thresholds.get(conn, "kind", "en", "aside"))


async def refit(app: App) -> None:
    kept = Confidence(app.desk)
    assert await kept.due()
    await kept.refit()
    assert not await kept.due()


async def test_words_on_cards_prove_a_threshold_and_the_journal_says_why(app: App) -> None:
    aside(app, ["other"] * 40)
    await refit(app)
    assert (proved(app).state, proved(app).more) == ("uncalibrated", 12)
    aside(app, ["other"] * 20, confidence=8000)
    await refit(app)
    assert (proved(app).state, proved(app).value, proved(app).labels) == ("alone", 8000, 60)
    (event,) = app.store.read_now(lambda conn: events.after(conn, 0, 10, kind=thresholds.MOVED))
    assert "60 of 60" in event["payload"]["why"]
    assert "may go alone" in event["payload"]["why"]


async def test_the_page_says_how_many_decisions_are_missing(app: App) -> None:
    aside(app, ["other"] * 40)
    page = app.store.read_now(lambda conn: view.page(conn, app.settings.confidence))
    (line,) = page.lines
    assert line.said.startswith("Setting messages aside in English: 40 of 40 were right so far. 12 more decisions")


async def test_drift_takes_it_back_with_a_card_and_asks_for_proof_anew(app: App) -> None:
    aside(app, ["other"] * 60)
    await refit(app)
    aside(app, ["enquiry"] * 4 + ["other"] * 3, drawn=True)
    await refit(app)
    assert proved(app).state == "asks"
    (card,) = app.store.read_now(lambda c: c.execute(tables.tasks.select()).mappings().all())
    assert "Of 7 you looked at, 3 were right" in card["why"]
    done = await app.desk.decide_card(card["id"], "seen", digest="", who="operator", via="test")
    assert done["state"] == "closed"


async def test_a_few_of_what_went_alone_are_drawn_and_no_more_in_a_week(app: App) -> None:
    rows = aside(app, [""] * 200)
    assert await Sampling(app.desk).draw() == 4
    assert await Sampling(app.desk).draw() == 0
    aside(app, [""] * 400)
    assert await Sampling(app.desk).draw() == 1, "five in a week"
    page = app.store.read_now(lambda conn: view.page(conn, app.settings.confidence))
    assert len(page.samples) == 5
    assert {one.id for one in page.samples[:4]} <= set(rows)
    assert not app.store.read_now(lambda c: c.execute(tables.tasks.select()).all()), "no card for any of them"


async def test_what_nobody_judged_in_a_year_is_dropped(app: App) -> None:
    aside(app, ["", "other"])
    assert await Confidence(app.desk).thin() == 0
    assert app.store.write_now(lambda tx: samples.thin(tx, "2999")) == 1
    await refit(app)
    assert proved(app).of == 1, "what was judged is kept"


async def test_a_sample_that_was_an_enquiry_is_answered_after_all(app: App) -> None:
    first, second = aside(app, ["", ""], drawn=True)
    done = await Sampling(app.desk).judge(first, "enquiry", who="operator")
    assert done["outcome"] == "wrong"
    assert (await Sampling(app.desk).judge(second, "right", who="operator"))["outcome"] == "right"
    runs = app.store.read_now(lambda c: c.execute(tables.runs.select()).mappings().all())
    assert [row["flow"] for row in runs] == ["reply"]
    with pytest.raises(Conflict):
        await Sampling(app.desk).judge(first, "right", who="operator")
    with pytest.raises(BadInput):
        await Sampling(app.desk).judge(aside(app, [""], drawn=True)[0], "wrong", who="operator")


async def test_understanding_keeps_what_was_told_and_a_judged_row_stays(app: App) -> None:
    text = "We are a bakery and would like a new website with six pages. What would that cost?"
    ident = str(app.store.write_now(lambda tx: message(tx, text)))
    await app.desk.runtime.understand("run-1", ident)
    row = app.store.read_now(lambda conn: samples.find(conn, ident, "kind"))
    assert row is not None
    assert (row["label"], row["grouping"], row["alone"], row["language"]) == ("enquiry", kinds.ANSWERED, 0, "en")
    assert 5000 < row["confidence"] <= 10_000


def learned(app: App, said: str, number: int) -> None:
    """A word on a reply of the agent intake."""
    proposal = {"id": f"p{number}", "agent": "intake@1", "thread_head": "", "operation": "mail.send"}
    evidence = {"template": "enquiry.en", "language": "en", "kind": "enquiry"}
    kept = Confidence(app.desk)
    app.store.write_now(lambda tx: kept.learned(tx, {**proposal, "evidence": evidence}, said, "operator"))


async def test_approvals_edits_and_rejections_are_labels_of_the_skill_that_wrote(app: App) -> None:
    for number in range(5):
        learned(app, "approved", number)
    learned(app, "edited", 5)
    learned(app, "rejected", 6)
    learned(app, "corrected", 0)
    await Confidence(app.desk).refit()
    found = app.store.read_now(lambda conn: thresholds.get(conn, "draft_reply", "en", "enquiry"))
    assert (found.labels, found.right) == (7, 4)


def test_a_rule_does_not_let_go_what_is_wrong_too_often() -> None:
    rule = Rule(name="all", when="true", then="allow")
    facts = Facts(
        *("shop", "entry.create", "A", "reversible", {}, datetime.now(UTC)),
        agent="billing@1",
        undo="exact",
        distrusted=True,
    )
    rules = policy.compile_rules([rule])
    assert policy.judge(rules, replace(facts, distrusted=False)).answer == "allow"
    found = policy.judge(rules, facts)
    assert (found.answer, found.gates) == ("ask", ("distrusted",))
    assert "wrong too often" in found.reason


def test_no_page_shows_what_a_model_says_of_itself(app: App) -> None:
    """A label of a language model carries no confidence, and what it says of itself is nowhere read."""
    door = Intents(app.desk)
    routed = Routed("move", "read", "openai/tiny", "model", "move")
    assert routed.confidence == 0
    intent = {"name": "move", "title": "m", "lead": "way", "target": "ask", "examples": [], "source": "own"}
    app.store.write_now(lambda tx: intent_rows.put(tx, intent, who="operator"))
    row = app.store.write_now(lambda tx: {"id": message(tx), "language": "en"})
    app.store.write_now(lambda tx: door._kept(tx, row, routed))
    assert app.store.read_now(lambda conn: samples.find(conn, row["id"], "intent")) is None
