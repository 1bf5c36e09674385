"""Pure decisions of effects: what happens next to one effect, given its row, its declaration and the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from soloist.sdk import Absent, Done, Found, Lookup, Operation, Outcome, Refused

FAR = 365 * 86400.0
"""How long an effect parks for a person's word before it looks again, in seconds."""
MOST_ATTEMPTS = 12
LOOK_UPS = 2
"""Times a write must be absent, a declared lag apart, before it counts as not done."""
CANNOT_LOOK = 6
"""Failed look-ups before a person is asked."""
WINDOW_SHARE = 0.8
"""Share of a provider's key window in which the same key is tried again."""
STOP_LOOK = 3600.0
SIGN_IN, TRIAL, BUNDLE, OVER, HELD = "sign-in", "trial", "bundle", "over", "held"
"""What an effect waits for: a sign-in that works again (one goes ahead as the trial), an earlier part of its bundle.
``OVER``: that earlier part did not happen, so this one will not. ``HELD``: a person paused its run."""
HELD_LOOK = 300.0
"""Seconds between two looks of an effect that waits for something else; usually it is woken."""
ABSENT, FAILED = "not there: ", "the look-up failed: "
"""How the evidence of a look-up begins."""
UNDO = ".undo"
"""Ending of the operation that takes another back."""

Step = Literal["wait", "attempt", "look_up", "ask", "end"]


@dataclass(frozen=True)
class Move:
    """The next thing to do with an effect; ``seconds`` for "wait", ``why`` for "ask"."""

    do: Step
    seconds: float = 0.0
    why: str = ""


def next_move(effect: Mapping[str, Any], operation: Operation, *, now: datetime, stopped: bool, held: str = "") -> Move:
    """What an effect's run does next; states of other boots were turned into unknown at start-up.

    ``held`` is what it has to wait for beside its own time: a sign-in, an earlier part of its bundle.
    """
    state = effect["state"]
    if state in ("intended", "refused"):
        return Move("wait", HELD_LOOK) if held in (SIGN_IN, BUNDLE, HELD) else _before_attempt(effect, now, stopped)
    if state == "unknown":
        move = _after_unknown(effect, operation, now)
        return Move("wait", STOP_LOOK) if (stopped or held == HELD) and move.do == "attempt" else move
    if state == "reconciling":
        wait = _seconds_until(effect["not_before"], now)
        return Move("wait", wait) if wait > 0 else Move("look_up")
    if state in ("attempting", "claimed", "needs_human"):
        return Move("wait", FAR)
    return Move("end")


def _before_attempt(effect: Mapping[str, Any], now: datetime, stopped: bool) -> Move:
    """Hold, stop button, then the attempt."""
    if stopped:
        return Move("wait", STOP_LOOK)
    wait = _seconds_until(effect["not_before"], now)
    return Move("wait", wait) if wait > 0 else Move("attempt")


def _after_unknown(effect: Mapping[str, Any], operation: Operation, now: datetime) -> Move:
    """A tries the same key again inside most of its window and looks after it, B and B' look, C asks."""
    if effect["class"] in ("B", "B'"):
        return Move("look_up")
    if effect["class"] != "A":
        return Move("ask", why="There is no way to look this up, and sending it again could do it twice.")
    age = -_seconds_until(effect["first_attempt"] or effect["created"], now)
    if age >= WINDOW_SHARE * operation.key_window or effect["attempts"] >= MOST_ATTEMPTS:
        return Move("look_up")
    wait = _seconds_until(effect["not_before"], now)
    return Move("wait", wait) if wait > 0 else Move("attempt")


