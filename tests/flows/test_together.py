"""Several cards by one act: alike ones each by itself and bound to what was shown, a bundle all or none."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import proposals, tasks
from soloist.flows import together
from soloist.insight import together as groups
from soloist.kernel.errors import Conflict, StaleHash
from soloist.kernel.hashing import payload_hash
from soloist.kernel.ids import derived
from soloist.kernel.proposal import NewProposal

NOW = "2026-11-21T12:00:00.000000Z"


def propose(app: App, name: str, *, bundle: str = "", place: int = 0, **evidence: Any) -> tuple[str, str, str]:
    """A waiting mail: (proposal, card, hash)."""
    payload = {"to": [f"{name}@okafor-ceramics.example"], "subject": "Your shop", "body": f"Dear {name}"}
    ident = derived("test", name)
    new = NewProposal(
        ident, "mail", "mail.send", payload, "A test.", "agent:intake", agent="intake@1", title=f"Reply to {name}",
        evidence={"template": "enquiry", **evidence}, bundle=bundle, place=place,
    )  # fmt: skip
    facts = app.desk.facts("mail", "mail.send")

    def work(tx: Any) -> None:
        app.desk.approvals.propose(tx, new, facts, actor="intake@1")
        tx.run(proposals.proposals.update().where(proposals.proposals.c.id == ident).values(bundle=bundle, place=place))

    app.store.write_now(work)
    card = app.store.read_now(lambda conn: tasks.open_for(conn, ident))
    assert card is not None
    return ident, str(card["id"]), new.hash


def state(app: App, ident: str) -> str:
    return str(app.store.read_now(lambda conn: proposals.get(conn, ident))["state"])


def edited(app: App, ident: str) -> None:
    def work(tx: Any) -> None:
        row = proposals.get(tx.conn, ident)
        payload = {**row["payload"], "body": "Something else"}
        proposals.edit(tx, row, payload, payload_hash("mail", "mail.send", payload), actor="other")

    app.store.write_now(work)


async def test_each_is_decided_by_itself_and_a_stale_one_is_left_and_said(app: App) -> None:
    rows = [propose(app, name) for name in ("ada", "jo", "kim")]
    edited(app, rows[1][0])
    said = await together.each(app.desk, {c: h for _, c, h in rows}, "approve", who="operator", via="test")
    assert [state(app, row[0]) for row in rows] == ["approved", "waiting", "approved"]
    assert [bool(one.why) for one in said] == [False, True, False]
    assert "The content changed since you looked" in said[1].why


async def test_what_wants_its_own_look_is_not_approved_beside_others(app: App) -> None:
    ident, card, digest = propose(app, "ada", faults=["a price that is in no line"])
    (said,) = await together.each(app.desk, {card: digest}, "approve", who="operator", via="test")
    assert (state(app, ident), "a look of its own" in said.why) == ("waiting", True)


async def test_alike_means_the_same_operation_agent_and_template(app: App) -> None:
    first = propose(app, "ada")[1]
    others = [propose(app, "jo")[1], propose(app, "kim", template="other")[1], propose(app, "li", faults=["x"])[1]]
    group = await app.store.read(lambda conn: groups.group(conn, first, NOW))
    assert [sheet.id for sheet in group.sheets] == [first, others[0]]
    assert await app.store.read(lambda conn: groups.beside(conn, first, NOW)) == 1


async def test_a_bundle_is_decided_all_or_none(app: App) -> None:
    rows = [propose(app, name, bundle="b1", place=place) for place, name in enumerate(("ada", "jo"))]
    shown = {card: digest for _, card, digest in rows}
    with pytest.raises(Conflict):
        await together.whole(app.desk, dict(list(shown.items())[:1]), "approve", who="operator", via="test")
    edited(app, rows[1][0])
    with pytest.raises(StaleHash):
        await together.whole(app.desk, shown, "approve", who="operator", via="test")
    assert [state(app, row[0]) for row in rows] == ["waiting", "waiting"]
    now = {**shown, rows[1][1]: app.store.read_now(lambda c: proposals.get(c, rows[1][0]))["payload_hash"]}
    await together.whole(app.desk, now, "approve", who="operator", via="test")
    assert [state(app, row[0]) for row in rows] == ["approved", "approved"]


async def test_a_bundle_is_shown_in_its_order_with_every_hash(app: App) -> None:
    last, first = propose(app, "ada", bundle="b1", place=2), propose(app, "jo", bundle="b1", place=1)
    group = await app.store.read(lambda conn: groups.group(conn, last[1], NOW))
    assert [sheet.payload_hash for sheet in group.sheets] == [first[2], last[2]]
    assert (group.whole, group.sheets[0].bundle) == (True, 2)
