"""Taking over: a file from elsewhere is read, mapped, tried, looked through, taken over in small steps, and undone.

An import moves along: reading, mapping, checking, review, taking, done; or undoing, undone; or failed. Each step begins
again where it stopped: what became of a row stands in its row, written in the transaction that did it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from soloist.engine import failpoint
from soloist.engine.store import assets, imports, kinds, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows import import_maps, import_rows, import_taking, import_values
from soloist.flows.desk import Desk
from soloist.kernel.errors import BadInput, Conflict, SoloistError, TooLarge
from soloist.kernel.ids import derived
from soloist.kernel.kind import Kind
from soloist.kernel.origin import OUTSIDE
from soloist.sdk.flow import Flow, Verbs

SUBJECT = "import"
BATCH = 25
"""Rows of one transaction: so few that what else is to be written waits a fraction of a second."""
AT_ONCE = 100
"""Rows that are tried in one transaction."""
READ_WITHIN = 120.0
MOST_BYTES = 30 * 1024 * 1024
"""The largest file of rows; a mailbox may be larger."""
DAY = 86400.0
OPEN = ("new", "same", "change", "review")
DONE = ("made", "filled", "known", "left")
CHOICES = ("keep", "take", "new", "leave")
"""What can be done with a row that has to be looked at: fill only what is empty, take the file's values, make a record
of its own, leave the row out. Where nothing was said, what is empty is filled, and whoever may be somebody else becomes
a record of their own, unless the row says nothing that is not known."""
SAID = {
    "new": "new",
    "change": "would add to what is known",
    "same": "known already",
    "review": "to look at",
    "unreadable": "unreadable",
    "lacking": "without what is needed",
    "empty": "empty",
    "made": "made",
    "filled": "added to",
    "known": "known already",
    "left": "left out",
    "undone": "taken back",
    "kept": "changed since and left",
}
"""What became of rows, in words."""


def importing(desk: Desk) -> Flow:
    """One step of an import: "read", "check", "take" or "undo", then its id."""
    worker = Importing(desk)

    async def body(do: Verbs, value: str) -> None:
        step, _, ident = value.partition(":")
        await do.step(step, worker.step, ident, step)

    return Flow("importing", body)


class Importing:
    """Imports of one home. The steps may run in any process; two at once do nothing twice."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process; the card of an import is decided here."""
        self._desk, self._store = desk, desk.store
        desk.takers[SUBJECT] = self.decide_in

    # ----- beginning

    async def begin(self, name: str, data: bytes, *, kind: str = "", who: str, run: bool = True) -> str:
        """Keep a file and have it read; ``run`` has the server do it. The id (BadInput, TooLarge)."""
        if len(data) > MOST_BYTES:
            most = MOST_BYTES // (1024 * 1024)
            raise TooLarge(f"{name}: at most {most} MB of rows at once; split the file.", field="file")
        if not data.strip():
            raise BadInput(f"{name}: the file is empty. Nothing was taken over.", field="file")
        path = assets.write_file(self._desk.home.assets, data)

        def work(tx: Tx) -> str:
            digest = assets.keep(tx, data, "application/octet-stream", path, origin=OUTSIDE)
            values = {"state": "reading", "format": "", "kind": kind, "name": name[-120:], "asset": digest}
            ident = imports.create(tx, values, who=who)
            if run:
                self._run(tx, "read", ident)
            return ident

        return await self._store.write(work)

    @staticmethod
    def _run(tx: Tx, step: str, ident: str) -> None:
        tx.start(f"importing:{ident}:{step}:{tx.now}", "importing", f"{step}:{ident}", subject=ident)

    async def step(self, run: str, ident: str, step: str) -> dict[str, Any]:
        """One step to its end; a file at fault ends the import with the reason, never the run."""
        work = {"read": self.read, "check": self.check, "take": self.work, "undo": self.unwork}[step]
        try:
            await work(ident)
            if step == "read" and run:
                await self._store.write(lambda tx: self._go_on_known(tx, ident))
        except Conflict as error:
            return {"state": "elsewhere", "why": error.detail}
        except (BadInput, TooLarge) as error:
            await self._fail(ident, error)
        return await self._store.read(lambda conn: {"state": imports.get(conn, ident)["state"]})

    def _go_on_known(self, tx: Tx, ident: str) -> None:
        """A file whose columns are known is tried without asking: nothing is written by that."""
        row = imports.get(tx.conn, ident)
        mapping = row["mapping"]
        if row["state"] == "mapping" and mapping["fields"] and (mapping["source"] or mapping.get("remembered")):
            imports.move(tx, ident, ("mapping",), "checking")
            self._run(tx, "check", ident)

    async def _fail(self, ident: str, error: SoloistError) -> None:
        def work(tx: Tx) -> None:
            imports.move(tx, ident, ("reading", "checking"), "failed", report={"why": error.detail})

        await self._store.write(work)

    # ----- reading and mapping

    async def read(self, ident: str) -> None:
        """The file as rows, and a proposal for what its columns mean."""
        row = await self._store.read(lambda conn: imports.get(conn, ident))
        raw = await self._store.read(lambda conn: assets.load(conn, self._desk.home.assets, row["asset"]))
        given = {"zone": self._desk.settings.business.timezone, "sheet": (row["mapping"] or {}).get("sheet", "")}
        self._desk.runtime.roster.under("crm_keeper", "read_import")
        (found,) = await self._desk.intake.ask_many("read_import", [given], [raw], timeout=READ_WITHIN)
        if isinstance(found, SoloistError):
            raise BadInput(f"{row['name']}: {found.detail}", field="file") from found

        def begin(tx: Tx) -> None:
            imports.hold(tx, ident, "reading")
            imports.clear_rows(tx, ident)

        await self._store.write(begin)
        lines = [{"n": n, "given": one, "outcome": "read"} for n, one in enumerate(found["rows"], 1)]
        start = len(lines) + 1
        lines += [
            {"n": n, "given": {"line": one["line"], "raw": one["raw"]}, "outcome": "unreadable", "match": one["why"]}
            for n, one in enumerate(found["faults"], start)
        ]
        for place in range(0, len(lines), 1000):
            part = lines[place : place + 1000]
            await self._store.write(partial(imports.put_rows, ident=ident, rows=part), full=False)

        def work(tx: Tx) -> None:
            kind, mapping = _proposed(tx.conn, row, found)
            counts = imports.counts(tx.conn, ident)
            imports.move(
                tx, ident, ("reading",), "mapping", format=found["format"], kind=kind, mapping=mapping, counts=counts
            )

        await self._store.write(work)

    async def map(self, ident: str, kind: str, columns: Mapping[str, str], *, who: str, run: bool = True) -> None:
        """Which column leads to which field ("" for none), said by a person; then the dry run begins (BadInput)."""

        def work(tx: Tx) -> None:
            row = imports.hold(tx, ident, "mapping", "review")
            known = kinds_of(tx.conn)
            if kind not in known:
                raise BadInput(f"kind: one of {', '.join(sorted(known))}, not {kind[:40]!r}.", field="kind")
            wanted = _columns(row["mapping"]["columns"], columns, import_maps.targets(known[kind]))
            self._withdraw(tx, ident, "the columns were changed")
            before = row["mapping"]
            mapping = {**before, "fields": wanted}
            if before.get("chosen") or kind != row["kind"] or wanted != before["fields"]:
                mapping["chosen"] = True
                mapping["remembered"] = before.get("remembered") if wanted == before["fields"] else None
            imports.move(tx, ident, ("mapping", "review"), "checking", who=who, kind=kind, mapping=mapping)
            if run:
                self._run(tx, "check", ident)

        await self._store.write(work)

    async def sheet(self, ident: str, sheet: str, *, who: str, run: bool = True) -> None:
        """Another sheet of a spreadsheet is read instead (BadInput names those there are)."""

        def work(tx: Tx) -> None:
            row = imports.hold(tx, ident, "mapping", "review")
            there = row["mapping"].get("sheets") or []
            if sheet not in there:
                known = f"There are: {', '.join(there)}." if there else "This file has none."
                raise BadInput(f"sheet: there is no sheet {sheet[:60]!r}. {known}", field="sheet")
            self._withdraw(tx, ident, "another sheet was chosen")
            imports.move(tx, ident, ("mapping", "review"), "reading", who=who, kind="", mapping={"sheet": sheet})
            if run:
                self._run(tx, "read", ident)

        await self._store.write(work)

    async def guess_again(self, ident: str, kind: str) -> None:
        """Another kind was chosen before the dry run: the columns are guessed anew for it (BadInput)."""

        def work(tx: Tx) -> None:
            row = imports.hold(tx, ident, "mapping", "review")
            known = kinds_of(tx.conn)
            if kind not in known:
                raise BadInput(f"kind: one of {', '.join(sorted(known))}, not {kind[:40]!r}.", field="kind")
            guess = import_maps.guess(row["mapping"]["columns"], row["format"], known, kind)
            fields = {str(place): name for place, name in guess.columns.items()}
            self._withdraw(tx, ident, "another kind was chosen")
            mapping = {**row["mapping"], "fields": fields, "source": guess.source, "chosen": True, "remembered": None}
            imports.put(tx, ident, state="mapping", kind=kind, mapping=mapping)

        await self._store.write(work)

    # ----- the dry run

    async def check(self, ident: str) -> None:
        """What would become of every row; nothing is written but that."""
        row = await self._store.read(lambda conn: imports.get(conn, ident))
        seen: dict[str, int] = {}
        after = -1
        asked = partial(imports.rows, ident=ident, outcomes=("read", *OPEN, "empty", "lacking"), limit=AT_ONCE)
        while part := await self._store.read(partial(asked, after=after)):
            await self._store.write(partial(self._check_rows, row=row, part=part, seen=seen), full=False)
            after = part[-1]["n"]
        await self._store.write(lambda tx: self._checked(tx, ident))

    def _check_rows(
        self, tx: Tx, row: Mapping[str, Any], part: Sequence[Mapping[str, Any]], seen: dict[str, int]
    ) -> None:
        row = imports.hold(tx, row["id"], "checking")
        known, terms, names = kinds_of(tx.conn), self._terms(row), import_rows.Names(tx.conn)
        source, marks = row["mapping"].get("source", ""), list[dict[str, Any]]()
        read = _read(known, row, part, terms)
        for kind in {one.name: one for one, _ in read.values()}.values():
            import_rows.ahead(kind, [found for one, found in read.values() if one is kind], names, source)
        for line in part:
            outcome = import_taking.tried(tx.conn, read[line["n"]][0], source, read[line["n"]][1], names)
            keys = outcome.pop("keys")
            for key in keys:
                first = seen.setdefault(key, line["n"])
                if first != line["n"]:
                    import_taking.twice(outcome, first, by_name=key.startswith("title="))
            marks.append({"n": line["n"], **outcome})
        imports.mark_many(tx, row["id"], marks)

    def _terms(self, row: Mapping[str, Any]) -> import_values.Terms:
        business = self._desk.settings.business
        mapping = row["mapping"]
        heads = tuple(mapping.get("columns") or ())
        return import_values.Terms(business.zone, business.currency, bool(mapping.get("month_first")), heads)

    def _checked(self, tx: Tx, ident: str) -> None:
        counts = imports.counts(tx.conn, ident)
        imports.move(tx, ident, ("checking",), "review", counts=counts)
        row = imports.get(tx.conn, ident)
        tasks.open_card(
            tx,
            derived("import", ident, tx.now),
            "review",
            f"{row['name']} was read: {said(counts)}",
            subject=ident,
            subject_kind=SUBJECT,
            why="Nothing of it was taken over yet. Look at what would happen, then take it over.",
            detail={"counts": counts},
            options=[
                {"name": "take", "label": "Take it over", "consequence": "Records are made and filled; undo is there."},
                {"name": "leave", "label": "Leave it", "consequence": "Nothing is taken over; the file stays kept."},
            ],
            estimate=120,
            judgement=1,
            deadline=later(tx.now, 30 * DAY),
            at_expiry="Nothing is taken over; the file stays kept.",
        )

    async def choose(self, ident: str, choices: Mapping[int, str], *, who: str, rest: str = "") -> int:
        """What to do with rows to be looked at, and with the ``rest`` of them (BadInput); how many were set."""
        wrong = [choice for choice in (*choices.values(), rest or CHOICES[0]) if choice not in CHOICES]
        if wrong:
            raise BadInput(f"choice: one of {', '.join(CHOICES)}, not {wrong[0][:40]!r}.", field="choice")

        def work(tx: Tx) -> int:
            row = imports.hold(tx, ident, "review")
            lines = imports.numbered(tx.conn, ident, "review", list(choices))
            told = [{**(line["detail"] or {}), "choice": choices[line["n"]], "who": who} for line in lines]
            marks = [{"n": line["n"], "detail": detail} for line, detail in zip(lines, told, strict=True)]
            imports.mark_many(tx, ident, marks)
            imports.put(tx, ident, mapping={**row["mapping"], "rest": rest})
            return len(lines)

        return await self._store.write(work)

    # ----- taking over

    def decide_in(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """An option of the card: take over as tried, or leave it."""
        if option == "take":
            self.take_in(tx, card["subject"], who=who)
            return {"state": "taking over"}
        imports.move(tx, card["subject"], ("review",), "left", who=who)
        tasks.close(tx, card["id"], "done", {"option": option, "reason": ""}, actor=who)
        return {"state": "closed"}

    async def take(self, ident: str, *, who: str, run: bool = True) -> None:
        """Take over what the dry run said (Conflict before one); ``run`` has the server do it."""
        await self._store.write(lambda tx: self.take_in(tx, ident, who=who, run=run))

    def take_in(self, tx: Tx, ident: str, *, who: str, run: bool = True) -> None:
        """The same inside a transaction."""
        imports.move(tx, ident, ("review",), "taking", who=who)
        if card := tasks.open_for(tx.conn, ident):
            tasks.close(tx, card["id"], "done", {"option": "take", "reason": ""}, actor=who)
        if run:
            self._run(tx, "take", ident)

    async def work(self, ident: str) -> None:
        """Take over batch by batch; it can be stopped and begun again anywhere."""
        after = -1
        while (after := await self._store.write(partial(self._take_batch, ident=ident, after=after), full=False)) >= -1:
            failpoint.hit("import.batch")

    def _take_batch(self, tx: Tx, ident: str, after: int) -> int:
        """The rows after one; answers the last of them, -1 to begin again at the first, -2 when all is done."""
        row = imports.hold(tx, ident, "taking")
        lines = imports.rows(tx.conn, ident, outcomes=OPEN, after=after, limit=BATCH)
        names = import_rows.Names(tx.conn)
        taking = import_taking.Taking(tx, kinds_of(tx.conn), row, names)
        loose = {line["n"] for line in lines if _loose(line)}
        names.load(row["kind"], [line["read"]["title"] for line in lines if line["n"] in loose])
        source = row["mapping"].get("source", "")
        names.load_keys(key for line in lines for key in import_rows.keys(taking.kind(line), line["read"], source))
        marks = [{"n": line["n"], **taking.take(line, loose=line["n"] in loose)} for line in lines]
        imports.mark_many(tx, ident, marks)
        names.settle_links(tx)
        if lines:
            return int(lines[-1]["n"])
        counts = imports.counts(tx.conn, ident)
        if any(counts.get(name) for name in OPEN):
            return -1
        imports.move(tx, ident, ("taking",), "done", counts=counts)
        return -2

    # ----- undoing

    async def undo(self, ident: str, *, who: str, run: bool = True) -> None:
        """Take the whole import back by further writes (Conflict when it is not done)."""

        def work(tx: Tx) -> None:
            if imports.get(tx.conn, ident)["format"] == "mbox":
                raise Conflict("Mail that was read stays: it was only looked at. Erase a person to remove theirs.")
            imports.move(tx, ident, ("done", "taking"), "undoing", who=who)
            if run:
                self._run(tx, "undo", ident)

        await self._store.write(work)

    async def unwork(self, ident: str) -> None:
        """Take back batch by batch; a record that was changed since is listed and left."""
        met = await self._store.read(partial(imports.met, ident=ident))
        before = -1
        while (
            before := await self._store.write(
                partial(self._undo_batch, ident=ident, met=met, before=before), full=False
            )
        ) >= -1:
            failpoint.hit("import.batch")

    def _undo_batch(self, tx: Tx, ident: str, met: Mapping[str, Sequence[int]], before: int) -> int:
        """The rows before one, the last row first: a record that several rows filled goes back step by step."""
        row = imports.hold(tx, ident, "undoing")
        lines = imports.rows(tx.conn, ident, outcomes=("made", "filled"), after=before, limit=BATCH, backwards=True)
        back = import_taking.TakingBack(tx, row, met)
        marks = list[dict[str, Any]]()
        now = imports.raw_many(tx.conn, [line["record"] for line in lines if line["record"] not in met])
        for line in lines:
            done = back.take_back(line, now.get(line["record"]))
            imports.mark(tx, ident, line["n"], **done) if line["record"] in met else marks.append(
                {"n": line["n"], **done}
            )
        imports.mark_many(tx, ident, marks)
        imports.unlink(tx, back.gone, back.why)
        if lines:
            return int(lines[-1]["n"])
        counts = imports.counts(tx.conn, ident)
        if any(counts.get(name) for name in ("made", "filled")):
            return -1
        imports.move(tx, ident, ("undoing",), "undone", counts=counts)
        return -2

    async def go_on(self) -> list[str]:
        """After a stop of this process or another: what is under way goes on; the ids."""
        steps = {"reading": self.read, "checking": self.check, "taking": self.work, "undoing": self.unwork}
        found = await self._store.read(lambda conn: imports.in_states(conn, list(steps)))
        for ident in found:
            row = await self._store.read(partial(imports.get, ident=ident))
            if row["format"] != "mbox":
                await steps[row["state"]](ident)
        return found

    @staticmethod
    def _withdraw(tx: Tx, ident: str, why: str) -> None:
        if card := tasks.open_for(tx.conn, ident):
            tasks.close(tx, card["id"], "withdrawn", {"option": "", "reason": why}, actor="soloist")


def _read(
    known: Mapping[str, Kind], row: Mapping[str, Any], part: Sequence[Mapping[str, Any]], terms: import_values.Terms
) -> dict[int, tuple[Kind, import_values.Read]]:
    """Rows as fields, each with its kind: among people a row that names only a company is one."""
    kind, company = known[row["kind"]], known.get("company")
    columns = {int(place): name for place, name in row["mapping"]["fields"].items()}
    found = {}
    for line in part:
        one, read = kind, import_values.read(kind, columns, line["given"]["cells"], terms)
        if kind.name == "person" and company and (other := import_values.as_company(read, company)):
            one, read = company, other
        found[line["n"]] = (one, read)
    return found


def _loose(line: Mapping[str, Any]) -> bool:
    """Whether a row may mean a record by less than what identifies it."""
    return line["match"] in ("alike", "content") or line["outcome"] == "review"


def kinds_of(conn: Any) -> dict[str, Kind]:
    """The kinds a file may lead to, by name."""
    return {kind.name: kind for kind in kinds.everything(conn)}


def targets_of(conn: Any, ident: str) -> dict[str, str]:
    """The fields a column of an import may become (NotFound); none before its kind is known."""
    kind = kinds_of(conn).get(imports.get(conn, ident)["kind"])
    return import_maps.targets(kind) if kind else {}


def said(counts: Mapping[str, int]) -> str:
    """The counts of a dry run or of what was done, in words."""
    return ", ".join(f"{counts[name]} {text}" for name, text in SAID.items() if counts.get(name)) or "no rows"


def _proposed(conn: Any, row: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The kind and mapping to begin with: as chosen before for a file with these columns, else as guessed."""
    known = kinds_of(conn)
    guess = import_maps.guess(found["columns"], found["format"], known, row["kind"])
    kind, mapping = guess.kind, _mapping(found, guess)
    if not guess.source and "emails" in known[kind].fields:
        cells = [one["cells"] for one in found["rows"][:100]]
        mapping["fields"] |= {str(place): "emails" for place in import_maps.addresses(cells, guess.columns)}
    before = imports.chosen_before(conn, row["id"], found["columns"])
    if before and before["kind"] in known and row["kind"] in ("", before["kind"]):
        fits = import_maps.targets(known[before["kind"]])
        kind = before["kind"]
        mapping["fields"] = {place: to for place, to in before["mapping"]["fields"].items() if to in fits}
        mapping |= {"chosen": True, "remembered": {"name": before["name"], "at": before["created"]}}
    return kind, mapping


def _mapping(found: Mapping[str, Any], guess: import_maps.Guess) -> dict[str, Any]:
    """What an import keeps of how its file was read."""
    cells = [one["cells"] for one in found["rows"][:2000]]
    return {
        "columns": found["columns"],
        "fields": {str(place): name for place, name in guess.columns.items()},
        "source": guess.source,
        "encoding": found["encoding"],
        "delimiter": found["delimiter"],
        "sheet": found["sheet"],
        "sheets": found["sheets"],
        "samples": [
            list(dict.fromkeys(row[n][:80] for row in cells if row[n]))[:3] for n in range(len(found["columns"]))
        ],
        "month_first": import_values.months_first(cells),
    }


def _columns(heads: Sequence[str], given: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """The mapping a person gave, checked: column number -> field (BadInput names what is not there)."""
    found = {}
    for place, name in given.items():
        if not (place.isascii() and place.isdigit() and int(place) < len(heads)):
            raise BadInput(f"columns: there is no column {place[:20]!r}.", field="columns")
        if name and name not in known:
            raise BadInput(
                f"columns: there is no field {name[:40]!r} here. There are: {', '.join(known)}.", field="columns"
            )
        if name:
            found[place] = name
    if not found:
        raise BadInput("columns: choose a field for at least one column. Nothing was taken over.", field="columns")
    return found
