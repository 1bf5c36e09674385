"""Rows of plans say the same on both stores: tries, what the work of a plan cost and led to, labels, open cards."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import plans, releases, runs, tables, tasks
from soloist.engine.store.store import Store

AGAIN = runs.AGAIN
PLAN = "plan:a_b:1"


def fill(tx: Any) -> None:
    """A plan of the playbook a_b with two pieces of work, one tried again; another whose name is like it."""
    for plan in (PLAN, "plan:axb:1"):
        tx.start(plan, "plan", plan)
        runs.once(tx, plan, "given", lambda: {"playbook": "a_b@1"}, given={"name": "a_b"})
    for work in ("work:x:1", f"work:x:1{AGAIN}1", "work:y:1"):
        tx.start(work, "work", work, parent=PLAN)
    runs.once(tx, f"work:x:1{AGAIN}1", "work", lambda: {"came": "done"})
    tasks.open_card(tx, "card", "manual", "Read it", subject_kind="plan", run=PLAN)
    tasks.open_card(tx, "other", "manual", "Else", subject_kind="plan", run="plan:axb:1")


def spend(tx: Any) -> None:
    """What the work came to."""
    runs.charge(tx, "work:x:1", micro=1_000, tokens=10)
    runs.charge(tx, f"work:x:1{AGAIN}1", micro=500, tokens=5)
    row = {"state": "approved", "run": "work:y:1", "connector": "mail", "operation": "mail.send", "payload": {}}
    for n, version in enumerate((1, 2)):
        tx.run(tables.proposals.insert(), {**row, "id": f"p{n}", "version": version, "created": tx.now})
    releases.made_with(tx, PLAN, {"plan": {"came": "done"}})


def test_a_plan_is_read_with_its_work(store: Store) -> None:
    store.write_now(fill)
    store.write_now(spend)

    def read(conn: Any) -> None:
        tries = [row["id"] for row in runs.tries(conn, "work:x:1")]
        assert tries == ["work:x:1", f"work:x:1{AGAIN}1"] and runs.tries(conn, "work:z") == []
        assert plans.step(conn, tries, "work") == {"input": None, "output": {"came": "done"}}
        assert plans.parked(conn, f"work:x:1{AGAIN}1") == PLAN and plans.parked(conn, PLAN) == ""
        (row,) = plans.of(conn, "a_b")
        assert row["id"] == PLAN and row["made_with"] == {"playbook": "a_b@1", "plan": {"came": "done"}}
        assert len(plans.of(conn)) == 2
        assert plans.came_to(conn, [PLAN]) == {PLAN: {"micro": 1_500, "tokens": 15, "decided": 2, "edited": 1}}
        assert plans.open_cards(conn, PLAN) == ["card"]
        assert plans.card(conn, "nothing") is None and plans.lists(conn) == []

    store.read_now(read)
