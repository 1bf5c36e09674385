"""Triaging: a client's question gets its place in the inbox, with every reason and what was answered before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.engine.store import conversations, memories, runs, tasks
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.flows.giving import Done, Way, use
from soloist.insight.words import not_given
from soloist.kernel.errors import SoloistError
from soloist.kernel.message import Understanding
from soloist.kernel.work import Worked, WorkItem
from soloist.sdk.flow import Verbs
from soloist.stages.memory import Search

KIND = "triage"
"""Kind of the note beside a message."""
SLA_OF = {"now": "now", "today": "day", "this week": "week"}
"""How soon the card of such a message wants a look; its deadline, at which it ends unsent, stays as it is."""
BEFORE = 3
"""Earlier answers that are named."""


async def triage(desk: Desk, do: Verbs, item: WorkItem) -> Done:
    """The support triage's way: {message}."""
    message = str(item.input["message"])
    row, read, known = await desk.store.read(lambda conn: _message(conn, message))
    about = await _about(desk, do, item, row, read)
    asked = {
        "text": read.own_text,
        "subject": row["subject"],
        "language": read.language,
        "kind": about.value["kind"] if about else read.kind,
        "now": row["at"],
        "received": row["at"],
        "timezone": desk.settings.business.timezone,
        "known_client": known["client"],
        "unanswered": known["unanswered"],
    }
    weighed = await use(desk, do, item, "priority", asked)
    meant = await use(
        desk, do, item, "intent", {"text": read.own_text, "subject": row["subject"], "language": read.language}
    )
    reads = desk.runtime.roster.working(item.agent).reads
    before = await do.step("answered before", _answered(desk, f"{row['subject']}\n{read.own_text}", message, reads))
    value = {**weighed.value, "intent": meant.value["intent"], "answered_before": before["found"]}
    await do.step("order", _ordering(desk, message, row["conversation"], value))
    reasons = "; ".join(one["text"].rstrip(".") for one in value["reasons"][:4]) or "nothing about it presses"
    said = f"{value['priority'].capitalize()} priority, wants an answer {value['urgency']}: {reasons}."
    said = " ".join([said, *not_given(before.get("withheld") or {})])
    return Done(said, value, (weighed, meant, *([about] if about else [])))


async def _about(desk: Desk, do: Verbs, item: WorkItem, row: Mapping[str, Any], read: Understanding) -> Worked | None:
    """What a client's message is about now that its files are read: one that brings an invoice is about money."""
    if read.kind != "client" or not any((file.get("read") or {}).get("invoice") for file in row["attachments"] or ()):
        return None
    given = {
        "subject": row["subject"],
        "own_text": read.own_text,
        "language": read.language,
        "known_client": True,
        "invoice_attached": True,
    }
    return await use(desk, do, item, "kind", given)


def _message(conn: Any, ident: str) -> tuple[dict[str, Any], Understanding, dict[str, Any]]:
    row = conversations.message(conn, ident)
    thread = conversations.of(conn, row["conversation"])
    whose = conversations.get(conn, row["conversation"])["record"]
    unanswered = 0
    for one in reversed(thread):
        if one["direction"] == "out":
            break
        unanswered += one["id"] != ident
    client = bool(whose) and (unanswered < len(thread) - 1 or conversations.earlier(conn, whose, row["at"]))
    understanding = Understanding.model_validate(row["understanding"])
    return row, understanding, {"client": client, "unanswered": unanswered}


def _answered(desk: Desk, text: str, message: str, reads: tuple[str, ...]) -> Any:
    """The step that looks for what was written to the same question before, as far as the role reads; a fault in
    memory stops no triage."""

    async def step(run: str) -> dict[str, Any]:
        try:
            asked: dict[str, Any] = {"actor": "support_triage", "run": run, "step": "answered before", "reads": reads}
            found = await desk.memory.search(Search(text[:1000], 20, **asked))
        except SoloistError:
            return {"found": [], "withheld": {}}
        ids = [hit["id"] for hit in found.items if found.known]
        withheld = {place: len(refs) for place, refs in found.withheld.items()}
        return {"found": await desk.store.read(lambda conn: _own(conn, ids, message)), "withheld": withheld}

    return step


def _own(conn: Any, idents: list[str], message: str) -> list[dict[str, str]]:
    """Those of the items that are our own words: {id, ref, text}."""
    found: list[dict[str, str]] = []
    for ident in idents:
        row = memories.get(conn, ident)
        if row["actor"] == "you" and row["ref"] != f"message:{message}" and len(found) < BEFORE:
            found.append({"id": ident, "ref": str(row["ref"]), "text": str(row["text"])[:300]})
    return found


def _ordering(desk: Desk, message: str, conversation: str, value: Mapping[str, Any]) -> Any:
    """The step that notes the reasons beside the message and moves the deadline of its card."""

    async def step(run: str) -> dict[str, Any]:
        def work(tx: Tx) -> dict[str, Any]:
            def order() -> dict[str, Any]:
                tasks.annotate(tx, message, KIND, _note(value), actor="support_triage")
                cards = tasks.open_on(tx.conn, conversation, "proposal")
                moved = [card["id"] for card in cards if _moved(tx, card, value)]
                return {"cards": moved}

            return dict(runs.once(tx, run, "order", order, given={"message": message}))

        return await desk.store.write(work)

    return step


def _note(value: Mapping[str, Any]) -> str:
    """The reasons in words."""
    reasons = "\n".join(f"- {one['text']}" for one in value["reasons"])
    said = f"Priority {value['priority']}, urgency: {value['urgency']}."
    before = "".join(f"\nAnswered before: {one['text'][:200]}" for one in value["answered_before"])
    return f"{said}\n{reasons}{before}".strip()


def _moved(tx: Tx, card: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Whether the card now wants a look earlier, or only in a quiet moment; it never interrupts anybody."""
    if value["priority"] == "low" and value["urgency"] == "later":
        tasks.reopen(tx, card["id"], urgency="low")
        return True
    sla = SLA_OF.get(value["urgency"])
    if sla is None:
        return False
    tasks.reopen(tx, card["id"], sla=sla)
    return True


WAY = Way(triage)
