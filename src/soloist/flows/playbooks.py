"""Playbooks: files of saved plans are read, checked and published in versions; carrying one out is flows/plans."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import TypeAdapter, ValidationError

from soloist.engine.store import plans, published, releases, tasks
from soloist.engine.store.clock import from_iso
from soloist.engine.store.tx import Tx
from soloist.flows import planning
from soloist.flows.desk import Desk
from soloist.flows.roles import WAYS
from soloist.kernel.agent import AgentSpec, Limits, meant, misfits, narrowed
from soloist.kernel.errors import BadConfig, Conflict, NotAllowed, NotFound
from soloist.kernel.playbook import FROM, OPERATOR, PlanTask, Playbook, parsed
from soloist.stages.runtime import agents

LOG = logging.getLogger("soloist.playbooks")
KIND = "playbook"
FOLDER = "playbooks"
"""Below the home: the operator's own, one file each."""
MOST = 256 * 1024
LABEL = 160
"""Characters of a task's title."""


class Playbooks:
    """The playbooks of one home."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given."""
        self._desk, self._store = desk, desk.store

    # ----- files

    def files(self) -> dict[str, tuple[Path, agents.Source]]:
        """Files by the name of the playbook; one of the operator's takes the place of a shipped one."""
        brought = self._desk.playbooks
        found: dict[str, tuple[Path, agents.Source]] = {name: (path, _source(path)) for name, path in brought.items()}
        own = sorted((self._desk.home.root / FOLDER).glob("*.toml"))
        return {**found, **{path.stem: (path, "home") for path in own}}

    def read(self, path: Path) -> tuple[Playbook, str]:
        """The playbook of a file and its text (BadConfig: the file, the key, and what would be right)."""
        try:
            if path.stat().st_size > MOST:
                raise BadConfig(f"{path}: is larger than the {MOST // 1024} KB a playbook may have.")
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadConfig(f"{path}: cannot be read: {error}") from error
        book = self.checked(text, str(path))
        if book.name != path.stem:
            raise BadConfig(f"{path}: name: {book.name!r}, but its file is called {path.name!r}.", field="name")
        return book, text

    def checked(self, text: str, place: str) -> Playbook:
        """A playbook that can be carried out in this home (BadConfig)."""
        book = parsed(text, place)
        if fault := self.unfit(book):
            raise BadConfig(f"{place}: {fault}", field="tasks")
        return book

    def unfit(self, book: Playbook) -> str:
        """The first thing in a playbook that this home does not have or that does not fit, "" for nothing."""
        roster, currency = self._desk.runtime.roster, self._desk.spend.currency
        if book.money and not book.money.endswith(currency):
            return f"money: {book.money!r}, but this house counts in {currency}."
        for task in book.tasks:
            if task.agent != OPERATOR and (fault := _unfit(task, roster.specs, roster.skills)):
                return f"tasks: {task.id}: {fault}"
        return ""

    async def at_start(self) -> None:
        """Publish the operator's own files as they are now, and upgrades of what was published before."""
        for fault in await self.take_files():
            LOG.warning(fault)

    async def take_files(self, who: str = "soloist") -> list[str]:
        """The same; answers what is wrong with which file. A file that is wrong does not stop the others."""
        known = {row["name"] for row in await self._store.read(lambda conn: releases.all_of(conn, KIND))}
        wrong = []
        for name, (path, source) in (await asyncio.to_thread(self.files)).items():
            if source == "home" or name in known:
                try:
                    wrong += await self._file(path, source, who)
                except BadConfig as error:
                    wrong.append(error.detail)
        return wrong

    async def _file(self, path: Path, source: agents.Source, who: str) -> list[str]:
        """Publish one file, unless its version was published before; what has to be told."""
        book, text = await asyncio.to_thread(self.read, path)
        why = "came with this installation" if source != "home" else f"from {path.name}"
        put = partial(_publish, book=book, text=text, source=source, place=str(path), who=who, why=why)
        said = await self._store.write(put)
        return [told for told in (said.trouble, said.note) if told]

    async def there(self, name: str) -> None:
        """Publish what a file brings, the first time it is wanted (NotFound names what there is; BadConfig)."""
        if await self._store.read(lambda conn: releases.find(conn, KIND, name)) is not None:
            return
        files = await asyncio.to_thread(self.files)
        if name not in files:
            known = ", ".join(sorted(files)) or "none"
            hint = meant(name, files)
            raise NotFound(f"There is no playbook called {name[:80]!r}{hint or f'; there are: {known}.'}", field="name")
        await self._file(*files[name], "soloist")

    def in_use(self, conn: Any) -> tuple[dict[str, Playbook], list[str]]:
        """What can be carried out now by its name, and what is wrong with what cannot."""
        found, wrong = dict[str, Playbook](), list[str]()
        rows = {row["name"]: row for row in releases.in_use(conn, KIND)}
        for name, row in rows.items():
            _try(found, wrong, partial(self.checked, row["content"]["toml"], f"{name}@{row['version']}"))
        for name, (path, _) in self.files().items():
            if name not in rows:
                _try(found, wrong, lambda path=path: self.read(path)[0])
        return found, wrong

    def text(self, conn: Any, name: str) -> str:
        """The text of the version in use, of its file while it was never published."""
        row = next((row for row in releases.in_use(conn, KIND) if row["name"] == name), None)
        return str(row["content"]["toml"]) if row else self.files()[name][0].read_text(encoding="utf-8")

    def led(self) -> list[str]:
        """Names of the playbooks that an intent can lead to."""
        books, _ = self._store.read_now(self.in_use)
        return sorted(name for name, book in books.items() if book.trigger.by == "intent")

    # ----- what the operator does

    async def publish(
        self, text: str, *, who: str, why: str = "", source: agents.Source = "api", use: bool = True
    ) -> dict[str, Any]:
        """Publish a version from its text and put it in use: {name, version, hash} (BadConfig, Conflict)."""
        book = self.checked(text, "playbook")

        def work(tx: Tx) -> None:
            what = agents.publication(book, source, _known(tx, book), "playbook")
            if what.trouble:
                raise Conflict(what.trouble, field="version")
            _keep(tx, book, text, source=source, who=who, why=why)
            if use or releases.find(tx.conn, KIND, book.name) is None:
                releases.use(tx, KIND, book.name, book.version, who=who, why=why)

        await self._store.write(work)
        return {"name": book.name, "version": book.version, "hash": book.digest}

    async def use(self, name: str, version: str, *, who: str, why: str = "", pin: bool | None = None) -> dict[str, Any]:
        """Put a published version in use for plans that begin from now on (NotFound; BadConfig when it fits no more).

        A plan that is under way keeps the version it began with.
        """
        await self.there(name)
        row = await self._store.read(lambda conn: published.get(conn, KIND, name, version))
        self.checked(row["content"]["toml"], f"{name}@{version}")
        await self._store.write(lambda tx: releases.use(tx, KIND, name, version, who=who, why=why, pinned=pin))
        return await self._store.read(lambda conn: releases.get(conn, KIND, name))

    async def back(self, name: str, *, who: str, why: str = "") -> dict[str, Any]:
        """Go back to the version that was in use before, and pin it, so that no upgrade undoes it (Conflict)."""
        row = await self._store.read(lambda conn: releases.get(conn, KIND, name))
        if not row["before"]:
            raise Conflict(f"{name} has had no other version in use than {row['version']}.")
        return await self.use(name, row["before"], who=who, pin=True, why=why or f"back from {row['version']}")

    async def save(self, card: str, name: str, *, who: str) -> dict[str, Any]:
        """Save a plan that was carried out as a playbook: a file in the home, published: {name, version, hash}.

        NotFound for a card that is no list; Conflict when nothing of it was done, or the name is taken.
        """
        text = await self._store.read(lambda conn: _text_of(conn, card, name))
        self.checked(text, f"{name}.toml")
        path = self._desk.home.root / FOLDER / f"{name}.toml"
        if name in self.files():
            raise Conflict(f"There is a playbook called {name} already. Choose another name.", field="name")
        done = await self.publish(text, who=who, why=f"saved from the plan {card}", source="home")
        await asyncio.to_thread(_write, path, text)
        return done


