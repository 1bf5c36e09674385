"""Pure decisions of effects: what happens next to one effect, given its row, its declaration and the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from soloist.sdk import Done, Operation, Outcome, Refused

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

Step = Literal["wait", "attempt", "look_up", "ask", "end"]


@dataclass(frozen=True)
class Move:
    """The next thing to do with an effect; ``seconds`` for "wait", ``why`` for "ask"."""

    do: Step
    seconds: float = 0.0
    why: str = ""


def next_move(effect: Mapping[str, Any], operation: Operation, *, now: datetime, stopped: bool) -> Move:
    """What an effect's run does next; states of other boots were turned into unknown at start-up."""
    state = effect["state"]
    if state == "intended":
        return _before_attempt(effect, now, stopped)
    if state == "unknown":
        move = _after_unknown(effect, operation, now)
        return Move("wait", STOP_LOOK) if stopped and move.do == "attempt" else move
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
    """Class A tries the same key again inside its window, B looks, C asks."""
    if effect["class"] == "B":
        return Move("look_up")
    if effect["class"] != "A":
        return Move("ask", why="There is no way to look this up, and sending it again could do it twice.")
    age = -_seconds_until(effect["first_attempt"] or effect["created"], now)
    if age >= WINDOW_SHARE * operation.key_window:
        return Move("ask", why="The provider may have forgotten our key, so trying again could do it twice.")
    if effect["attempts"] >= MOST_ATTEMPTS:
        return Move("ask", why=f"{effect['attempts']} attempts with the same key gave no clear answer.")
    wait = _seconds_until(effect["not_before"], now)
    return Move("wait", wait) if wait > 0 else Move("attempt")


def backoff(attempts: int) -> float:
    """Seconds before the next try: 0.5, 1, 2, 4 ... at most 5 minutes."""
    return min(300.0, float(0.5 * 2 ** max(0, attempts - 1)))


@dataclass(frozen=True)
class After:
    """What an answer means: the state, when to go on, whether a person must hear of it."""

    state: str
    retry_in: float | None = None
    note: str = ""
    tell: bool = False


def after(outcome: Outcome, attempts: int, *, doubt: bool = False) -> After:
    """From an answer to the next state. A refusal means certainly nothing was done, for every class.

    With ``doubt``, an earlier attempt under the same key had no clear answer; then a refusal of this one proves nothing
    about that one, and the effect stays unknown.
    """
    if isinstance(outcome, Done):
        return After("succeeded", note=outcome.receipt.detail)
    if isinstance(outcome, Refused):
        again = outcome.retry_after is not None and not outcome.auth and attempts < MOST_ATTEMPTS
        retry_in = max(outcome.retry_after or 0.0, backoff(attempts)) if again else None
        if doubt:
            return After("unknown", retry_in, f"{outcome.reason} An earlier attempt may have done it.", tell=not again)
        return After("refused", retry_in, outcome.reason, tell=not again)
    return After("unknown", retry_in=backoff(attempts), note=outcome.reason)


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


def unknown_card(effect: Mapping[str, Any], proposal: Mapping[str, Any], why: str) -> dict[str, Any]:
    """The card of an uncertain outcome: what may have happened, what was looked at, what each answer does."""
    what = f"{effect['connector']}.{effect['operation']}"
    tried = f"Attempts: {effect['attempts']}."
    return {
        "title": f"Did this happen? {_short(proposal)}",
        "why": f"We may have done {what}, and no clear answer came back. {why} {tried}",
        "options": [
            {"name": "happened", "label": "It happened", "consequence": "It is marked as done. Nothing is sent."},
            {
                "name": "did_not_happen",
                "label": "It did not happen, leave it",
                "consequence": "It is marked as not done. Nothing is sent.",
            },
            {
                "name": "send_again",
                "label": "It did not happen, send again",
                "consequence": "It is sent once more. If it did arrive, it arrives twice.",
            },
        ],
        "estimate": 90,
        "judgement": 2,
    }


def failed_card(effect: Mapping[str, Any], proposal: Mapping[str, Any], why: str) -> dict[str, Any]:
    """The card of a refusal: certainly nothing was done; what can be done now."""
    return {
        "title": f"Not done: {_short(proposal)}",
        "why": f"{effect['connector']} refused {effect['operation']}: {why} Nothing was done.",
        "options": [
            {"name": "again", "label": "Propose it again", "consequence": "It comes back as a card you can edit."},
            {"name": "leave", "label": "Leave it", "consequence": "Nothing is sent; this card is closed."},
        ],
        "estimate": 60,
        "judgement": 1,
    }


def _short(proposal: Mapping[str, Any]) -> str:
    """The proposal in a few words."""
    payload = proposal["payload"]
    subject = payload.get("subject")
    to = payload.get("to")
    who = ", ".join(to) if isinstance(to, list) else str(to or "")
    return f"{subject or proposal['operation']}{f' to {who}' if who else ''}"[:140]
