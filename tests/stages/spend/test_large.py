"""The large tier: worth that figures show, leave by a grant with an end and a cap, a card that offers one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from soloist.engine.store import grants, spent
from soloist.engine.store.clock import iso, later
from soloist.engine.store.store import Store
from soloist.engine.store.tables import proposals, tasks
from soloist.engine.store.tables_agents import corrections
from soloist.engine.store.tables_spend import model_calls as calls
from soloist.stages.spend import Large, large
from tests.engine.store import databases

WORK = {"agent": "writer", "skill": "draft_reply", "sort": "enquiry", "held": False, "micro": 50_000, "model": "big"}


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = Store(databases.migrated(request.param, tmp_path))
    yield opened
    opened.close()


def letters(store: Store, tier: int, many: int, changed: int, cost: int = 1000) -> None:
    """So many decided letters of a tier, some of them changed."""

    def work(tx: Any) -> None:
        for n in range(many):
            ident, run = f"p{tier}-{n}", f"r{tier}-{n}"
            row = {"id": ident, "run": run, "state": "approved", "source": "agent:intake", "noun": "mail"}
            row |= {"operation": "mail.send", "agent": "intake@2", "evidence": {"kind": "enquiry", "template": ""}}
            tx.run(proposals.insert(), {**row, "created": tx.now, "updated": tx.now})
            told = {"id": f"c{run}", "run": run, "step": "s", "attempt": 0, "state": "answered", "cost_micro": cost}
            tx.run(calls.insert(), {**told, "tier": tier, "provider": "x", "model": "x", "created": tx.now})
            if n < changed:
                mended = {"id": f"k{ident}", "object": ident, "event": "e", "kind": "edit", "state": "kept"}
                tx.run(corrections.insert(), {**mended, "distance": 300})

    store.write_now(work)


def leave(store: Store, **more: Any) -> large.Leave:
    return store.read_now(lambda conn: Large(store, "EUR").leave(conn, large.Work(**{**WORK, **more})))


@pytest.mark.parametrize(
    ("lower", "upper", "may", "why"),
    [
        ([(0, 0)] * 29, [(0, 0)] * 90, False, "30 of each are needed"),
        ([(300, 0)] * 20 + [(0, 0)] * 20, [(0, 0)] * 38 + [(300, 0)] * 2, True, "go as they are"),
        ([(0, 0)] * 34 + [(300, 0)] * 6, [(0, 0)] * 36 + [(300, 0)] * 4, False, "no better"),
        ([(300, 0)] * 40, [(50, 400_000)] * 40, True, "need little change"),
        ([(300, 0)] * 40, [(50, 1_400_000)] * 40, False, "1.00 EUR is the most"),
    ],
)
def test_worth_is_better_with_certainty_and_for_its_money(lower: Any, upper: Any, may: bool, why: str) -> None:
    found, said = large.shown(lower, upper, "hosted small model", "EUR")
    assert (found, why in said) == (may, True), said


def test_on_letters_it_does_better_it_may_be_asked_and_on_others_not(store: Store) -> None:
    assert leave(store).by == ""
    letters(store, 3, 40, 20)
    letters(store, 4, 40, 2)
    found = leave(store)
    assert (found.by, "38 of 40 go as they are, against 20 of 40" in found.said) == ("worth", True)
    assert leave(store, sort="support").by == leave(store, skill="take_apart").by == ""
    (line,) = store.read_now(lambda conn: large.lines(conn, iso(store.clock()), "EUR"))
    assert line.startswith("Enquiry: it may be asked")


def test_letters_that_were_changed_as_often_show_no_worth(store: Store) -> None:
    letters(store, 3, 40, 20)
    letters(store, 4, 40, 18)
    found = leave(store)
    assert (found.by, "no better" in found.said, "A smaller one does it" in found.said) == ("", True, True)
    assert leave(store, held=True).by == "held"


def test_a_grant_lets_it_be_asked_until_its_cap_and_its_end(store: Store) -> None:
    given = {"connector": "models", "operation": "large", "agent": "writer", "title": "A trial", "who": "operator"}
    given |= {"limit_minor": 100, "currency": "EUR", "until": later(iso(store.clock()), 86400)}
    ident = store.write_now(lambda tx: grants.insert(tx, given))
    found = leave(store, skill="take_apart")
    assert (found.by, found.grant, found.most_micro) == ("grant", ident, 1_000_000)
    assert leave(store, agent="planner").by == "", "it is for one agent"
    assert leave(store, micro=1_000_001).by == "", "the worst case would pass its cap"
    key = ("run", large.cap_of(ident, 1_000_000, "EUR").subject, "")
    store.write_now(lambda tx: (spent.lock(tx, [key]), spent.add(tx, [key], spent_micro=960_000), None)[2])
    assert "is used up" in leave(store).said
    store.write_now(lambda tx: grants.revoke(tx, ident, "operator"))
    assert leave(store, micro=1).by == ""


async def test_one_card_for_each_kind_of_work_and_one_tap(store: Store) -> None:
    here = Large(store, "EUR")
    for _ in range(2):
        assert (await here.look("r1", WORK))["by"] == ""
    (card,) = store.read_now(lambda conn: [dict(row) for row in conn.execute(tasks.select()).mappings()])
    assert [one["label"] for one in card["options"]] == ["Allow 30 days, 2.00 EUR", "Stay with the smaller"]
    done = store.write_now(lambda tx: here.answer(tx, card, "allow", "operator"))
    assert done["state"] == "allowed"
    found = await here.look("r2", WORK)
    assert (found["by"], found["most_micro"]) == ("grant", 2_000_000)
    row = store.read_now(lambda conn: grants.get(conn, done["grant"]))
    assert (row["limit_minor"], row["currency"], row["until"] > iso(store.clock() + timedelta(days=29))) == (
        200,
        "EUR",
        True,
    )
