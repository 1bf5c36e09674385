"""Late: news that an earlier receipt is void (a bounce, a dispute, a refund) or that what happened was wrong.

A receipt says that the other side took it; what comes later and says otherwise turns it, reopens what rested on it
and asks a person. It takes nothing back and sends nothing by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.engine.store import effects, events, proposals, records, runs, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.kernel.ids import derived
from soloist.kernel.money import plain
from soloist.kernel.proposal import at
from soloist.sdk.flow import Flow, Verbs
from soloist.stages.effects import cards

HAPPENED = ("succeeded", "resolved_done")
WRONG = "wrong"
"""It did happen and should not have; "void" is the other meaning: it is no longer so."""


def late(desk: Desk) -> Flow:
    """One step: find what the news is about, turn it, tell."""
    news = Lates(desk)

    async def body(do: Verbs, event_id: str) -> None:
        await do.step("tell", news.tell, event_id)

    return Flow("late", body)


class Lates:
    """Reads news by what the connections declare (``[connectors.x.late.name]``: kind, ref, says, means)."""

    def __init__(self, desk: Desk) -> None:
        """From now on every event a connection is asked to tell of begins a run."""
        self._desk = desk
        desk.intake.starts = self.starts

    def starts(self, source: str, kind: str) -> str:
        """The flow an event begins: "late" when its connection declares it as news, else ""."""
        return "late" if self._declared(source, kind) else ""

    def _declared(self, source: str, kind: str) -> tuple[str, Any] | None:
        """Connection and declaration of an event of this source and kind; a webhook's source is "hook:NAME"."""
        name = source.removeprefix("hook:")
        part = self._desk.settings.connectors.get(name)
        found = [news for news in (part.late.values() if part else ()) if news.kind == kind]
        return (name, found[0]) if found else None

    async def tell(self, run: str, event_id: str) -> dict[str, Any]:
        """Turn what an event is about. Answers {effect}, "" when nothing of ours has that id."""

        def work(tx: Tx) -> dict[str, Any]:
            def turn() -> dict[str, Any]:
                event = events.get(tx.conn, event_id)
                declared = self._declared(event["source"], event["kind"])
                if declared is None:
                    return {"effect": ""}
                name, news = declared
                ref = str(at(event["payload"] or {}, news.ref) or "")
                what = news.says or event["kind"]
                return {"effect": arrived(tx, name, ref, what, event, means=getattr(news, "means", "void")) or ""}

            return dict(runs.once(tx, run, "tell", turn, given={"event": event_id}))

        return await self._desk.store.write(work)


def arrived(
    tx: Tx, connector: str, provider_ref: str, what: str, event: Mapping[str, Any], *, means: str = "void"
) -> str | None:
    """News about the thing that a provider calls ``provider_ref``: its receipt turns, a card tells. The effect's id.

    ``event`` is the row of the event that brought it, ``what`` says it in a sentence. None when it is not ours.
    """
    effect = effects.by_provider_ref(tx.conn, connector, provider_ref)
    if effect is None:
        return None
    told = {"event": event["id"], "kind": event["kind"], "at": tx.now, "what": what}
    turned = turn(tx, effect, what, told) if means != WRONG else _note(tx, effect, what, told)
    if turned:
        _card(tx, effect, what, event, wrong=means == WRONG)
    return str(effect["id"])


def turn(tx: Tx, effect: Mapping[str, Any], note: str, told: Mapping[str, Any]) -> bool:
    """A receipt turns to failed, and what rested on it is open again; True when it did.

    In any other state the news is only kept as evidence.
    """
    if effect["state"] not in HAPPENED:
        effects.touch(tx, effect, note, late=dict(told))
        return False
    effects.move(tx, effect, "failed", note=note, late=dict(told))
    _reopen_lead(tx, effect)
    return True


def _note(tx: Tx, effect: Mapping[str, Any], note: str, told: Mapping[str, Any]) -> bool:
    """It happened and is wrong: its state stays true, the news is kept; whether there is something to take back."""
    effects.touch(tx, effect, note, late=dict(told))
    return effect["state"] in (*HAPPENED, "compensation_failed")


def _reopen_lead(tx: Tx, effect: Mapping[str, Any]) -> None:
    """A lead whose answer came back is not answered."""
    conversation = proposals.get(tx.conn, effect["proposal"])["conversation"]
    if lead := records.standing(tx.conn, derived("lead", conversation)):
        state = str(lead["body"].get("verdict") or "open")
        records.write(tx, lead["id"], lead["version"], {"answered": ""}, why="the answer came back", state=state)


def _card(tx: Tx, effect: Mapping[str, Any], what: str, event: Mapping[str, Any], *, wrong: bool) -> None:
    """What was done, what the news says, and what can be done now."""
    proposal = proposals.get(tx.conn, effect["proposal"])
    minor, currency = proposal["amount_minor"], proposal["currency"]
    money = f"{plain(minor, currency, grouped=True)} {currency}" if minor else ""
    did = f"{effect['connector']}.{effect['operation']}{f' over {money}' if money else ''}"
    bundle = " and everything that was done with it" if proposal["bundle"] else ""
    back = "The last part goes first; money needs your word again." if bundle else "By its declared way back."
    options = [cards.option("take_back", f"Take it back{bundle}", back)] if wrong or bundle else []
    if not wrong:
        options.append(cards.option("again", "Propose it again", "It comes back as a card you can edit."))
    keep = "It is right as it is" if wrong else "I take care of it"
    options.append(cards.option("leave", keep, "Nothing is done; the news is kept with it."))
    now = "It did happen and stays until you say otherwise." if wrong else "It counts as not done now."
    tasks.open_card(
        tx,
        derived("late", effect["id"], event["id"]),
        "failure",
        f"{'Wrong' if wrong else 'No longer so'}: {cards.short(proposal)}"[:160],
        subject=effect["id"],
        subject_kind="effect",
        record=proposal["record"],
        conversation=proposal["conversation"],
        run=effect["run"],
        why=f"We did {did}, and they said it was done. Now they say: {what} {now}",
        detail={"did": proposal["payload"], "told": event["payload"], "ref": effect["provider_ref"]},
        options=options,
        value_minor=proposal["amount_minor"],
        currency=proposal["currency"],
        estimate=120,
        judgement=2,
        deadline=later(tx.now, 14 * 86400),
        at_expiry="Nothing is done; the news is kept.",
    )
