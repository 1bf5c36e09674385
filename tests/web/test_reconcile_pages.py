"""Reconcile as pages: both sides, a winner for each field, what waits for hands, where copies may differ."""

import asyncio

from soloist.flows.reconciling import Reconciling
from tests.flows.shelf import Stock


def test_each_difference_stands_with_both_sides_and_its_choices(console):
    text = console.get("/reconcile").text
    assert "5 open" in text
    assert "What stands below is of the comparison before" in text
    assert text.count("Needs your hands") == 1
    assert 'name="field:amount" value="inside"' in text
    assert "Not compared, because no list of it is declared: pager." in text


def test_a_winner_for_each_field_is_sent_with_the_option(fake, console):
    sent = {"option": "choose", "field:amount": "outside"}
    answer = console.post("/reconcile/m1", data=sent)
    assert answer.headers["location"] == "/reconcile?done=fixing&about=p1#m-m1"
    assert fake.reconcile.decided == [("m1", "choose", {"amount": "outside"})]


def test_fields_go_with_no_other_option(fake, console):
    console.post("/reconcile/m1", data={"option": "accept", "field:amount": "outside"})
    assert fake.reconcile.decided == [("m1", "accept", {})]


def test_a_comparison_is_asked_for(fake, console):
    assert console.post("/reconcile/compare", data={"connector": "shop"}).status_code == 303
    assert fake.reconcile.compared == ["shop"]
    assert "shop is being compared" in console.get("/reconcile?asked=shop").text


def test_a_real_home_shows_what_was_taken_away_behind_its_back(app, real_console):
    stock = Stock(app)
    asyncio.run(stock.effect())
    stock.shelf.things.clear()
    asyncio.run(Reconciling(stock.desk).now("shelf"))
    text = real_console.get("/reconcile").text
    assert "bowl 1" in text
    assert "Missing outside: 1" in text
    (row,) = stock.all()
    assert real_console.post(f"/reconcile/{row['id']}", data={"option": "send_again"}).status_code == 303
    assert len(stock.waiting()) == 1
    assert real_console.post(f"/reconcile/{row['id']}", data={"option": "accept"}).status_code == 409


def test_the_domains_of_a_real_home_are_declared(app, real_console):
    Stock(app)
    text = real_console.get("/reconcile/domains").text
    assert "shelf: put, shout, charge, change" in text
    assert "Compared each night, after a restart with doubts, and on demand: put, shout, charge." in text
    assert "Search index" in text


def test_a_task_for_hands_is_listed_and_done_from_its_card(app, real_console):
    stock = Stock(app)
    stock.lay(asyncio.run(stock.effect()), "put-1", amount=7)
    asyncio.run(Reconciling(stock.desk).now("shelf"))
    (row,) = stock.all()
    real_console.post(f"/reconcile/{row['id']}", data={"option": "by_hand"})
    text = real_console.get("/reconcile").text
    assert "At shelf, in “bowl 1” (put-1), set amount to 101." in text
    card = stock.all("fixing")[0]["decision"]["card"]
    assert "set amount to 101" in real_console.get(f"/cards/{card}").text
    assert real_console.post(f"/cards/{card}/decision", data={"option": "done"}).status_code < 400
    assert "Needs your hands" not in real_console.get("/reconcile").text
