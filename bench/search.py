"""Time of a search over 20,000 messages and 100,000 objects of every sort, and how fast the index takes them in."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from bench import world
from bench.figures import Figure, both
from soloist.app import App
from soloist.engine.store import conversations, memories, records, searching
from soloist.engine.store.tables_memory import facts
from soloist.flows.indexing import Indexing
from soloist.insight import search
from soloist.kernel.memory import NewMemory

MESSAGES, WORDS, LENGTH, AT_ONCE = 20_000, 30_000, 120, 500
QUERIES = 400
OTHERS = {"memory": 66_000, "facts": 10_000, "appointments": 2_000, "documents": 2_000}
"""With the messages 100,000 objects; what is remembered is short, a document has a summary."""
SYLLABLES = "ka lo mi ten var ber stu dio wer ing haus ter ma so ple gen tra ver lich ung able web des auf trag".split()


def run() -> list[Figure]:
    """A mailbox of made-up words as often as words are in a language, then what people type."""
    with world.home() as app:
        return asyncio.run(_measure(app))


async def _measure(app: App) -> list[Figure]:
    """Fill, index, ask."""
    chance = random.Random(7)
    known = [
        "".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) + str(n % 10) * (n % 3 == 0) for n in range(WORDS)
    ]
    weights = [1 / (n + 3) for n in range(WORDS)]
    texts = [chance.choices(known, weights, k=LENGTH) for _ in range(MESSAGES)]
    for start in range(0, MESSAGES, AT_ONCE):
        some = range(start, start + AT_ONCE)
        await app.store.write(lambda tx, some=some: _fill(tx, some, texts), full=False)
    begun = time.perf_counter()
    while await Indexing(app.store).turn():
        pass
    rate = MESSAGES / (time.perf_counter() - begun)
    spent = [_ask(app, query) for query in _queries(chance, known, texts)]
    whole = await app.store.read(lambda conn: searching.behind(conn) == 0)
    note = f"{MESSAGES:,} messages of {LENGTH} words" + ("" if whole else "; NOT ALL INDEXED")
    figures = [Figure("messages indexed a second", rate, "messages/s", "> 100", note)]
    figures += both("search, all groups", [wall for wall, _ in spent], p50="< 50", p95="< 50")
    figures += both("the same in CPU", [cpu for _, cpu in spent], p95="< 50")
    return [*figures, *await _everything(app, chance, known, texts)]


async def _everything(app: App, chance: random.Random, known: list[str], texts: list[list[str]]) -> list[Figure]:
    """The same questions when memory, facts, appointments and documents are there too."""
    for sort, many in OTHERS.items():
        for start in range(0, many, AT_ONCE):
            some = [texts[(start + n) * 7 % MESSAGES] for n in range(min(AT_ONCE, many - start))]
            await app.store.write(lambda tx, sort=sort, some=some: _ADD[sort](tx, some), full=False)
    begun = time.perf_counter()
    while await Indexing(app.store).turn():
        pass
    rate = sum(OTHERS.values()) / (time.perf_counter() - begun)
    spent = [_ask(app, query) for query in _queries(chance, known, texts)]
    slow, cpu = (sorted(one[k] for one in spent)[int(len(spent) * 0.99)] for k in (0, 1))
    note = f"{MESSAGES + sum(OTHERS.values()):,} objects"
    figures = [Figure("other objects indexed a second", rate, "objects/s", "> 1000", note)]
    figures += both("search box, every group", [wall for wall, _ in spent], p50="< 50", p95="< 100")
    figures.append(Figure("search box, every group p99", slow, "ms", "< 100", note))
    return [*figures, Figure("the same in CPU, p99", cpu, "ms", "< 100", note)]


def _memory(tx: Any, some: list[list[str]]) -> None:
    items = [NewMemory(" ".join(text[:30]), source="made up", actor=text[0]) for text in some]
    memories.add(tx, items, actor="soloist")


def _facts(tx: Any, some: list[list[str]]) -> None:
    """Fifty about each of some people, written straight, since weighing them is measured elsewhere."""
    for start in range(0, len(some), 50):
        who = records.create(tx, "person", " ".join(some[start][:2]), {}, why="made up")
        event = tx.append("fact.stated", subject=who, payload={"fact": ""}, actor="soloist")
        row = {"record": who, "state": "held", "trust": "unverified", "confidence": "read", "event": event.id}
        rows = [
            {**row, "id": tx.new_id(), "attribute": text[0], "value": " ".join(text[1:6]), "created": tx.now}
            for text in some[start : start + 50]
        ]
        tx.run(facts.insert(), rows)


def _appointments(tx: Any, some: list[list[str]]) -> None:
    for text in some:
        body = {"subject": " ".join(text[:5]), "begins": "2026-12-01T09:00:00Z", "note": " ".join(text[5:25])}
        records.create(tx, "appointment", body["subject"], body, why="made up")


def _documents(tx: Any, some: list[list[str]]) -> None:
    for text in some:
        body = {"name": " ".join(text[:4]), "summary": " ".join(text)}
        records.create(tx, "document", body["name"], body, why="made up")


_ADD = {"memory": _memory, "facts": _facts, "appointments": _appointments, "documents": _documents}


def _fill(tx: Any, some: range, texts: list[list[str]]) -> None:
    """Messages of the last two years, ten on a conversation."""
    for n in some:
        if n % 10 == 0:
            _fill.conversation = conversations.open_new(tx, "mail", "made up")  # type: ignore[attr-defined]
        event = tx.append("mail.seen", source="mail", actor="outside")
        day, text = n % 700, " ".join(texts[n])
        row = {
            "conversation": _fill.conversation,  # type: ignore[attr-defined]
            "event": event.id,
            "direction": "in" if n % 3 else "out",
            "sender": f"{texts[n][0]}@{texts[n][1]}.example",
            "subject": " ".join(texts[n][:6]),
            "text": text,
            "at": f"{2025 + day // 350}-{1 + day % 350 // 30:02}-{1 + day % 28:02}T08:00:00.{n:06}Z",
        }
        conversations.add_past(tx, row)


def _queries(chance: random.Random, known: list[str], texts: list[list[str]]) -> list[str]:
    """Frequent words and rare ones, two words, phrases, beginnings of words, and what nobody wrote."""
    found = []
    for n in range(QUERIES):
        text = chance.choice(texts)
        at = chance.randrange(LENGTH - 3)
        found.append(
            [
                known[n % 40],
                chance.choice(text),
                f"{text[at]} {text[at + 1]}",
                f'"{text[at]} {text[at + 1]}"',
                text[at][:3],
                text[at][:2],
                f"{known[n % 5]} {known[n % 7]} {text[at][:2]}",
                "nobody wrote this",
            ][n % 8]
        )
    return found


def _ask(app: App, query: str) -> tuple[float, float]:
    """Milliseconds of one search with everything that the page shows, by the clock and of this thread's CPU."""
    begun, cpu = time.perf_counter(), time.thread_time()
    app.store.read_now(lambda conn: search.page(conn, query))
    return (time.perf_counter() - begun) * 1e3, (time.thread_time() - cpu) * 1e3
