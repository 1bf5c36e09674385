"""Saga: a bundle is taken back part by part, the last first; it stops at the first part that cannot be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.engine.store import effects, proposals, records, sagas, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.kernel.errors import Conflict, NotAllowed
from soloist.kernel.ids import derived
from soloist.sdk.flow import Flow, Verbs
from soloist.stages.effects import cards, waiting

LOOK = 300.0
"""Seconds between two looks while a part is being taken back; usually its end wakes the saga."""
OVER = frozenset({"done", "nothing", "said", "by hand"})
"""States of a step that leave nothing to do."""
Step = dict[str, Any]


def saga(desk: Desk) -> Flow:
    """One durable step for each look; the row says how far it is."""
    back = Sagas(desk)

    async def body(do: Verbs, ident: str) -> None:
        while (await do.step("next", back.advance, ident))["do"] == "wait":
            await do.wait_for("bundle", LOOK)

    return Flow("saga", body, parks=True)


class Sagas:
    """Takes bundles back."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk

    def begin(self, tx: Tx, bundle: str, *, who: str, why: str) -> str:
        """Ask for a bundle to be taken back; one that is being taken back already is that one. Answers its id."""
        known = sagas.of_bundle(tx.conn, bundle)
        if known and known[0]["state"] != "left":
            return str(known[0]["id"])
        ident = derived("saga", bundle, len(known))
        sagas.begin(tx, ident, bundle, self._steps(tx, bundle), who=who, why=why)
        tx.start(waiting.saga_run(sagas.get(tx.conn, ident)), "saga", ident, subject=ident)
        return ident

    @staticmethod
    def _steps(tx: Tx, bundle: str) -> list[Step]:
        """Every part that did something or still could, the last first."""
        found: list[Step] = []
        for row in reversed(sagas.bundle(tx.conn, bundle)):
            if row["state"] not in ("waiting", "approved"):
                continue
            made = [e for e in effects.of_proposal(tx.conn, row["id"]) if not e["undoes"]]
            what = "change" if row["noun"] == "change" else "proposal"
            parts = [("effect", e["id"]) for e in reversed(made)] or [(what, row["id"])]
            title = f"{row['connector']}.{row['operation']}: {cards.short(row)}"
            found += [{"what": w, "id": i, "title": title, "state": "todo", "note": "", "tries": 0} for w, i in parts]
        return found

    async def advance(self, run: str, ident: str) -> dict[str, Any]:
        """Go on as far as possible. Answers {do: wait | end}."""

        def work(tx: Tx) -> dict[str, Any]:
            row = sagas.get(tx.conn, ident)
            if row["state"] != "running":
                return {"do": "end"}
            steps = [dict(step) for step in row["steps"]]
            do = next((did for step in steps if (did := self._one(tx, step, row["who"])) != "next"), "done")
            sagas.keep(tx, row, steps)
            if do == "wait":
                return {"do": "wait"}
            sagas.move(tx, row, "done" if do == "done" else "stopped", why=self._note(steps))
            if do == "stop":
                self._card(tx, {**row, "steps": steps})
            return {"do": "end"}

        return await self._desk.store.write(work)

    @staticmethod
    def _note(steps: list[Step]) -> str:
        return next((step["note"] for step in steps if step["state"] not in OVER), "")

    def _one(self, tx: Tx, step: Step, who: str) -> str:
        """Work on one part: "next" when nothing is left to do for it, "wait", or "stop"."""
        if step["state"] in OVER:
            return "next"
        do = {"effect": self._effect, "change": self._change, "proposal": self._proposal}[step["what"]]
        state, note = do(tx, step, who)
        step |= {"state": state, "note": note}
        return "next" if state in OVER else "wait" if state == "doing" else "stop"

    def _proposal(self, tx: Tx, step: Step, who: str) -> tuple[str, str]:
        """A part that has not begun is withdrawn."""
        row = proposals.get(tx.conn, step["id"])
        if row["state"] in ("waiting", "approved"):
            self._desk.approvals.withdraw(tx, row["id"], actor=who, why="Its bundle is taken back.")
        return "nothing", "it had not begun"

    def _change(self, tx: Tx, step: Step, who: str) -> tuple[str, str]:
        """A record gets its former fields back as a new version, unless somebody changed it since."""
        row = proposals.get(tx.conn, step["id"])
        written = sagas.written_by(tx.conn, f"proposal:{row['id']}")
        if written is None:
            return self._proposal(tx, step, who)
        now = records.get(tx.conn, written["record"])
        before = records.version(tx.conn, written["record"], written["version"] - 1)
        if now["version"] != written["version"]:
            return "not done", f"{now['title']} was changed again since, so it was left alone"
        if before is None:
            return "not done", f"{now['title']} was new; there is no version before"
        fields = before["body"]
        title = fields.get("name") if isinstance(fields.get("name"), str) else None
        why = "taken back"
        records.write(
            tx,
            now["id"],
            now["version"],
            fields,
            why=why,
            actor=who,
            title=title,
            replace=True,
            run=step["id"],
            restored=True,
        )
        return "done", f"{now['title']} has its former version back"

    def _effect(self, tx: Tx, step: Step, who: str) -> tuple[str, str]:
        """One part outside, by the state it is in."""
        row = effects.get(tx.conn, step["id"])
        state = row["state"]
        if state == "compensated":
            return "done", "taken back"
        if state in ("failed", "resolved_not_done"):
            return "nothing", "it had not happened"
        if state in ("intended", "refused", "claimed"):
            return self._keep_back(tx, row, who)
        if state == "needs_human":
            return "not known", "whether it happened is not known; say so on its card first"
        if state == "compensating":
            asks = [e for e in effects.undoing(tx.conn, row["id"]) if e["state"] == "needs_human"]
            return ("not known", "whether it was taken back is not known") if asks else ("doing", "being taken back")
        if state in ("attempting", "unknown", "reconciling"):
            return "doing", "its outcome is not known yet"
        return self._take_back(tx, step, row, who)

    @staticmethod
    def _keep_back(tx: Tx, row: dict[str, Any], who: str) -> tuple[str, str]:
        """It has not happened: it will not."""
        note = "its bundle is taken back; nothing was sent"
        effects.move(tx, row, "failed" if row["state"] == "refused" else "resolved_not_done", actor=who, note=note)
        if proposals.get(tx.conn, row["proposal"])["state"] == "approved":
            proposals.move(tx, row["proposal"], "withdrawn", actor=who, why=note)
        tx.send(row["run"], waiting.EFFECT, {"state": "resolved_not_done"})
        return "done", "it was kept from leaving"

    def _take_back(self, tx: Tx, step: Step, row: dict[str, Any], who: str) -> tuple[str, str]:
        """It happened: by its way back, which may be a proposal that waits for a word of its own."""
        if asked := step.get("proposal"):
            state = proposals.get(tx.conn, asked)["state"]
            if state in ("waiting", "approved") and row["state"] != "compensation_failed":
                return "doing", "waits for your word" if state == "waiting" else "being taken back"
            if step["state"] == "doing":
                return "not done", f"taking it back was {state}" if state != "approved" else "the way back failed"
        elif row["state"] == "compensation_failed" and step["state"] == "doing":
            return "not done", str((row["evidence"] or [{"note": "the way back failed"}])[-1]["note"])
        try:
            result = self._desk.effects.undo_in(tx, row["id"], who=who)
        except (NotAllowed, Conflict) as error:
            return "not done", error.detail
        if result["kind"] == "exact":
            return "doing", "being taken back"
        made = self._desk.takers["undo"](tx, {"subject": row["id"]}, result["kind"], who)
        if result["kind"] == "apology":
            return "said", "it cannot be unsent; a letter waits for your word"
        step["proposal"] = made["proposal"]
        return "doing", "waits for your word"

    # ----- when it stops

    @staticmethod
    def _card(tx: Tx, saga: Mapping[str, Any]) -> None:
        """What is done, not done and not known, and how to go on."""
        parts: dict[str, list[str]] = {"done": [], "not_done": [], "not_known": []}
        for step in saga["steps"]:
            kind = "done" if step["state"] in OVER else "not_known" if step["state"] == "not known" else "not_done"
            parts[kind].append(f"{step['title']} ({step['note'] or 'not begun'})")
        held = next(step for step in saga["steps"] if step["state"] not in OVER)
        tasks.open_card(
            tx,
            derived("saga stopped", saga["id"], waiting.saga_run(saga)),
            "failure",
            f"The bundle is taken back in part: {held['title']}"[:160],
            subject=saga["id"],
            subject_kind="saga",
            why=cards.parts_said(parts),
            detail=parts,
            options=[
                cards.option("go_on", "I mended it: go on", "This part is tried again, then the others before it."),
                cards.option("by_hand", "I took it back by hand: go on", "This part counts as taken back."),
                cards.option("leave", "Leave it as it is", "Nothing more is taken back; this card is closed."),
            ],
            estimate=180,
            judgement=2,
            deadline=later(tx.now, 30 * 86400),
            at_expiry="Nothing more is taken back.",
        )

    def decided(self, tx: Tx, card: Mapping[str, Any], option: str, *, who: str) -> dict[str, Any]:
        """Go on from where it stopped, or leave it."""
        row = sagas.get(tx.conn, card["subject"])
        tasks.close(tx, card["id"], "done", {"option": option}, actor=who)
        if option == "leave":
            sagas.move(tx, row, "left", actor=who, why="you left it")
            return {"state": "left"}
        steps = [dict(step) for step in row["steps"]]
        held = next(step for step in steps if step["state"] not in OVER)
        held |= {"state": "todo", "tries": held["tries"] + 1}
        held.pop("proposal", None)
        if option == "by_hand":
            held |= {"state": "by hand", "note": "you took it back by hand"}
            if held["what"] == "effect" and effects.get(tx.conn, held["id"])["state"] == "compensation_failed":
                self._desk.effects.by_hand(tx, held["id"], who=who)
        sagas.keep(tx, row, steps)
        sagas.move(tx, row, "running", actor=who, why=option)
        tx.start(waiting.saga_run({**row, "steps": steps}), "saga", row["id"], subject=row["id"])
        return {"state": "going on"}