def _try(found: dict[str, Playbook], wrong: list[str], read: Any) -> None:
    """Add what can be read, or why it cannot."""
    try:
        book = read()
        found[book.name] = book
    except BadConfig as error:
        wrong.append(error.detail)


def _source(path: Path) -> agents.Source:
    return "shipped" if path.parts[-4:-1] == ("soloist", "plugins", FOLDER) else "plugin"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


# ----- versions


def _publish(tx: Tx, *, book: Playbook, text: str, source: Any, place: str, who: str, why: str) -> agents.Publication:
    """Keep a version of a file, and put it in use where it is an upgrade."""
    what = agents.publication(book, source, _known(tx, book), place)
    if what.publish:
        _keep(tx, book, text, source=source, who=who, why=why)
    if what.use:
        releases.use(tx, KIND, book.name, book.version, who=who, why=why)
    return what


def _keep(tx: Tx, book: Playbook, text: str, *, source: str, who: str, why: str) -> None:
    row = {"kind": KIND, "name": book.name, "version": book.version, "hash": book.digest, "content": {"toml": text}}
    published.add(tx, {**row, "source": source}, who=who, why=why)


def _known(tx: Tx, book: Playbook) -> agents.Known:
    """What is known of a playbook's name."""
    same = published.version(tx.conn, KIND, book.name, book.version)
    release = releases.find(tx.conn, KIND, book.name)
    if release is None:
        return agents.Known(hash=same["hash"] if same else "")
    now = published.get(tx.conn, KIND, book.name, release["version"])
    in_use = f"{book.name}@{release['version']}"
    return agents.Known(same["hash"] if same else "", in_use, bool(release["pinned"]), now["source"])


