"""What the operator sees of memory: its tiers, whom it is about, items by pages, one item whole; nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from soloist.engine.store import clients, embeddings, holdings, memories, reading, retention
from soloist.engine.store import facts as told
from soloist.engine.store import records as stored
from soloist.engine.store.holdings import Wanted as Wanted
from soloist.engine.store.reading import Connection
from soloist.insight import dealings, names, remembered, views, words
from soloist.kernel.memory import DAY, TIERS
from soloist.stages.memory import retaining

PAGE, PEOPLE, FIRST, FEW = 25, 50, 12, 6
SHORT = 240
"""Characters of an item in a list; the whole of it is on its own page."""
CLIENTS = ("person", "company")
TITLES = {"ephemeral": "Ephemeral", "working": "Working", "session": "Session", "canonical": "Canonical"}
WRITERS = {
    "system": "Soloist itself",
    "agent": "agents",
    "operator": "you",
    "outside": "what comes in from outside",
    "rule": "rules of yours",
}
TRUSTS = {
    "confirmed": ("confirmed", "go"),
    "rule": ("by a rule", ""),
    "unverified": ("not confirmed", "warn"),
}
STATES = {"active": ("in use", "go"), "building": ("being built", "warn"), "retired": ("kept for replays", "")}
ENDS = {"expired": "its time was over", "superseded": "something newer took its place", "erased": "it was erased"}


@dataclass(frozen=True)
class TierLine:
    """One tier: what it is for, how much it holds, how long, who may write it; ``share`` is percent of the items."""

    name: str
    title: str
    rule: str
    items: int
    size: str
    kept: str
    writers: str
    unverified: int
    pinned: int
    over: int
    next: str
    share: int
    href: str


@dataclass(frozen=True)
class Generation:
    """One embedding model: its state in words, how many of the items have its vectors, whether it is being built."""

    id: str
    name: str
    state: str
    tone: str
    vectors: int
    of: int
    hash: str
    at: str
    building: bool

    @property
    def percent(self) -> int:
        """How far it is, 0 to 100."""
        return min(100, self.vectors * 100 // self.of) if self.of else 100


@dataclass(frozen=True)
class ItemLine:
    """One item in a list; ``trust`` in words with its tone, ``whom`` and ``source`` lead elsewhere ("" nowhere)."""

    id: str
    text: str
    tier: str
    kind: str
    trust: str
    tone: str
    at: str
    whom: views.Link
    source: views.Link
    pinned: bool = False
    ended: str = ""
    cut: bool = False

    @property
    def href(self) -> str:
        """Its page."""
        return f"/memory/items/{self.id}"


@dataclass(frozen=True)
class Whom:
    """Somebody or something that is remembered, with how much."""

    title: str
    kind: str
    href: str
    note: str


@dataclass(frozen=True)
class Overview:
    """The first page of memory."""

    tiers: tuple[TierLine, ...]
    items: int
    behind: int
    generations: tuple[Generation, ...]
    whom: tuple[Whom, ...]
    more: bool
    newest: tuple[ItemLine, ...]


@dataclass(frozen=True)
class ItemsPage:
    """Items by pages, with the filter they were chosen by."""

    items: tuple[ItemLine, ...]
    tabs: tuple[views.Tab, ...]
    tier: str
    trust: str
    scope: str
    about: views.Link | None
    trusts: tuple[tuple[str, str], ...]
    scopes: tuple[str, ...]
    next: str = ""


@dataclass(frozen=True)
class WhomPage:
    """Whom memory is about, by name."""

    query: str
    lines: tuple[Whom, ...]
    next: str = ""
    every: bool = False


@dataclass(frozen=True)
class ItemPage:
    """One item whole: where it is from, what was made of it, where it was used, what it replaced, what can be done."""

    line: ItemLine
    text: str
    version: str
    facts: tuple[views.FieldLine, ...]
    came_from: tuple[views.Step, ...]
    led_to: tuple[views.Step, ...]
    used: tuple[views.Step, ...]
    former: tuple[ItemLine, ...]
    newer: str
    acts: tuple[str, ...]
    about: str = ""


@dataclass(frozen=True)
class AboutPage:
    """What is remembered about somebody: facts now, contradicted and past, items by tier, working sessions."""

    record: str
    title: str
    kind: str
    client: str
    held: tuple[tuple[str, tuple[remembered.FactLine, ...]], ...]
    disputed: tuple[remembered.FactLine, ...]
    past: tuple[remembered.FactLine, ...]
    sources: Mapping[str, views.Link]
    tiers: tuple[tuple[str, str, int, tuple[ItemLine, ...]], ...]
    summaries: tuple[remembered.MemoryLine, ...]
    sessions: tuple[remembered.SessionLine, ...]
    outcomes: tuple[Mapping[str, Any], ...]
    merged: str = ""
    attributes: tuple[str, ...] = ()


# ----- the first page


def overview(conn: Connection, now: str, *, behind: int = 0) -> Overview:
    """Everything of the first page; ``behind`` is how many items have no vector yet."""
    held, days = holdings.by_tier(conn, now), lifetimes(conn)
    total = sum(int(row["items"]) for row in held.values())
    people = holdings.whom(conn, kinds=CLIENTS, limit=FIRST + 1)
    return Overview(
        tuple(_tier(name, held.get(name, {}), total, days[f"memory.{name}"]) for name in TIERS),
        total,
        behind,
        tuple(_generations(conn, held)),
        tuple(map(_whom, people[:FIRST])),
        len(people) > FIRST,
        tuple(lines(conn, holdings.items(conn, Wanted(without=("fact",)), now, limit=5))),
    )


def tiers(conn: Connection, now: str) -> tuple[TierLine, ...]:
    """The tiers alone."""
    held, days = holdings.by_tier(conn, now), lifetimes(conn)
    total = sum(int(row["items"]) for row in held.values())
    return tuple(_tier(name, held.get(name, {}), total, days[f"memory.{name}"]) for name in TIERS)


def meant(conn: Connection, name: str) -> list[tuple[str, str]]:
    """(id, title) of the records an id or a name may mean: exactly that title before others that hold it."""
    if found := reading.named(conn, "records", [name]):
        return [(ident, str(row["title"])) for ident, row in found.items()]
    plain = name.replace("\x00", "").strip()
    rows = holdings.whom(conn, text=plain, limit=20) if plain else []
    exact = [row for row in rows if row["title"].casefold() == plain.casefold()]
    people = [row for row in exact or rows if row["kind"] in CLIENTS]
    return [(row["id"], row["title"]) for row in people or exact or rows]


def lifetimes(conn: Connection) -> dict[str, int]:
    """Days that things are kept by the policy in force, by the names of its rules; 0 is for good."""
    row = retention.policy(conn)
    return {**retaining.defaults(), **((row or {}).get("rules") or {})}


def _tier(name: str, row: Mapping[str, Any], total: int, days: int) -> TierLine:
    rule, items = TIERS[name], int(row.get("items", 0))
    return TierLine(
        name,
        TITLES[name],
        rule.rule,
        items,
        size_said(int(row.get("characters", 0) or 0)),
        kept_said(days * DAY),
        ", ".join(WRITERS[who] for who in WRITERS if who in rule.writers),
        int(row.get("unverified", 0)),
        int(row.get("pinned", 0)),
        int(row.get("over", 0)),
        str(row.get("next", "")),
        round(items * 100 / total) if total else 0,
        "/memory/items?" + urlencode({"tier": name}),
    )


def size_said(characters: int) -> str:
    """How much text it is, as a person reads it."""
    if characters < 1000:
        return words.counted(characters, "character")
    return f"{characters / 1000:,.0f} kB" if characters < 1_000_000 else f"{characters / 1_000_000:,.1f} MB"


def kept_said(lifetime: int) -> str:
    """How long a tier is kept."""
    if not lifetime:
        return "for good"
    return words.counted(lifetime // DAY, "day") if lifetime >= DAY else words.lasted(lifetime)


def _generations(conn: Connection, held: Mapping[str, Mapping[str, Any]]) -> Iterator[Generation]:
    """Embedding models, the newest first; progress is over what gets vectors."""
    of = sum(int(held.get(name, {}).get("items", 0)) for name, rule in TIERS.items() if rule.vectors)
    for row in reversed(embeddings.models(conn)):
        state, tone = STATES.get(row["state"], (row["state"], ""))
        over = row["state"] == "retired"
        left = 0 if over else embeddings.behind(conn, row["id"])
        done = max(0, of - left)
        building = row["state"] == "building"
        yield Generation(
            row["id"], row["name"], state, tone, 0 if over else done, of, row["sha256"], row["created"], building
        )


def _whom(row: Mapping[str, Any]) -> Whom:
    parts = [words.counted(row["facts"], "fact")] if row["facts"] else []
    parts += [words.counted(row["items"], "memory", "memories")] if row["items"] else []
    kind = {"person": "Person", "company": "Company"}.get(row["kind"], row["kind"].replace("_", " ").capitalize())
    return Whom(row["title"] or "No name", kind, f"/memory/about/{row['id']}", ", ".join(parts))


def whom(conn: Connection, *, query: str = "", after: str = "", every: bool = False) -> WhomPage:
    """People and companies memory is about, by name, by pages; ``every`` other record too."""
    after = after.replace("\x00", "")
    kinds = () if every else CLIENTS
    text = query.replace("\x00", "")[:200]
    rows = holdings.whom(conn, text=text, kinds=kinds, after=after, limit=PEOPLE + 1)
    shown = rows[:PEOPLE]
    place = f"{shown[-1]['key']}~{shown[-1]['id']}" if shown else ""
    asked = {"q": query, "all": "1" if every else "", "after": place}
    rest = urlencode({name: value for name, value in asked.items() if value})
    link = f"/memory/about?{rest}" if len(rows) > PEOPLE else ""
    return WhomPage(query, tuple(map(_whom, shown)), link, every)


def family(conn: Connection, record: str) -> list[str]:
    """A record and what was merged into it."""
    return clients.with_merged(conn, [record])


OFFERED = ("preference", "contract", "payment terms", "hourly rate", "notice period", "budget", "deadline", "birthday")
"""Names of facts that are offered to somebody who writes one."""


def about(conn: Connection, record: str, now: str) -> AboutPage:
    """What is remembered about a record and what was merged into it (NotFound)."""
    row = stored.get(conn, record)
    known = remembered.about(conn, record, now=now)
    idents = family(conn, record)
    counts = holdings.tiers_of(conn, idents, now)
    facts = (*known.current, *known.disputed, *known.past)
    return AboutPage(
        record,
        row["title"] or "No name",
        row["kind"],
        f"/clients/{record}" if row["kind"] in ("person", "company") else f"/records/{row['kind']}/{record}",
        tuple(dealings.grouped(known.current, whole=True)),
        known.disputed,
        known.past,
        source_links(conn, [{"id": fact.id, "ref": fact.ref} for fact in facts]),
        tuple(_by_tier(conn, idents, counts, now)),
        tuple(dealings.summaries(known)),
        known.sessions,
        known.outcomes,
        row["merged_into"],
        tuple(dict.fromkeys((*OFFERED, *(fact.attribute.lower() for fact in known.current)))),
    )


def whose_fact(conn: Connection, ident: str) -> str:
    """Whom a fact is about (NotFound)."""
    return str(told.get(conn, ident)["record"])


def _by_tier(
    conn: Connection, idents: Sequence[str], counts: Mapping[str, int], now: str
) -> Iterator[tuple[str, str, int, tuple[ItemLine, ...]]]:
    """For each tier that holds something about them: name, title, how many, the newest few that are no facts."""
    for tier in reversed(TITLES):
        if many := counts.get(tier, 0):
            wanted = Wanted(tier, records=tuple(idents), without=("fact", "summary"))
            yield tier, TITLES[tier], many, tuple(lines(conn, holdings.items(conn, wanted, now, limit=FEW)))


# ----- lists


def items(conn: Connection, wanted: Wanted, now: str, *, before: int = 0) -> ItemsPage:
    """Items that last, newest first, by pages."""
    rows = holdings.items(conn, wanted, now, before=before or holdings.NEWEST, limit=PAGE + 1)
    chosen = {"tier": wanted.tier, "trust": wanted.trust, "scope": wanted.scope, "about": "".join(wanted.records[:1])}
    chosen = {name: value for name, value in chosen.items() if value}
    more = "/memory/items?" + urlencode({**chosen, "before": rows[PAGE - 1]["n"]}) if len(rows) > PAGE else ""
    about = reading.named(conn, "records", wanted.records[:1])
    person = next((views.Link(row["title"], f"/memory/about/{ident}") for ident, row in about.items()), None)
    return ItemsPage(
        tuple(lines(conn, rows[:PAGE])),
        tuple(_tabs(chosen)),
        wanted.tier,
        wanted.trust,
        wanted.scope,
        person,
        tuple((name, said) for name, (said, _) in TRUSTS.items()),
        tuple(scope for scope, _ in holdings.by_scope(conn) if scope),
        more,
    )


def _tabs(chosen: Mapping[str, str]) -> Iterator[views.Tab]:
    rest = {name: value for name, value in chosen.items() if name != "tier"}
    for name, title in (("", "All"), *TITLES.items()):
        asked = urlencode({**rest, **({"tier": name} if name else {})})
        yield views.Tab(title, f"/memory/items?{asked}", chosen.get("tier", "") == name)


def lines(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> Iterator[ItemLine]:
    """Items as lines, with the names of whom they are about and links to where they are from."""
    about = reading.named(conn, "records", [row["record"] for row in rows if row["record"]])
    sources = source_links(conn, rows)
    for row in rows:
        trust, tone = TRUSTS.get(row["trust"], (row["trust"], "warn"))
        person = about.get(row["record"])
        text = " ".join(row["text"].split())
        yield ItemLine(
            row["id"],
            text[:SHORT] + (" …" if len(text) > SHORT else ""),
            TITLES.get(row["tier"], row["tier"]),
            row["kind"].replace("_", " "),
            trust,
            tone,
            row["at"] or row["created"],
            views.Link(person["title"], f"/memory/about/{row['record']}") if person else views.Link("", ""),
            sources.get(row["id"], views.Link(row["source"], "")),
            bool(row["pinned"]),
            row["ended_why"] or "ended" if row["ended"] else "",
            len(text) > SHORT,
        )


def source_links(conn: Connection, rows: Iterable[Mapping[str, Any]]) -> dict[str, views.Link]:
    """By the item's or fact's id: the page of what it stands for."""
    wanted = {row["id"]: bare(row["ref"]) for row in rows if row["ref"]}
    known = linked(conn, set(wanted.values()))
    return {ident: known[ref] for ident, ref in wanted.items() if ref in known}


def bare(ref: str) -> str:
    """The id within a reference like "message:ID:2"; what stands before it says what it is of."""
    kind, colon, rest = str(ref).partition(":")
    return (rest if colon else kind).partition(":")[0].partition("#")[0]


def linked(conn: Connection, idents: Iterable[str]) -> dict[str, views.Link]:
    """Pages of objects by their id, whatever they are; what is not there is left out."""
    asked = {ident for ident in idents if ident}
    found = names.of(conn, asked)
    rows = holdings.named(conn, sorted(asked - found.keys()))
    return found | {ident: views.Link(_short(row["text"]), f"/memory/items/{ident}") for ident, row in rows.items()}


def _short(text: str, most: int = 90) -> str:
    plain = " ".join(text.split())
    return plain[:most] + (" …" if len(plain) > most else "")


# ----- one item


def item(conn: Connection, ident: str) -> ItemPage:
    """One item whole, ended or not (NotFound)."""
    row = memories.get(conn, ident)
    (line,) = lines(conn, [row])
    return ItemPage(
        line,
        row["text"],
        row["hash"],
        tuple(_facts(row)),
        tuple(_came_from(conn, row)),
        tuple(_led_to(conn, row)),
        tuple(_used(conn, ident)),
        tuple(lines(conn, holdings.replaced(conn, ident))),
        f"/memory/items/{row['superseded_by']}" if row["superseded_by"] else "",
        acts(row),
        row["record"],
    )


def acts(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What can be done with an item: "confirm", "correct", "pin" or "unpin", "task", "forget", by its affordances."""
    if row["ended"]:
        return ()
    may = remembered.affordances(row)
    settled = row["tier"] == "canonical" and row["trust"] == "confirmed"
    found = ["confirm"] if "promote" in may or not settled else []
    found += ["correct"] if "correct" in may and row["kind"] != "fact" else []
    found += (["unpin"] if row["pinned"] else ["pin"]) if row["tier"] != "ephemeral" else []
    found += ["task"] if "make_task" in may else []
    return (*found, *(["forget"] if "forget" in may else []))


