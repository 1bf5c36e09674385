"""Declared lives: a machine that cannot be right is refused when it is made, and no move is made up."""

from __future__ import annotations

import pytest

from soloist.kernel import lives
from soloist.kernel.errors import Conflict
from soloist.kernel.states import Machine

LIVES = [lives.PROPOSAL, lives.EFFECT, lives.TASK, lives.RUN]


@pytest.mark.parametrize(
    ("start", "moves", "why"),
    [
        ("a", {"a": {"b"}}, r"unknown states \['b'\]"),
        ("x", {"a": set()}, "unknown states x"),
        ("a", {"a": set(), "b": {"a"}}, r"no way leads to \['b'\]"),
        ("a", {"a": {"b"}, "b": {"a"}}, r"no end can be reached from \['a', 'b'\]"),
        ("a", {"a": {"b", "c"}, "b": {"b"}, "c": set()}, r"no end can be reached from \['b'\]"),
    ],
)
def test_machine_that_cannot_be_right_is_refused(start: str, moves: dict[str, set[str]], why: str) -> None:
    with pytest.raises(ValueError, match=f"thing: {why}"):
        Machine("thing", start, moves)


def test_undeclared_move_names_both_states_and_the_ways_on() -> None:
    with pytest.raises(Conflict, match="A card that is open cannot become open; .*: done, expired, withdrawn"):
        lives.TASK.check("open", "open")
    with pytest.raises(Conflict, match="nothing"):
        lives.TASK.check("done", "open")
    with pytest.raises(Conflict):
        lives.TASK.check("no such state", "open")


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.noun)
def test_every_declared_move_passes_and_every_other_is_refused(life: Machine) -> None:
    for old in life.states:
        for new in life.states:
            if new in life.moves[old]:
                life.check(old, new)
            else:
                with pytest.raises(Conflict):
                    life.check(old, new)


@pytest.mark.parametrize(
    ("life", "walk"),
    [
        (lives.PROPOSAL, "waiting approved superseded"),
        (lives.EFFECT, "intended claimed attempting succeeded compensating compensated"),
        (lives.EFFECT, "intended claimed attempting unknown reconciling needs_human resolved_done"),
        (lives.EFFECT, "intended claimed attempting refused intended resolved_not_done"),
        (lives.RUN, "pending running waiting running done"),
        (lives.TASK, "open expired"),
    ],
)
def test_lives_can_be_walked(life: Machine, walk: str) -> None:
    states = walk.split()
    assert states[0] == life.start
    for old, new in zip(states, states[1:], strict=False):
        life.check(old, new)


def test_what_was_being_called_cannot_be_called_again_without_an_answer() -> None:
    """From attempting only an answer or a doubt leads on, and from there nothing leads straight back."""
    assert lives.EFFECT.moves["attempting"] == {"succeeded", "refused", "unknown"}
    assert {old for old, targets in lives.EFFECT.moves.items() if "attempting" in targets} == {"claimed"}
    assert "waiting" not in {target for targets in lives.PROPOSAL.moves.values() for target in targets}
    assert {old for old, targets in lives.PROPOSAL.moves.items() if "approved" in targets} == {"waiting"}
