"""Spend: holds the worst case back in the commit that writes a call, settles after it, stops whoever is at a cap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from soloist.config import Settings
from soloist.engine.store import caps, model_calls, runs, spent, tasks
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput, CapReached, NotFound
from soloist.kernel.ids import derived
from soloist.kernel.model import Price
from soloist.kernel.model_settings import Budgets
from soloist.kernel.spend import NEVER, Actual, Cap, Held, Payer, Sums, Worst
from soloist.stages.spend import decide, words
from soloist.stages.spend.decide import Key, Refusal, When

SUBJECT = "cap"
"""Kind of the subject of cards about caps."""
NOBODY = Price("EUR", 0, 0)


@dataclass(frozen=True)
class Refused:
    """A call that was not made, because of a cap; ``card`` tells the operator ("" for a cap of single calls)."""

    call: str
    said: str
    cap: str
    card: str

    def error(self) -> CapReached:
        """As a fault for whoever cannot go on without the call."""
        return CapReached(self.said, cap=self.cap, card=self.card, call=self.call)


class Spend:
    """The ledger of one home. ``worker`` names this process, so that what a dead one held back is found."""

    def __init__(self, store: Store, settings: Settings, *, worker: str) -> None:
        """The caps of soloist.toml are read once (BadConfig when one of them or the books cannot be counted)."""
        self._store, self._worker, self._turned = store, worker, False
        self._zone = settings.business.zone
        self._budgets: Budgets = settings.budgets
        self.currency = settings.business.currency
        self._written = decide.configured(settings.budgets, self.currency)
        decide.worth(store.read_now(spent.currency), self.currency, self._budgets)

    def turn_in(self, tx: Tx) -> None:
        """Turn the books into the currency of the house, when that became another one since the last start."""
        if self._turned:
            return
        old = spent.currency(tx.conn)
        self._turned = old == self.currency  # what this transaction turns may still be rolled back
        if not old:
            spent.keep(tx, self.currency)
        elif not self._turned:
            spent.turn(tx, old, self.currency, decide.worth(old, self.currency, self._budgets))

    def take(self, settings: Settings) -> None:
        """Take over [budgets] as it is now (BadConfig changes nothing)."""
        self._written = decide.configured(settings.budgets, self.currency)
        self._budgets = settings.budgets

    # ----- what a call does

    async def begin(self, payer: Payer, worst: Worst, row: Mapping[str, Any] | None = None) -> Held | Refused:
        """Write a call of ``payer`` and hold its worst case back, in one commit; or say which cap it would pass."""
        return await self._store.write(partial(self.begin_in, payer=payer, worst=worst, row=row or {}))

    async def reserve(self, payer: Payer, worst: Worst) -> Held:
        """The same for whoever takes a fault (CapReached); ``kernel.spend.Meter``."""
        found = await self.begin(payer, worst)
        if isinstance(found, Refused):
            raise found.error()
        return found

    async def settle(self, held: Held, actual: Actual) -> None:
        """Put what it cost in place of what was held; the second time changes nothing."""
        await self.end(held.call, "answered", actual)

    async def end(self, call: str, state: str, actual: Actual, **values: Any) -> int:
        """Settle a call in a state ("answered", "failed") with further columns; answers its cost in millionths."""
        return await self._store.write(partial(self.end_in, call=call, state=state, actual=actual, **values))

    def begin_in(self, tx: Tx, payer: Payer, worst: Worst, row: Mapping[str, Any]) -> Held | Refused:
        """The same inside a transaction."""
        self.turn_in(tx)
        chain = tuple(dict.fromkeys([payer.run, *payer.parents, *spent.ancestors(tx.conn, payer.run)]))
        when = decide.moment(tx.now, self._zone)
        keys = decide.keys(payer, chain, when)
        sums = spent.lock(tx, keys)
        against = decide.held_against(self.caps(tx.conn), payer, chain, when)
        fresh = self._fresh(tx, payer, keys)
        call = {**_payer(payer), **row, "worker": self._worker, "currency": self.currency}
        times = spent.times(tx.conn, call)
        worst = decide.widened(worst, times)
        if stopped := self._stopped(tx, payer, chain, when):
            cap, card = stopped["cap"], stopped["card"]
            said = words.stopped(self._cap_named(tx.conn, cap), caps.place_of(cap)[1])
            return self._refuse(tx, call, Refused("", said, cap, card))
        if found := decide.refusal(against, sums, worst, fresh, tx.now):
            return self._refuse(tx, call, self._stop(tx, payer, found, worst))
        spent.add(tx, keys, held_micro=worst.micro, held_tokens=worst.tokens, calls=1)
        spent.add(tx, [key for key in keys if key in fresh], runs=1)
        detail = {**(call.get("detail") or {}), "keys": [list(key) for key in keys], "held_tokens": worst.tokens}
        detail |= {"times": times} if times != spent.WITHIN else {}
        ident = model_calls.begin(tx, {**call, "reserved_micro": worst.micro, "detail": detail})
        self._alert(tx, against, keys)
        return Held(ident, worst)

    def end_in(self, tx: Tx, call: str, state: str, actual: Actual, **values: Any) -> int:
        """The same inside a transaction; 0 for a call that has ended already."""
        return end_in(tx, call, state, actual, **values)

    def saved_in(self, tx: Tx, payer: Payer, micro: int, row: Mapping[str, Any]) -> str:
        """Write a call that a recording answered: it costs nothing; ``micro`` is what it would have cost."""
        when = decide.moment(tx.now, self._zone)
        keys = decide.keys(payer, (payer.run,), when)
        spent.lock(tx, keys)
        spent.add(tx, keys, saved_micro=micro)
        call = {**_payer(payer), **row, "worker": self._worker, "currency": self.currency}
        return model_calls.begin(tx, {**call, "state": "recorded", "ended": tx.now})

    def lost_in(self, tx: Tx, row: Mapping[str, Any]) -> None:
        """A call that nobody will settle any more."""
        lost_in(tx, row)

    # ----- caps

    def caps(self, conn: Any) -> list[Cap]:
        """The caps in force."""
        return decide.effective(self._written, caps.listed(conn))

    async def set_cap(self, cap: Cap, *, who: str, why: str = "") -> str:
        """Put a cap in force in place of the one in soloist.toml (BadInput); its key."""
        if cap.most < 0:
            raise BadInput("most: a cap is not negative.", field="most")
        await self._store.write(lambda tx: caps.put(tx, cap, state=caps.OWN, who=who, why=why))
        return caps.name(*cap.place)

    async def remove_cap(self, name: str, *, who: str) -> None:
        """Take a cap that was set here out; one in soloist.toml counts again (NotFound, BadInput)."""
        place = caps.place_of(name)
        if not await self._store.write(lambda tx: caps.remove(tx, place, who=who)):
            raise NotFound("There is no such cap that was set here; those of soloist.toml are changed in that file.")

    async def extend(self, name: str, *, who: str, percent: int = 0) -> Cap:
        """Extend a cap until its period is over and let those who were stopped by it go on (NotFound)."""
        return await self._store.write(partial(self.extend_in, name=name, who=who, percent=percent))

    def extend_in(self, tx: Tx, name: str, who: str, percent: int = 0, *, least: int = 0) -> Cap:
        """The same inside a transaction; ``percent`` 0 is what [budgets] says, ``least`` what it comes to at least."""
        cap, subject = self._cap_named(tx.conn, name), caps.place_of(name)[1]
        if cap is None:
            raise NotFound(f"There is no cap {name}.")
        until = decide.end_of(cap.span, tx.now, self._zone)
        before = cap.extra if tx.now < cap.extra_until else 0
        more = before + max(1, least, -(-cap.most * (percent or self._budgets.extension) // 100))
        wider = Cap(cap.scope, subject, cap.span, cap.measure, cap.most, cap.currency, cap.alerts, "", more, until)
        own = cap.source == caps.OWN and cap.subject == subject
        caps.put(tx, wider, state=caps.OWN if own else caps.EXTENDED, who=who, why="extended")
        self._let_go(tx, name, cap, who)
        return wider

    def _let_go(self, tx: Tx, name: str, cap: Cap, who: str) -> None:
        """Nobody is stopped by this cap in its period any more, and no card asks about it."""
        while card := tasks.open_for(tx.conn, name):
            tasks.close(tx, card["id"], "withdrawn", {"option": "", "reason": "the cap is wider now"}, actor=who)
        when = decide.moment(tx.now, self._zone)
        caps.go_on(tx, name, when.of(cap.span) if cap.scope not in ("run", "task") and cap.span != "run" else "")
        self.renew_in(tx)

    def renew_in(self, tx: Tx) -> None:
        """Agents that no cap stops any more are in use again: their cap was extended, or its period is over."""
        when = decide.moment(tx.now, self._zone)
        for row in caps.stops(tx.conn):
            over = row["period"] not in (when.day, when.month, when.total)
            if over and (card := tasks.get(tx.conn, row["card"]))["state"] == "open":
                said = {"option": "", "reason": "the period of the cap is over"}
                tasks.close(tx, card["id"], "withdrawn", said, actor="soloist")
        for agent in caps.agents_off(tx.conn):
            names = [
                ("house", ""),
                ("agent", agent),
                *((("agent", bare),) if (bare := agent.partition("@")[0]) else ()),
            ]
            if not caps.stopped(tx.conn, names, [when.day, when.month, when.total]):
                caps.switch_agent(tx, agent, off=False, why="")

    def _cap_named(self, conn: Any, name: str) -> Cap | None:
        """The cap in force by its name in ``cap_alerts``."""
        scope, subject, span, measure = caps.place_of(name)
        found = {cap.place: cap for cap in self.caps(conn)}
        return found.get((scope, subject, span, measure)) or found.get((scope, "", span, measure))

    # ----- at a cap

    def _fresh(self, tx: Tx, payer: Payer, keys: Sequence[Key]) -> frozenset[Key]:
        """The rows in which this is the first call of its run."""
        seen = model_calls.seen_in(tx.conn, payer.run)
        known = {(scope, row[scope]) for row in seen for scope in ("agent", "flow", "client", "task")}
        known |= {("house", ""), ("run", payer.run)} if seen else set()
        mine = {("house", ""), ("run", payer.run), ("agent", payer.agent), ("flow", payer.flow)}
        mine |= {("client", payer.client), ("task", payer.task)}
        return frozenset(key for key in keys if key[:2] in mine and key[:2] not in known)

    def _stopped(self, tx: Tx, payer: Payer, chain: Sequence[str], when: When) -> dict[str, Any] | None:
        """The first cap that has stopped one of those who pay, in a period that still runs."""
        subjects = [("house", ""), *((scope, who) for scope, who, _ in decide.keys(payer, chain, when) if who)]
        found = caps.stopped(tx.conn, list(dict.fromkeys(subjects)), [when.day, when.month, when.total])
        return found[0] if found else None

    def _refuse(self, tx: Tx, call: Mapping[str, Any], refused: Refused) -> Refused:
        """Write that a call was not made."""
        row = {**call, "state": "refused", "fault": "cap", "said": refused.said, "ended": tx.now, "request": None}
        ident = model_calls.begin(tx, row)
        return Refused(ident, refused.said, refused.cap, refused.card)

    def _stop(self, tx: Tx, payer: Payer, found: Refusal, worst: Worst) -> Refused:
        """The cap is reached: whoever stands under it is stopped, and a card offers the way on. One commit."""
        cap, subject = found.held.cap, found.held.subject
        name, said = caps.name(cap.scope, subject, cap.span, cap.measure), words.reached(found, payer)
        if found.held.key is None or cap in payer.limits:  # nothing that a card could extend
            return Refused("", said, name, "")
        period = found.held.key[2]
        card = derived("cap", f"{name}|{period}|{cap.extra}")
        if cap.span == "run":  # only that run is over its cap, and each of its calls finds so by itself
            tasks.open_card(tx, card := derived("cap", f"{name}|{found.held.key[1]}"), SUBJECT,
                            **words.card(found, payer, self._budgets.extension), subject=name)  # fmt: skip
            return Refused("", said, name, card)
        if caps.tell(tx, name, period, caps.STOP, card):
            tasks.open_card(tx, card, SUBJECT, **words.card(found, payer, self._budgets.extension), subject=name)
            told = {"period": period, "used": found.used, "most": found.most, "agent": payer.agent, "run": payer.run}
            tx.append("cap.reached", subject=name, payload=told, run=payer.run)
        if payer.agent and cap.scope not in ("run", "task"):
            caps.switch_agent(tx, payer.agent, off=True, why=said)
        return Refused("", said, name, card)

    def _alert(self, tx: Tx, against: Sequence[decide.Held], keys: Sequence[Key]) -> None:
        """Tell once when a share of a cap is used."""
        sums: dict[Key, Sums] = spent.read(tx.conn, list(keys))
        for held, share, used in decide.crossed(against, sums, tx.now):
            cap = held.cap
            name = caps.name(cap.scope, held.subject, cap.span, cap.measure)
            period = held.key[2] if held.key else ""
            if max(caps.told(tx.conn, name, period), default=0) >= share:
                continue
            card = derived("alert", f"{name}|{period}|{share}|{cap.extra}")
            caps.tell(tx, name, period, share, card)
            most = cap.at(tx.now) or 0
            if cap.scope not in ("run", "task"):
                tasks.open_card(tx, card, "alert", **words.alert(held, (share, used, most)), subject=name)
            tx.append("cap.alert", subject=name, payload={"share": share, "used": used, "most": most, "period": period})

    # ----- what the operator says on a card

    def answer(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """Carry out an option of a card about a cap."""
        name = str(card["subject"])
        tasks.close(tx, card["id"], "done", {"option": option, "reason": ""}, actor=who)
        if option == "extend":
            wider = self.extend_in(tx, name, who, least=int((card["detail"] or {}).get("more", 0)))
            return {"state": "extended", "until": wider.extra_until, "extra": wider.extra}
        if option == "off" and (cap := self._cap_named(tx.conn, name)):
            subject, until = caps.place_of(name)[1], decide.end_of(cap.span, tx.now, self._zone)
            wider = Cap(cap.scope, subject, cap.span, cap.measure, cap.most, cap.currency, cap.alerts, "", NEVER, until)
            own = cap.source == caps.OWN and cap.subject == subject
            caps.put(tx, wider, state=caps.OWN if own else caps.EXTENDED, who=who, why="off until the period is over")
            self._let_go(tx, name, cap, who)
            return {"state": "off", "until": until}
        return {"state": "kept"}


def _payer(payer: Payer) -> dict[str, Any]:
    """The columns of ``model_calls`` that say who pays."""
    return {
        "run": payer.run,
        "step": payer.step,
        "attempt": payer.attempt,
        "agent": payer.agent,
        "flow": payer.flow,
        "client": payer.client,
        "task": payer.task,
    }


def end_in(tx: Tx, call: str, state: str, actual: Actual, **values: Any) -> int:
    """Settle a call inside a transaction; its cost in millionths, 0 for one that has ended already."""
    spent.lock(tx, [])
    price = values.pop("priced", None) or NOBODY
    row = model_calls.end(tx, call, state, **values)
    if row is None:
        return 0
    detail = row["detail"] or {}
    held = Worst(row["reserved_micro"], int(detail.get("held_tokens", 0)), row["currency"])
    micro, tokens = decide.settled(price, held, actual)
    known = int(detail.get("times", spent.WITHIN))
    if (above := decide.above(held, (micro, tokens), known)) > known and spent.note_times(tx, row, above):
        told = {"times": above / spent.WITHIN, "held_micro": held.micro, "billed_micro": micro, "model": row["model"]}
        tx.append("model.billed_above", subject=row["provider"], payload=told, run=row["run"])
    keys: list[Key] = [(str(scope), str(subject), str(period)) for scope, subject, period in detail["keys"]]
    spent.add(
        tx,
        keys,
        held_micro=-held.micro,
        held_tokens=-held.tokens,
        spent_micro=micro,
        spent_tokens=tokens,
    )
    model_calls.amend(
        tx,
        call,
        cost_micro=micro,
        tokens_in=actual.tokens_in or 0,
        tokens_out=actual.tokens_out or 0,
        tokens_cached=actual.tokens_cached,
    )
    runs.charge(tx, row["run"], micro=micro, tokens=tokens)
    return micro


def lost_in(tx: Tx, row: Mapping[str, Any]) -> None:
    """A call that nobody will settle any more: the worst case counts as spent."""
    said = "The process ended while the model was asked; the worst case counts as spent."
    end_in(tx, row["id"], "lost", Actual(None), fault="unreachable", said=said)


def sweep_in(tx: Tx) -> int:
    """What dead processes held back counts as spent; answers how many calls."""
    left = model_calls.orphans(tx.conn, tx.now)
    for row in left:
        lost_in(tx, row)
    return len(left)
