"""Search as a page: groups, marked words, pages of one group; markup in what was found stays text."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from soloist.engine.store import facts, memories, records
from soloist.engine.store.searching import parsed
from soloist.flows.indexing import Indexing
from soloist.insight import search
from soloist.kernel.fact import NewFact
from soloist.kernel.memory import NewMemory
from tests.insight.conftest import add_message


@pytest.fixture
async def ask(app):
    async def asked(text, **more):
        await Indexing(app.store).catch_up(10)
        return app.store.read_now(lambda c: search.page(c, text, **more))

    return asked


def text_of(pieces):
    return "".join(f"[{p.text}]" if p.op == "hit" else p.text for p in pieces)


async def test_what_fits_comes_in_groups(app, reply, ask):
    body = {"name": "Ada Okafor", "emails": ["ada@okafor-ceramics.example"]}
    person = await app.store.write(lambda tx: records.create(tx, "person", "Ada Okafor", body, why="test"))
    page = await ask("okafor")
    assert [(g.title, g.total) for g in page.groups] == [("People", 1), ("Messages", 1), ("Cards", 1)]
    people, messages, cards = (g.hits[0] for g in page.groups)
    assert (people.href, text_of(people.title)) == (f"/clients/{person}", "Ada [Okafor]")
    assert (messages.href, cards.href) == (f"/why/{reply['message']}", f"/cards/{reply['card']}")
    assert page.behind == 0


async def test_only_own_words_of_a_message_are_found(app, reply, ask):
    assert (await ask("build it")).groups[0].name == "messages"
    assert (await ask("earlier words")).groups == ()


async def test_a_title_that_fits_comes_before_a_newer_row(app, ask):
    for name, note in (("Ada Okafor", ""), ("Jonas", "sent by Okafor")):
        await app.store.write(lambda tx, n=name, t=note: records.create(tx, "person", n, {"note": t}, why="test"))
    assert [text_of(h.title) for h in (await ask("okafor")).groups[0].hits] == ["Ada [Okafor]", "Jonas"]


async def test_one_group_by_pages(app, ask):
    def many(tx):
        for n in range(70):
            add_message(tx, subject=f"site {n}", event=tx.append("mail.seen", actor="outside").id, understanding=None)

    await app.store.write(many)
    first = (await ask("site")).groups[0]
    assert (len(first.hits), first.total) == (search.FEW, 70)
    link = parse_qs(urlsplit(first.more).query)
    some = (await ask(link["q"][0], only=link["in"][0])).groups[0]
    rest = parse_qs(urlsplit(some.more).query)
    last = (await ask("site", only="messages", before=int(rest["before"][0]))).groups[0]
    hrefs = {h.href for h in (*some.hits, *last.hits)}
    assert (len(some.hits), len(last.hits), len(hrefs), last.more) == (50, 20, 70, "")


MARKED = [
    ("Töpferei und Straße", "topf strasse", "Töpferei und [Straße]"),
    ("Töpferei", "topf", "[Töpferei]"),
    ("a <b>shop</b>", "shop", "a <b>[shop]</b>"),
    ("nothing here", "else", "nothing here"),
]


@pytest.mark.parametrize(("text", "query", "shown"), MARKED)
def test_matched_words_are_marked(text, query, shown):
    assert text_of(search.marked(text, parsed(query))) == shown


def test_a_long_text_is_shown_around_its_first_match():
    text = "word " * 200 + "needle " + "tail " * 200
    shown = text_of(search.around(text, parsed("needle")))
    assert shown.startswith("… word")
    assert "[needle] tail" in shown
    assert shown.endswith(" …")
    assert len(shown) < search.BEFORE + search.AFTER + 20


async def test_memory_and_facts_are_found_until_they_end(app, ask):
    ada = await app.store.write(lambda tx: records.create(tx, "person", "Ada Okafor", {}, why="test"))
    told = NewFact(ada, "preference", "calls before noon", quote="I like calls in the morning", actor="ada")
    fact = await app.store.write(lambda tx: facts.state(tx, told))
    items = [NewMemory("The glaze is cobalt."), NewMemory("cobalt", kind="message"), NewMemory("cobalt", "ephemeral")]
    (item, _, _) = await app.store.write(lambda tx: memories.add(tx, items, actor="operator"))
    (group,) = (await ask("cobalt")).groups
    assert (group.name, [hit.href for hit in group.hits]) == ("memory", [f"/memory/items/{item}"])
    facts_found = (await ask("ada noon")).groups[0]
    assert facts_found.hits[0].href == f"/memory/about/{ada}#fact-{fact.id}"
    assert text_of(facts_found.hits[0].title) == "[Ada] Okafor: preference calls before [noon]"
    await app.store.write(lambda tx: memories.end(tx, [item], why="wrong", actor="operator"))
    await app.store.write(lambda tx: facts.end(tx, fact.id, why="wrong", actor="operator"))
    assert (await ask("cobalt")).groups == (await ask("noon")).groups == ()


async def test_a_large_write_of_memory_comes_in_several_turns(app, ask):
    for _ in range(3):
        many = [NewMemory(f"porcelain {n}") for n in range(1500)]
        await app.store.write(lambda tx, many=many: memories.add(tx, many, actor="operator"))
    page = await ask("porcelain")
    assert (page.groups[0].total, page.behind) == (1000, 0)


async def test_nothing_found_says_what_to_try(app, reply, ask):
    page = await ask('"build castle"')
    assert page.groups == ()
    assert [link.text for link in page.tries] == ["The same words in any order", "Only build", TRY_MEMORY]
    assert (await ask("qqqqqq")).tries[-1].href == "/memory/ask?q=qqqqqq"
    assert (await ask("")).tries == ()


TRY_MEMORY = "Ask memory, which also finds what is meant"


async def test_appointments_documents_and_files_are_found(app, ask):
    body = {"subject": "Glaze review", "begins": "2026-12-01T09:00:00Z"}
    await app.store.write(lambda tx: records.create(tx, "appointment", "Glaze review", body, why="test"))
    await app.store.write(lambda tx: records.create(tx, "document", "Glaze list", {"name": "Glaze list"}, why="test"))
    file = [{"name": "glaze.pdf"}]
    await app.store.write(lambda tx: add_message(tx, attachments=file, understanding=None))
    assert [g.name for g in (await ask("glaze")).groups] == ["appointments", "documents", "messages"]