# ----- whether a task fits its agent


def _unfit(task: PlanTask, specs: Mapping[str, AgentSpec], skills: Mapping[str, Any]) -> str:
    """Why an agent could not do a task as it is written, "" when it could."""
    for name in (task.agent, *task.given_by):
        if name not in specs:
            return f"agent: there is no agent called {name!r}{meant(name, [*specs, OPERATOR])}."
    spec = specs[task.agent]
    try:
        if task.given_by:
            specs[task.given_by[-1]].may_hand(task.agent, task.work, task.input)
            for giver in reversed(task.given_by):
                spec = narrowed(specs[giver], spec)
        if task.skill:
            spec.may_use(task.skill)
    except NotAllowed as error:
        return error.detail
    if task.skill:
        return _unfit_skill(task, skills.get(task.skill))
    if task.given_by:
        return "skill: work that agents hand on names the skill that is to be used."
    if task.agent not in WAYS:
        return f"skill: {task.agent} has no work of its own; say which skill: {', '.join(spec.skills)}."
    return _unfit_input(task, spec.input)


def _unfit_input(task: PlanTask, schema: Mapping[str, Any]) -> str:
    """Why an input does not fit the schema of a role, as far as that can be known before it is filled in."""
    known, open_ = dict(task.input), [name for name, value in task.input.items() if _open(value)]
    parts = schema.get("properties", {})
    for name in open_:
        if name not in parts and not schema.get("additionalProperties", False):
            return f"input: {name!r} is not foreseen by {task.agent}{meant(name, parts)}."
        known.pop(name)
    needed = [name for name in schema.get("required", ()) if name not in open_]
    faults = misfits({**schema, "required": needed}, known)
    return f"input: {'; '.join(faults)}." if faults else ""


def _unfit_skill(task: PlanTask, skill: Any) -> str:
    """The same for the input of a skill."""
    if skill is None:
        return f"skill: there is no skill called {task.skill!r}."
    fields = skill.input.model_fields
    for name, value in task.input.items():
        if name not in fields:
            return f"input: {name!r} is not foreseen by the skill {task.skill}{meant(name, fields)}."
        if not _open(value):
            try:
                TypeAdapter(fields[name].annotation).validate_python(value)
            except ValidationError as error:
                return f"input: {name}: {error.errors()[0]['msg']}."
    lacks = [name for name, field in fields.items() if field.is_required() and name not in task.input]
    return f"input: {lacks[0]} is missing; the skill {task.skill} needs it." if lacks else ""


def _open(value: Any) -> bool:
    """Whether some of a value is filled in only when the plan runs."""
    if isinstance(value, Mapping):
        return set(value) == {FROM} or any(_open(part) for part in value.values())
    return isinstance(value, list | tuple) and any(_open(part) for part in value)


def cap(book: Playbook) -> tuple[int, str] | None:
    """The most that one run of a playbook may cost, in millionths with the currency; None for no cap of its own."""
    return Limits(money=book.money).micro


# ----- a plan that was carried out, as a playbook


def _text_of(conn: Any, card: str, name: str) -> str:
    """The ticked lines of a list as tasks of the operator, each as long after the start as it was then."""
    row = tasks.get(conn, card)
    if row["type"] != planning.LIST:
        raise NotFound(f"The card {card[:80]} is no list of a plan.", field="card")
    done = [line for line in plans.lines(conn, row) if line["done"]]
    if not done:
        raise Conflict("Nothing of this plan was done yet, so there is nothing to save.", field="card")
    book = tomlkit.document()
    title = str(row["title"]).partition(": ")[2] or str(row["title"])
    for key, value in (("name", name), ("version", "1"), ("title", title[:120]), ("summary", "")):
        book.add(key, f"Saved from a plan that was carried out: {row['title']}"[:500] if key == "summary" else value)
    book.add("trigger", tomlkit.item({"by": "hand"}))
    listed = tomlkit.aot()
    for n, line in enumerate(done, 1):
        task = {"id": f"task_{n}", "title": str(line["text"])[:LABEL], "agent": OPERATOR}
        listed.append(tomlkit.item({**task, "due": _offset(str(row["created"]), str(line["due"]))}))
    book.add("tasks", listed)
    return tomlkit.dumps(book)


def _offset(start: str, due: str) -> str:
    """Whole days between two instants, at least one."""
    days = (from_iso(due) - from_iso(start)).total_seconds() / 86_400 if due else 7
    return f"{max(1, min(9999, round(days)))}d"
