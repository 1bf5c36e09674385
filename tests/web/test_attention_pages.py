"""Pages about the operator's time, and what they set."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

FORM = {"minutes_per_day": "20", "interruptions_per_day": "1", "urgent_value": "500 eur", "weekdays": ["mon", "sat"]}


def test_the_plan_says_what_waits_until_when(console: TestClient) -> None:
    text = console.get("/attention").text
    assert "Your next window begins" in text
    assert "Waits until" in text
    assert "88 %" in text


def test_what_is_set_reaches_the_house(console: TestClient, fake) -> None:
    assert console.post("/attention", data=FORM | {"windows": "08:00 - 08:30, 12:00-12:15"}).status_code == 303
    assert fake.time.set[0]["windows"] == ["08:00-08:30", "12:00-12:15"]
    assert (fake.time.set[0]["weekdays"], fake.time.set[0]["urgent_value"]) == (["mon", "sat"], "500 EUR")


@pytest.mark.parametrize("bad", [{"windows": "8-9"}, {"minutes_per_day": "many"}, {"weekdays": ["noday"]}])
def test_what_cannot_be_is_said_on_the_page(console: TestClient, bad) -> None:
    answer = console.post("/attention", data=FORM | {"windows": ""} | bad)
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.text


def test_metrics_come_from_a_real_store(real_console: TestClient) -> None:
    text = real_console.get("/metrics").text
    assert "soloist_cards_waiting 0" in text
    assert 'soloist_attention_decisions{days="7"} 0' in text


def test_the_page_of_an_empty_home(real_console: TestClient) -> None:
    assert "Nothing needs you before your next window" in real_console.get("/attention").text


def test_what_ran_alone_can_be_taken_back_and_asked_about(console: TestClient, fake) -> None:
    text = console.get("/alone").text
    assert "1 of 9 others, drawn by chance" in text
    assert 'action="/why/p1/undo"' in text
    assert 'href="/policy/of/p1"' in text
    console.post("/alone", data={"item": ["p1", "p2"]})
    assert fake.time.reviewed == ["p1", "p2"]


def test_nothing_ran_alone_in_an_empty_home(real_console: TestClient) -> None:
    assert "Nothing ran alone" in real_console.get("/alone").text


def test_a_run_is_paused_and_goes_on_from_its_page(console: TestClient, fake) -> None:
    assert "Pause it" in console.get("/runs/r1/holds").text
    assert "Let it go on" in console.get("/runs/r2/holds").text
    console.post("/runs/r1/holds", data={"why": "x"})
    console.post("/runs/r2/holds", data={"go_on": "1"})
    assert fake.time.holds == [("r1", True), ("r2", False)]
