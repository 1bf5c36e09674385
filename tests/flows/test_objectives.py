"""Objectives: runway, capacity and goals are counted from records, cite them, and write a version only on a change."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import records
from soloist.flows.objectives import Objectives
from soloist.insight import objectives, ranking
from soloist.stages.records import NewRecord, merging


def eur(units: float) -> dict[str, Any]:
    return {"minor": round(units * 100), "currency": "EUR"}


async def made(app: App, kind: str, state: str = "", **body: Any) -> str:
    return (await app.desk.records.create(NewRecord(kind, body, state=state), actor="operator"))["id"]


def row(app: App, ident: str) -> dict[str, Any]:
    return app.store.read_now(lambda conn: records.get(conn, ident))


@pytest.fixture
async def runway(app: App) -> str:
    about = {"cash": eur(9000), "cash_on": "2020-01-01", "fixed_costs": eur(3000)}
    return await made(app, "runway", name="Runway", **about)


async def test_runway_rests_on_payments_and_open_invoices(app: App, runway: str) -> None:
    owed = await made(app, "invoice", "sent", number="R-1", amount=eur(4500))
    await made(app, "invoice", "paid", number="R-2", amount=eur(800))
    dollars = {"minor": 100, "currency": "USD"}
    await made(app, "invoice", "sent", number="R-3", amount=dollars)
    paid = await made(app, "payment", "received", amount=eur(1500), on="2020-02-01")
    out = await made(app, "payment", amount=eur(600), on="2020-02-02", direction="out")
    await made(app, "payment", amount=eur(600), on="2019-12-31")
    assert await Objectives(app.desk).count() == [runway]
    found = row(app, runway)
    assert (found["body"]["months_sure"], found["body"]["months"]) == (3.3, 4.8)
    assert found["body"]["rests_on"] == sorted([owed, paid, out])
    assert found["body"]["left_out"] == ["R-3: USD"]
    assert (found["owners"]["months"], found["owners"]["cash"], found["version"]) == ("system", "operator", 2)


async def test_nothing_new_makes_no_version(app: App, runway: str) -> None:
    follow = Objectives(app.desk)
    assert await follow.look() == [runway]
    assert await follow.look() == []
    assert await follow.count() == []
    await made(app, "invoice", "sent", number="R-1", amount=eur(1000))
    assert await follow.look() == [runway]


async def test_a_figure_the_operator_set_stays(app: App, runway: str) -> None:
    await app.desk.records.change(runway, 1, {"months": 12}, actor="operator")
    await Objectives(app.desk).count()
    assert row(app, runway)["body"]["months"] == 12


async def test_capacity_counts_what_is_taken(app: App) -> None:
    ident = await made(app, "capacity", name="Weeks", hours_per_week=30, weeks=520)
    now = app.store.clock()
    begins = now.replace(year=now.year + 1, month=6, day=1, hour=9).isoformat()
    ends = now.replace(year=now.year + 1, month=6, day=1, hour=12).isoformat()
    taken = await made(app, "appointment", "confirmed", subject="Shoot", begins=begins, ends=ends)
    await made(app, "appointment", "cancelled", subject="Gone", begins=begins, ends=ends)
    await Objectives(app.desk).count()
    body = row(app, ident)["body"]
    assert (body["booked_hours"], body["free_hours"], body["rests_on"]) == (3, 15597, [taken])


async def test_a_goal_is_as_far_as_what_was_paid(app: App) -> None:
    about = {"metric": "paid", "target": 50_000, "begins": "2020-01-01", "due": "2020-12-31"}
    ident = await made(app, "goal", name="Revenue", **about)
    inside = await made(app, "payment", amount=eur(1200.5), on="2020-05-05")
    await made(app, "payment", amount=eur(99), on="2021-01-01")
    await made(app, "payment", amount={"minor": 700, "currency": "USD"}, on="2020-05-06")
    await Objectives(app.desk).count()
    assert (row(app, ident)["body"]["current"], row(app, ident)["body"]["rests_on"]) == (1200.5, [inside])


async def test_a_goal_that_was_merged_away_stops_no_count(app: App) -> None:
    about = {"metric": "paid", "target": 50_000, "begins": "2020-01-01", "due": "2020-12-31"}
    one, two = [await made(app, "goal", name=name, **about) for name in ("Revenue", "Revenue too")]
    app.store.write_now(lambda tx: merging.merge(tx, one, two, {}, who="operator"))
    await made(app, "payment", amount=eur(5), on="2020-05-05")
    assert await Objectives(app.desk).count() == [one]


NOW = "2026-11-21T12:00:00.000000Z"


def card(ident: str, value: int, estimate: int, **more: Any) -> dict[str, Any]:
    plain = {"judgement": 0, "deadline": "", "currency": "EUR", "snoozed_until": "", "created": NOW}
    return {"id": ident, "value_minor": value, "estimate": estimate, **plain, **more}


def test_a_short_runway_is_said_only_where_it_moves_a_card() -> None:
    cards = [card("money", 100_000, 300, runway=1.5), card("quick", 0, 60)]
    shown = ranking.ranked(cards, NOW)
    assert [one["id"] for one in shown] == ["money", "quick"]
    assert "brings in money while the runway is 1.5 months" in ranking.explain(objectives.lifted(shown, 1, NOW), 1, NOW)
    alone = ranking.ranked(cards[:1], NOW)
    assert "runway" not in ranking.explain(objectives.lifted(alone, 1, NOW), 1, NOW)


async def test_cards_carry_a_runway_that_is_short(app: App, runway: str) -> None:
    await app.desk.records.change(runway, 1, {"cash": eur(3000)}, actor="operator")
    await Objectives(app.desk).count()
    assert app.store.read_now(objectives.months) == 1