def after_look(effect: Mapping[str, Any], found: Lookup, lag: float) -> Move:
    """What a look-up means: "end" it is there, "wait" to look again, "attempt" the same key once more, or "ask".

    Only class B may go again by itself, and only when the write was absent twice with the declared lag between; a
    look-up that failed is never absence.
    """
    absent, failures = looks(effect)
    if isinstance(found, Found):
        return Move("end")
    if isinstance(found, Absent):
        if absent + 1 < LOOK_UPS:
            return Move("wait", lag)
        if effect["class"] == "B" and effect["attempts"] < MOST_ATTEMPTS:
            return Move("attempt")
        return Move("ask", why=f"{_PROVES_NOTHING[effect['class']]} {found.proof}".strip())
    if effect["class"] == "A" or failures + 1 >= CANNOT_LOOK:
        return Move("ask", why=f"It could not be looked up: {found.reason}")
    return Move("wait", max(lag, backoff(failures + 3)))


_PROVES_NOTHING = {
    "A": "The provider may have forgotten our key, so trying again could do it twice.",
    "B": "It was tried often enough.",
    "B'": "That it is not there does not prove that it was not done.",
    "C": "",
}


def looks(effect: Mapping[str, Any]) -> tuple[int, int]:
    """How often an effect was looked up since its last attempt: (absent, failed)."""
    absent = failures = 0
    for note in effect["evidence"] or []:
        if note["state"] == "attempting":
            absent = failures = 0
        absent += note["note"].startswith(ABSENT)
        failures += note["note"].startswith(FAILED)
    return absent, failures


def backoff(attempts: int) -> float:
    """Seconds before the next try: 0.5, 1, 2, 4 ... at most 5 minutes."""
    return min(300.0, float(0.5 * 2 ** max(0, attempts - 1)))


@dataclass(frozen=True)
class After:
    """What an answer means: the state, when to go on, whether a person must hear of it.

    ``kind`` is how the attempt is written down: an attempt that was only asked to slow down, or was not let in, is not
    counted. ``stop``: nothing more goes to this connector until the sign-in works.
    """

    state: str
    retry_in: float | None = None
    note: str = ""
    tell: bool = False
    kind: str = ""
    stop: bool = False


UNCOUNTED = ("slowed", SIGN_IN)
"""Kinds of attempts that are not counted: certainly nothing was done, and it says nothing about the request."""


def after(outcome: Outcome, attempts: int, *, doubt: bool = False) -> After:
    """From an answer to the next state. A refusal means certainly nothing was done, for every class.

    ``attempts`` are those that count. With ``doubt``, an earlier attempt under the same key had no clear answer; then
    a refusal of this one proves nothing about that one, and the effect stays unknown.
    """
    if isinstance(outcome, Done):
        return After("succeeded", note=outcome.receipt.detail, kind="succeeded")
    if not isinstance(outcome, Refused):
        return After("unknown", retry_in=backoff(attempts), note=outcome.reason, kind="unknown")
    kind = SIGN_IN if outcome.auth else "slowed" if outcome.limited else "refused"
    again = outcome.limited or (outcome.retry_after is not None and attempts < MOST_ATTEMPTS)
    again = again and not outcome.auth
    retry_in = max(outcome.retry_after or 0.0, backoff(min(attempts, MOST_ATTEMPTS))) if again else None
    if doubt:
        note = f"{outcome.reason} An earlier attempt may have done it."
        return After("unknown", retry_in, note, tell=not again, kind=kind, stop=outcome.auth)
    return After("refused", retry_in, outcome.reason, tell=not again and not outcome.auth, kind=kind, stop=outcome.auth)


def groups(payload: Mapping[str, Any], split: str) -> list[tuple[str, dict[str, Any]]]:
    """One (name, payload) for each recipient when the operation splits, else one for all."""
    everyone = payload.get(split) if split else None
    if not isinstance(everyone, list) or not everyone:
        return [("all", dict(payload))]
    copies = payload.get("cc") if isinstance(payload.get("cc"), list) else []
    people = list(dict.fromkeys([*everyone, *(copies or [])]))
    return [(str(person), {**payload, "envelope_to": [person]}) for person in people]


def _seconds_until(moment: str, now: datetime) -> float:
    """Seconds from now to an ISO instant; negative when it is over, 0 for none."""
    if not moment:
        return 0.0
    left = datetime.fromisoformat(moment) - now
    return left.total_seconds()
