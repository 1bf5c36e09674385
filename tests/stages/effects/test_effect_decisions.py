"""What happens next to one effect: pure decisions, with the clock as an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from soloist.engine.store.clock import iso
from soloist.sdk import Absent, CannotTell, Done, Operation, Receipt, Refused, Unknown
from soloist.stages.effects import decide

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
A = Operation("charge", "A", key_window=100.0)


def effect(state: str, class_: str = "A", *, age: float = 0.0, hold: float = 0.0, attempts: int = 0) -> dict[str, Any]:
    begun = iso(NOW - timedelta(seconds=age))
    due = iso(NOW + timedelta(seconds=hold)) if hold else ""
    row = {"state": state, "class": class_, "attempts": attempts, "not_before": due}
    return {**row, "first_attempt": begun, "created": begun}


def move(row: dict[str, Any], *, stopped: bool = False) -> decide.Move:
    return decide.next_move(row, A, now=NOW, stopped=stopped)


def test_a_held_effect_waits_out_its_hold() -> None:
    assert move(effect("intended", hold=30.0)) == decide.Move("wait", 30.0)
    assert move(effect("intended")).do == "attempt"


def test_the_stop_button_stops_first_tries_and_repeats_but_not_looks() -> None:
    assert move(effect("intended"), stopped=True).do == "wait"
    assert move(effect("unknown", "A"), stopped=True).do == "wait"
    assert move(effect("unknown", "B"), stopped=True).do == "look_up"


@pytest.mark.parametrize(("class_", "do"), [("A", "attempt"), ("B", "look_up"), ("B'", "look_up"), ("C", "ask")])
def test_an_unknown_outcome_by_class(class_: str, do: str) -> None:
    assert move(effect("unknown", class_)).do == do


@pytest.mark.parametrize(("age", "do"), [(79.0, "attempt"), (80.0, "look_up"), (1000.0, "look_up")])
def test_the_same_key_is_tried_only_inside_most_of_its_window(age: float, do: str) -> None:
    assert move(effect("unknown", "A", age=age)).do == do


NOT_THERE, NO_ANSWER = Absent("looked at Sent"), CannotTell("no line")


def looked(class_: str, *notes: str) -> dict[str, Any]:
    """An effect that was looked up with these results."""
    evidence = [{"at": "", "state": "attempting", "note": "attempt 1"}]
    evidence += [{"at": "", "state": "reconciling", "note": f"{note}x"} for note in notes]
    return {"class": class_, "attempts": 1, "evidence": evidence}


@pytest.mark.parametrize(("class_", "do"), [("A", "ask"), ("B", "attempt"), ("B'", "ask")])
def test_what_absence_after_the_lag_means(class_: str, do: str) -> None:
    assert decide.after_look(looked(class_), NOT_THERE, 5.0) == decide.Move("wait", 5.0)
    assert decide.after_look(looked(class_, decide.ABSENT), NOT_THERE, 5.0).do == do


def test_a_look_that_failed_is_never_absence() -> None:
    assert decide.after_look(looked("B", decide.FAILED), NOT_THERE, 5.0).do == "wait"
    assert decide.after_look(looked("B", decide.ABSENT), NO_ANSWER, 5.0).do == "wait"
    assert decide.after_look(looked("B", *[decide.FAILED] * 5), NO_ANSWER, 5.0).do == "ask"


def test_too_many_tries_end_with_a_look() -> None:
    assert move(effect("unknown", "A", attempts=decide.MOST_ATTEMPTS)).do == "look_up"


@pytest.mark.parametrize("state", ["attempting", "claimed", "needs_human"])
def test_states_of_others_are_waited_out(state: str) -> None:
    assert move(effect(state)) == decide.Move("wait", decide.FAR)


@pytest.mark.parametrize("state", ["succeeded", "failed", "resolved_done", "resolved_not_done", "compensated"])
def test_ends_end(state: str) -> None:
    assert move(effect(state)).do == "end"


def test_answers_and_their_states() -> None:
    assert decide.after(Done(Receipt("r", "ok")), 1).state == "succeeded"
    assert decide.after(Unknown("cut"), 1).state == "unknown"
    assert decide.after(Refused("no"), 1) == decide.After("refused", None, "no", tell=True, kind="refused")
    assert decide.after(Refused("busy", retry_after=7.0), 1).retry_in == 7.0


def test_a_refused_sign_in_stops_the_connector_and_is_not_counted() -> None:
    found = decide.after(Refused("key", retry_after=7.0, auth=True), 1)
    assert (found.state, found.retry_in, found.stop, found.tell) == ("refused", None, True, False)
    assert found.kind in decide.UNCOUNTED


def test_being_asked_to_slow_down_never_uses_up_the_attempts() -> None:
    found = decide.after(Refused("429", retry_after=7.0, limited=True), 50)
    assert (found.state, found.tell, found.kind) == ("refused", False, "slowed")
    assert found.retry_in is not None
    assert found.retry_in >= 7.0
    assert decide.after(Refused("away", retry_after=7.0), 12).retry_in is None


def test_a_refusal_after_an_unclear_attempt_proves_nothing_about_that_one() -> None:
    assert decide.after(Refused("no"), 2, doubt=True).state == "unknown"
    assert decide.after(Refused("busy", retry_after=7.0), 2, doubt=True) == decide.After(
        "unknown", 7.0, "busy An earlier attempt may have done it.", tell=False, kind="refused"
    )


def test_the_pause_between_tries_doubles_up_to_five_minutes() -> None:
    assert [decide.backoff(n) for n in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert decide.backoff(60) == 300.0


def test_one_effect_for_each_recipient_when_the_operation_splits() -> None:
    payload = {"to": ["a@x.example", "b@x.example", "a@x.example"], "cc": ["c@x.example"], "body": "hi"}
    names = [name for name, _ in decide.groups(payload, "to")]
    assert names == ["a@x.example", "b@x.example", "c@x.example"]
    assert decide.groups(payload, "") == [("all", payload)]
    assert decide.groups({"to": "a@x.example"}, "to") == [("all", {"to": "a@x.example"})]
