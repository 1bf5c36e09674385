"""Owing: what a client, or everybody, still owes on open invoices; figures of the records, and no word goes out."""

from __future__ import annotations

from collections import Counter
from typing import Any

from soloist.engine.store import bills, records, relations
from soloist.flows.desk import Desk
from soloist.flows.giving import Done, Way
from soloist.insight import words
from soloist.kernel import bills as rules
from soloist.kernel.agent import AgentSpec
from soloist.kernel.errors import BadInput
from soloist.kernel.work import WorkItem
from soloist.sdk.flow import Verbs

MOST = 200
"""Invoices that are listed."""


async def owe(desk: Desk, do: Verbs, item: WorkItem) -> Done:
    """The billing role's way when it is asked: {client?}."""
    if item.input.get("message"):
        told = "input: messages reach billing by themselves; ask for a client, or for everybody. Nothing was begun."
        raise BadInput(told, field="input")
    spec, client = desk.runtime.roster.working(item.agent), str(item.input.get("client") or "")

    async def step(_run: str) -> dict[str, Any]:
        return await desk.store.read(lambda conn: owed(conn, spec, client))

    found = await do.step("count", step)
    return Done(found["said"], {"invoices": found["invoices"]})


def owed(conn: Any, spec: AgentSpec, client: str) -> dict[str, Any]:
    """Open invoices of ours: {said, invoices: [{text, due, record}]}; ``client`` "" for everybody's."""
    whose = _family(conn, client) if client else None
    rows = [spec.sees(row) for row in bills.invoices(conn, received=False, states=bills.OPEN_OWN)]
    paid = bills.payments(conn, states=("received",), loose=False)
    left = {row["id"]: rules.left(row, paid) for row in rows}
    mine = [row for row in rows if left[row["id"]] > 0 and (whose is None or row["body"].get("client") in whose)]
    sums: Counter[str] = Counter()
    for row in mine:
        sums[rules.money_of(row)[1]] += left[row["id"]]
    name = str(records.get(conn, client)["title"]) if client else "Your clients"
    owes = "owes" if client else "owe"
    if not mine:
        return {"said": f"{name} {owes} you nothing on any open invoice.", "invoices": []}
    total = ", ".join(words.money(minor, currency) for currency, minor in sorted(sums.items()))
    mine.sort(key=lambda row: (str(row["body"].get("due") or "9"), str(row["id"])))
    return {
        "said": f"{name} {owes} you {total} on {words.counted(len(mine), 'open invoice')}.",
        "invoices": [
            {
                "text": f"{row['body'].get('number')}: {words.money(left[row['id']], rules.money_of(row)[1])}",
                "due": str(row["body"].get("due") or ""),
                "record": row["id"],
            }
            for row in mine[:MOST]
        ],
    }


def _family(conn: Any, client: str) -> frozenset[str]:
    """A person and their company, or a company and its people: an invoice may name either."""
    row = records.get(conn, client)
    company = str(row["body"].get("company") or "")
    people = relations.about(conn, client, role="company", kind="person") if row["kind"] == "company" else []
    return frozenset({client, company, *(str(one["id"]) for one in people)}) - {""}


WAY = Way(owe)