def _facts(row: Mapping[str, Any]) -> Iterator[views.FieldLine]:
    """What is known of an item besides its text."""
    if row["actor"]:
        yield views.FieldLine("Said by", row["actor"])
    yield views.FieldLine("Belongs to", row["scope"] or "the whole house")
    if row["tags"]:
        yield views.FieldLine("Tags", ", ".join(map(str, row["tags"])))
    if row["asset"]:
        span = f", characters {row['span_from']} to {row['span_to']}" if row["span_to"] else ""
        yield views.FieldLine("Document", f"{row['asset'][:23]}{span}")
    if row["thread"]:
        yield views.FieldLine("Place", f"number {row['ordinal']} in its conversation")
    yield views.FieldLine("Used", words.counted(int(row["uses"]), "time") if row["uses"] else "not yet")
    yield views.FieldLine("Content", row["hash"])


def _came_from(conn: Connection, row: Mapping[str, Any]) -> Iterator[views.Step]:
    """The chain backwards: what it stands for, what it was derived from, who wrote it down."""
    origin = {str(one): bare(one) for one in row["origin"] or []}
    known = linked(conn, {*origin.values(), bare(row["ref"])})
    own = known.get(bare(row["ref"]))
    if own or row["ref"] or row["source"]:
        yield views.Step(
            "Source", own.text if own else row["source"] or "no source", row["ref"], own.href if own else ""
        )
    for name, inner in origin.items():
        if (said := _whose(name)) and inner not in known:
            yield views.Step("Rests on", said)
            continue
        found = known.get(inner)
        if found and (not own or found.href != own.href):
            yield views.Step("Derived from", found.text, href=found.href)
        elif not found:
            yield views.Step("Derived from", "something that is no longer there", name)
    if row["run"]:
        yield views.Step("Written by", "a run", row["run"], f"/runs/{row['run']}")
    yield views.Step("In the journal", "the event that wrote it", row["event"], f"/why/{row['event']}")


