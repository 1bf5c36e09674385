"""One page for each client: what hangs on a person, on a company and its people; 2,000 messages by pages."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from soloist.engine.store import conversations, records, runs, tables
from soloist.flows import noting
from soloist.flows.indexing import Indexing
from soloist.insight import client, search
from soloist.kernel.errors import BadInput, NotFound

DAYS = 4 * 86400.0


def look(app, ident, **more):
    return app.store.read_now(lambda c: client.page(c, ident, **more))


@pytest.fixture
async def ada(app, reply):
    """Ada of Okafor Ceramics: {person, company, ...reply}, the conversation is hers."""

    def work(tx):
        company = records.create(tx, "company", "Okafor Ceramics", {"domain": "okafor-ceramics.example"}, why="test")
        body = {"name": "Ada Okafor", "emails": ["ada@okafor-ceramics.example"], "phones": ["+49405550177"]}
        body |= {"company": company, "company_name": "Okafor Ceramics", "language": "en"}
        person = records.create(tx, "person", "Ada Okafor", body, why="first message from this address")
        conversations.assign(tx, reply["conversation"], person)
        return {"person": person, "company": company}

    return {**reply, **await app.store.write(work)}


async def test_a_person_with_what_waits(app, ada):
    page = look(app, ada["person"])
    assert (page.title, page.kind) == ("Ada Okafor", "person")
    assert [(f.label, f.value) for f in page.facts] == [
        ("Company", "Okafor Ceramics"),
        ("Address", "ada@okafor-ceramics.example"),
        ("Phone", "+49405550177"),
        ("Language", "en"),
        ("Value", "open cards: EUR 4,500"),
    ]
    assert page.facts[0].href == f"/clients/{ada['company']}"
    assert [(c.text, c.href) for c in page.cards] == [("Reply to Ada Okafor: New shop", f"/?card={ada['card']}")]
    assert page.proposals == ()
    assert page.counted.startswith("1 message: 1 came, 0 went out")
    (said,) = page.timeline
    assert (said.subject, said.text, said.out, said.files) == ("New shop", "Can you build it?", False, ("pieces.pdf",))
    assert [(d.name, d.href) for d in page.documents] == [("pieces.pdf", "")]


async def test_a_company_gathers_its_people(app, ada):
    page = look(app, ada["company"])
    assert [(p.text, p.href) for p in page.people] == [("Ada Okafor", f"/clients/{ada['person']}")]
    assert (len(page.timeline), len(page.cards), len(page.documents)) == (1, 1, 1)


async def test_enquiries_follow_ups_and_what_came_back(app, ada):
    budget = {"low": {"minor": 300000, "currency": "EUR"}, "high": {"minor": 400000, "currency": "EUR"}}

    def work(tx):
        body = {"person": ada["person"], "verdict": "fits", "budgets": [budget]}
        records.create(tx, "lead", "New shop", body, state="answered", why="test")
        tx.start("followup:m1", "followup", "m1", subject=ada["conversation"])
        runs.begin(tx, "followup:m1")
        row = {
            "id": "e1",
            "proposal": ada["id"],
            "group": "all",
            "late": {"reason": "mailbox full", "permanent": False},
        }
        tx.run(tables.effects.insert(), {**row, "updated": tx.now})

    await app.store.write(work)
    page = look(app, ada["person"], follow_up=DAYS)
    assert [(i.text, i.note) for i in page.intents] == [("New shop", "answered, fits")]
    assert page.facts[-1].value == "budgets they named: EUR 4,000"
    (follow_up,) = page.follow_ups
    started = app.store.read_now(lambda c: runs.get(c, "followup:m1"))["started"]
    assert (follow_up.text, follow_up.at > started) == ("new shop", True)
    assert [(r.note, r.tone) for r in page.returned] == [("mailbox full", "bad")]


async def test_two_thousand_messages_come_by_pages_each_once(app, ada):
    def many(tx):
        for n in range(2000):
            at = f"2026-0{1 + n % 9}-{1 + n % 28:02}T08:00:00.{n % 50:06}Z"
            row = {
                "conversation": ada["conversation"],
                "event": "",
                "direction": "in",
                "subject": f"no {n}",
                "text": "x",
            }
            tx.run(tables.messages.insert(), {**row, "id": tx.new_id(), "at": at})

    await app.store.write(many)
    seen, before, pages = [], "", 0
    while pages < 200:
        page = look(app, ada["person"], before=before)
        seen += page.timeline
        pages += 1
        if not page.next:
            break
        before = parse_qs(urlsplit(page.next).query)["before"][0]
    assert (len(seen), len({s.id for s in seen}), pages) == (2001, 2001, 81)
    assert [s.at for s in seen] == sorted((s.at for s in seen), reverse=True)


async def test_a_long_message_is_cut_and_says_so(app, ada):
    spans = [{"text": "We need a shop.", "start": 0, "end": 15}]
    long = "We need a shop. " * 500
    row = {"conversation": ada["conversation"], "event": "", "direction": "in", "text": long, "summary": spans}
    await app.store.write(lambda tx: conversations.add(tx, {**row, "at": tx.now}))
    said = look(app, ada["person"]).timeline[0]
    assert (said.cut, len(said.text), said.summary) == (True, client.LONG, ("We need a shop.",))
    assert said.line.endswith(" …")


async def test_a_note_is_kept_once_and_can_be_found(app, ada):
    for _ in range(2):
        await noting.add(app.store, ada["person"], "  Prefers phone calls. ", who="operator")
    assert [(n.text, n.who) for n in look(app, ada["person"]).notes] == [("Prefers phone calls.", "You")]
    await Indexing(app.store).catch_up(10)
    found = app.store.read_now(lambda c: search.page(c, "prefers phone"))
    assert [g.name for g in found.groups] == ["people"]


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4001])
async def test_an_empty_or_endless_note_is_refused(app, ada, text):
    with pytest.raises(BadInput, match="nothing was kept"):
        await noting.add(app.store, ada["person"], text, who="operator")


async def test_what_is_no_client_has_no_page(app):
    lead = await app.store.write(lambda tx: records.create(tx, "lead", "A shop", {}, why="test"))
    with pytest.raises(NotFound, match="not a person or a company"):
        look(app, lead)
    with pytest.raises(NotFound):
        look(app, "nobody")
    with pytest.raises(NotFound):
        await noting.add(app.store, "nobody", "hello", who="operator")


@pytest.mark.parametrize(("size", "said"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "2 kB"), (2_340_000, "2.3 MB")])
def test_sizes_are_said_in_words(size, said):
    assert client.bytes_said(size) == said
