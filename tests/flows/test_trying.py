"""A model tried on the operator's own cases: what is asked, how it is judged, what is kept, where it ends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import trials
from soloist.engine.store.tables import proposal_versions, proposals, runs
from soloist.engine.store.tables_agents import skill_calls
from soloist.flows.trying import Trying
from soloist.insight.corrections import trial_page
from soloist.insight.trying import line
from soloist.kernel.errors import BadInput, CapReached, NotFound
from soloist.plugins.skills.draft_reply import draft_reply
from tests.engine.store import databases
from tests.stages.models.conftest import provider_module
from tests.stages.runtime.poet import Here

BOOK = "# Studio\n\n## Offer\n- A website takes about six weeks.\n- A small website costs 2,000 to 4,000 EUR.\n"
OPENING = "Thank you for writing to me."


@pytest.fixture
def provider() -> Iterator[Any]:
    with provider_module.serving(provider_module.Provider()) as served:
        yield served


@pytest.fixture
def desk(tmp_path: Path, provider: Any) -> Iterator[Callable[..., App]]:
    opened: list[App] = []

    def make(budgets: str = "") -> App:
        price = 'price = { input = "1", output = "4", currency = "EUR" }'
        part = f'[models.small]\nbase_url = "{provider.url}"\nmodel = "tiny"\nallow_private_network = true\n{price}\n'
        (tmp_path / "soloist.toml").write_text(f"{part}{budgets}", encoding="utf-8")
        opened.append(App(databases.home(tmp_path)))
        opened[-1].desk.runtime._worker = Here(*opened[-1].registry.skills.values())  # no process of its own
        return opened[-1]

    yield make
    for app in opened:
        app.close()


def given() -> dict[str, Any]:
    """What a reply was written from once, when there was no model."""
    text = "How long does a website take?"
    words = {"text": text, "start": 0, "end": len(text)}
    read = {"kind": "enquiry", "kind_rule": "words", "language": "en", "own_text": text, "questions": [words]}
    return {"house_book": BOOK, "understanding": read, "subject": "Website", "sender_name": "Emily Carter"}


def past(app: App, wanted: str = "") -> dict[str, Any]:
    """A past message whose reply was approved, as ``wanted`` or as it was drafted."""
    value = draft_reply.input.model_validate(given())
    drafted = draft_reply.call(value.model_dump(mode="json"), b"")
    payload = {"body": wanted or drafted["body"], "subject": drafted["subject"]}

    def work(tx: Any) -> None:
        tx.run(runs.insert(), {"id": "r1", "flow": "intake", "state": "done", "started": tx.now, "agent": "intake"})
        call = {"run": "r1", "step": "answer", "n": 0, "skill": "draft_reply", "version": "2", "blob": ""}
        tx.run(skill_calls.insert(), {**call, "input": given(), "output": {}, "at": tx.now})
        row = {"id": "p1", "run": "r1", "noun": "effect", "payload": payload, "state": "approved", "version": 1}
        tx.run(proposals.insert(), {**row, "created": tx.now})
        tx.run(proposal_versions.insert(), {"proposal": "p1", "version": 1, "payload": payload})

    app.store.write_now(work)
    return dict(drafted)


def writes(opening: str = OPENING) -> Callable[..., str]:
    """A model that writes an opening and every line it has to."""

    def reply(_provider: Any, body: dict[str, Any]) -> str:
        system, text = (message["content"] for message in body["messages"][:2])
        found = {int(n): said for n, said in re.findall(r"(?m)^(\d+): (.+)$", text)}
        must = re.search(r"These lines must be in it: ([\d, ]+)", system)
        lines = {int(n): found[int(n)] for n in must[1].split(",")} if must else {}
        return json.dumps({"text": "\n\n".join([opening, *lines.values()]), "lines": [*lines]})

    return reply


async def tried(app: App, skill: str = "draft_reply", most: int = 1) -> tuple[Any, list[dict[str, Any]]]:
    found = Trying(app.desk)
    row = await found.through(await found.begin(await found.plan("small", skill, most), who="operator"))
    return line(row), app.store.read_now(lambda conn: trials.rows_of(conn, row["id"]))


async def test_a_reply_of_the_past_is_written_again_and_held_against_what_was_approved(
    desk: Callable[..., App], provider: Any
) -> None:
    app = desk()
    past(app)
    provider.reply = writes()
    told, (row,) = await tried(app)
    (skill,) = told.skills
    assert (skill.skill, skill.cases, skill.good, skill.by, skill.rules) == ("draft_reply", 1, 1, "edit distance", 1000)
    assert 0 < row["detail"]["score"] < 1000
    assert OPENING in row["after"]["text"]
    assert (skill.tier, skill.said) == (3, "Tier 3 is enough for it. Only 1: few to go by.")
    assert 0 < told.micro <= told.worst_micro
    page = app.store.read_now(lambda conn: trial_page(conn, told.id, outcome=row["outcome"]))
    assert page.rows[0].title == "Website"
    assert app.store.read_now(lambda conn: conn.execute(proposals.select()).all())[0].state == "approved"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (writes("You get 10 % off and it is ready tomorrow."), "10 %"),
        ("Certainly!", "no JSON"),
        (401, "401"),
    ],
)
async def test_what_does_not_hold_is_not_good(
    desk: Callable[..., App], provider: Any, said: Any, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soloist.stages.runtime.models.decide.AGAIN_AFTER", 0.001)
    app = desk()
    past(app)
    provider.reply = said
    told, (row,) = await tried(app)
    assert (told.skills[0].good, told.skills[0].tier) == (0, 0)
    assert why in json.dumps(row["detail"])
    assert told.micro == provider.micro(1_000_000, 4_000_000)


async def test_with_too_few_cases_the_examples_of_a_skill_are_tried(desk: Callable[..., App], provider: Any) -> None:
    app = desk()
    provider.reply = '{"lines": ["Opening on 3 March"]}'
    told, rows = await tried(app, "subject_lines", 3)
    assert [row["object"].partition(":")[0] for row in rows] == ["example"] * 3
    assert told.skills[0].by == "claim check"
    plan = await Trying(app.desk).plan("small", most=1)
    assert {skill for _, skill in plan.cases} >= {"draft_reply", "translate", "subject_lines", "meeting_notes"}


async def test_nothing_is_asked_that_no_cap_has_room_for_and_a_cap_ends_a_trial(
    desk: Callable[..., App], provider: Any
) -> None:
    app = desk('[budgets]\nday = "0.000001"\n')
    with pytest.raises(CapReached, match="nothing was asked"):
        await Trying(app.desk).plan("small", "translate")
    assert provider.asked == []
    with pytest.raises(NotFound, match="Known: small"):
        await Trying(app.desk).plan("large")
    with pytest.raises(BadInput, match="asks no model"):
        await Trying(app.desk).plan("small", "language")


async def test_a_trial_ends_at_what_was_said_before_it_began(desk: Callable[..., App], provider: Any) -> None:
    app = desk()
    found = Trying(app.desk)
    plan = await found.plan("small", "translate", 2)
    ident = await found.begin(plan, who="operator")
    app.store.write_now(lambda tx: tx.run(trials.trials.update().values(totals={"worst_micro": 1, "currency": "EUR"})))
    told = line(await found.through(ident))
    assert provider.asked == []
    assert (told.state, "A cap ended it early." in told.said) == ("done", True)