def _whose(origin: str) -> str:
    """Whose word a source is, "" when it names an object."""
    kind, _, who = origin.partition(":")
    said = {"operator": "your word", "rule": "a rule of yours", "system": "what Soloist did itself"}.get(kind, "")
    return said or (f"words from outside: {who}" if kind == "outside" else "")


def _led_to(conn: Connection, row: Mapping[str, Any]) -> Iterator[views.Step]:
    for one in holdings.derived_from(conn, row):
        if one["table"] == "memories":
            yield views.Step(
                "Memory", _short(one["text"]), "ended" if one["ended"] else "", f"/memory/items/{one['id']}"
            )
        else:
            said = f"{one['attribute'].replace('_', ' ')}: {one['value']}"
            yield views.Step("Fact", said, one["state"], f"/memory/about/{one['record']}#fact-{one['id']}")


def _used(conn: Connection, ident: str) -> Iterator[views.Step]:
    """Decisions and runs that saw it."""
    for row in holdings.used_in(conn, ident):
        if row["proposal"]:
            text, href = names.proposal_title(row), f"/why/{row['proposal']}"
        else:
            text, href = f"a run of {row['flow'] or 'an agent'}", f"/runs/{row['run']}"
        yield views.Step(words_at(row["at"]), text, row["part"], href)


def words_at(instant: str) -> str:
    """The day and minute of an instant, for a label."""
    return instant[:16].replace("T", " ")
