"""Tables, client pages and search say the same on both stores."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.engine.store import conversations, records, searching, tables, tabling, tasks
from soloist.engine.store.store import Store
from soloist.engine.store.tabling import Asked
from soloist.insight import client, search
from soloist.insight import records as shown

NOW = "2026-11-21T09:00:00.000000Z"
COLUMNS = ("emails", "company_name")


def fill(tx: Any) -> str:
    """Ada of a company, with everything that a client's page shows; other people beside her. Her company's id."""
    company = records.create(tx, "company", "Okafor Ceramics", {"domain": "okafor.example"}, why="t")
    body = {"emails": ["ada@okafor.example"], "company": company, "company_name": "Okafor", "seats": 3, "none": None}
    ada = records.create(tx, "person", "Ada", body, why="t")
    thread = conversations.open_new(tx, "mail", "shop")
    conversations.assign(tx, thread, ada)
    file = {"name": "a.pdf", "mime": "application/pdf", "size": 7, "part": 1}
    base = {"conversation": thread, "sender": "ada@okafor.example", "text": "A shop, please.", "at": NOW}
    event = tx.append("mail.seen", actor="outside")
    said = {**base, "event": event.id, "direction": "in", "attachments": [file], "subject": "Shop", "asset": "x"}
    conversations.add(tx, said)
    conversations.add(
        tx, {**base, "event": "", "direction": "out", "recipients": ["ada@okafor.example"], "attachments": []}
    )
    records.create(tx, "lead", "Shop", {"person": ada, "company": company, "verdict": "fits"}, state="new", why="t")
    tasks.open_card(tx, "card", "question", "What is it?", conversation=thread)
    row = {"state": "waiting", "conversation": thread, "connector": "mail", "operation": "mail.send", "payload": {}}
    tx.run(tables.proposals.insert(), {**row, "id": "p1", "created": tx.now, "payload": {"to": ["a"], "subject": "Re"}})
    late = {"id": "e1", "proposal": "p1", "group": "all", "late": {"reason": "unknown user"}}
    tx.run(tables.effects.insert(), {**late, "updated": tx.now})
    tx.run(tables.effects.insert(), {**late, "group": "b", "id": "e2", "late": None, "updated": tx.now})
    tx.run(
        tables.runs.insert(), {"id": "f1", "flow": "followup", "subject": thread, "state": "waiting", "started": NOW}
    )
    for name in ("bob", "Cleo", "Änne", "100%"):
        records.create(tx, "person", name, {"emails": [f"{name}@x.example"]}, why="t")
    return company


def test_a_company_page_is_full(store: Store) -> None:
    company = store.write_now(fill)
    page = store.read_now(lambda c: client.page(c, company, follow_up=60.0))
    parts = ("people", "intents", "cards", "proposals", "follow_ups", "returned", "documents", "history")
    assert {part: len(getattr(page, part)) for part in parts} == dict.fromkeys(parts, 1)
    assert [said.out for said in page.timeline] in ([True, False], [False, True])
    assert page.counted == "2 messages: 1 came, 1 went out, the first on 2026-11-21"
    assert page.follow_ups[0].at == "2026-11-21T09:01:00.000000Z"


def paged(store: Store, asked: Asked) -> list[str]:
    """Titles of all rows, two at a time."""
    found: list[str] = []
    after: tuple[str, str] | None = None
    while rows := store.read_now(lambda c, a=after: tabling.rows(c, asked, after=a, limit=2)):  # type: ignore[misc]
        found += [row["title"] for row in rows]
        after = (rows[-1]["key"], rows[-1]["id"])
    return found


@pytest.mark.parametrize("sort", ["title", "emails", "company_name", "updated", "created", "state"])
@pytest.mark.parametrize("down", [True, False])
def test_a_table_by_pages_in_every_order(store: Store, sort: str, down: bool) -> None:
    store.write_now(fill)
    found = paged(store, Asked("person", "", "", sort, down, COLUMNS))
    assert sorted(found) == sorted(["Ada", "bob", "Cleo", "Änne", "100%"])
    if sort == "title":
        assert [t for t in found if t in ("Ada", "bob", "Cleo")] == ["Cleo", "bob", "Ada"][:: 1 if down else -1]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("OKAFOR", ["Ada"]),
        ("änne", ["Änne"]),
        ("100%", ["100%"]),
        ("@x.", ["100%", "Cleo", "bob", "Änne"]),
        ("seats", []),
    ],
)
def test_a_filter_looks_at_what_the_cells_show(store: Store, text: str, titles: list[str]) -> None:
    store.write_now(fill)
    assert sorted(paged(store, Asked("person", text, columns=COLUMNS))) == titles
    assert store.read_now(lambda c: tabling.states(c, Asked("person", text, columns=COLUMNS))) == (
        {"": len(titles)} if titles else {}
    )


def test_the_csv_and_its_table(store: Store) -> None:
    store.write_now(fill)
    page = store.read_now(lambda c: shown.page(c, kind="person", sort="company_name", query="o\x00k"))
    text = store.read_now(lambda c: "".join(shown.csv_pieces(c, "person", sort="company_name", query="o\x00k")))
    assert text.count("\r\n") == len(page.rows) + 1 == 2


def test_a_search_finds_all_groups(store: Store) -> None:
    store.write_now(fill)
    while turn := store.read_now(lambda c: searching.gather(c, NOW)):
        store.write_now(lambda tx, t=turn: searching.keep(tx, t))  # type: ignore[misc]
    page = store.read_now(lambda c: search.page(c, "sho"))
    assert [(group.name, group.total) for group in page.groups] == [("leads", 1), ("messages", 1)]
    assert store.read_now(lambda c: search.page(c, "sho", only="messages", before=1)).groups == ()
