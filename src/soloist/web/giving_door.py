"""The console's, the API's and the command line's way to hand work to an agent; it holds no rule."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from soloist.app import App
from soloist.flows import planning, roles
from soloist.flows.giving import Asked
from soloist.flows.indexing import Indexing
from soloist.insight import given, picking
from soloist.kernel.errors import BadInput, NotFound

FRESH_WITHIN = 0.3
"""Seconds that a search for a message waits for the index to catch up with what came a moment ago."""


class Handing:
    """One App's agents as they are given work."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._store, self._roster = app.store, app.desk.runtime.roster
        self._giving = roles.giving(app.desk)
        self._indexing = Indexing(app.store)

    async def page(self, name: str) -> given.GivePage:
        """The form of a role and the work it was given (NotFound)."""
        await self._store.read(self._roster.refresh)
        spec = self._roster.get(name)
        if name not in roles.WAYS:
            spec = spec.model_copy(update={"input": {}})
        asks = [one for one in spec.skills if _asks(self._roster.skills.get(one))]
        return await self._store.read(lambda conn: given.page(conn, spec, asks))

    async def one(self, name: str, run: str) -> given.GivenPage:
        """One piece of work (NotFound)."""
        return await self._store.read(lambda conn: given.one(conn, name, run))

    async def list(self, card: str) -> given.ListPage:
        """The lines of one card (NotFound)."""
        return await self._store.read(lambda conn: given.listed(conn, card))

    async def tick(self, card: str, option: str, ticked: Sequence[int], *, who: str) -> None:
        """Take the ticked lines of a card as tasks (NotFound, Conflict)."""
        await self._store.write(lambda tx: planning.tick(tx, card, option, ticked, who=who))

    async def look(self, asked: Asked) -> dict[str, Any]:
        """What it is likely to cost; nothing is begun (BadInput, NotFound, NotAllowed)."""
        await self._store.read(self._roster.refresh)
        return await self._giving.look(asked)

    async def give(self, asked: Asked, *, who: str) -> dict[str, Any]:
        """Begin it: {id, agent, skill, new, estimate} (BadInput, NotFound, NotAllowed)."""
        await self._store.read(self._roster.refresh)
        return await self._giving.give(asked, who=who)

    def typed(self, name: str, skill: str, form: Mapping[str, str]) -> dict[str, Any]:
        """What was typed into a form as an input (BadInput, NotFound).

        Without a skill the fields of the role, with one the box "input": JSON, or plain words for a skill that takes
        ``text``.
        """
        if not skill:
            return as_input(self._roster.get(name).input, form)
        return self.plain_or_json(name, skill, form.get("input", "").replace("\r\n", "\n"))

    async def meant(
        self, name: str, given: Mapping[str, Any], picked: Mapping[str, Sequence[str]]
    ) -> tuple[dict[str, Any], dict[str, tuple[picking.Choice, ...]]]:
        """The input with ids for the names that were typed, and for each field that is not plain what may be meant.

        ``picked`` are ids that were chosen by field (NotFound when a text fits nothing).
        """
        parts = self._roster.get(name).input.get("properties", {})
        asked = {field: part for field, part in parts.items() if part.get("picks")}
        if asked:
            await self._indexing.catch_up(FRESH_WITHIN)
        return await self._store.read(lambda conn: _meant(conn, asked, given, picked))

    def plain_or_json(self, name: str, skill: str, text: str) -> dict[str, Any]:
        """JSON as it is; plain words as ``text`` (or as the question) of what takes one (BadInput, NotFound)."""
        spec = self._roster.get(name)
        told = self._roster.skills.get(skill)
        if skill and told is None:
            raise BadInput(f"skill: {name} has no skill {skill[:60]!r}.", field="skill")
        fields = list(told.input.model_fields) if told else list(spec.input.get("properties", {}))
        return plain(text, next((one for one in ("question", "text") if one in fields), ""))


def _asks(skill: Any) -> bool:
    """Whether a skill may have a question for a model."""
    return skill is not None and "ask" in skill.output.model_fields


def _meant(
    conn: Any, parts: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], picked: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Any], dict[str, tuple[picking.Choice, ...]]]:
    """``Handing.meant`` from one snapshot."""
    found, unclear = dict(given), dict[str, tuple[picking.Choice, ...]]()
    for field, part in parts.items():
        several, chosen = part.get("type") == "array", list(picked.get(field, ()))
        typed: Any = given.get(field) or ""
        lines = [*chosen, *typed] if several else chosen[:1] or [typed]
        choices = [one for line in lines if line for one in _one_or_more(conn, part["picks"], field, line)]
        if any(not one.sure for one in choices):
            unclear[field] = tuple({one.id: one for one in choices}.values())
        elif choices:
            found[field] = list(dict.fromkeys(one.id for one in choices)) if several else choices[0].id
    return found, unclear


def _one_or_more(conn: Any, kinds: Sequence[str], field: str, line: str) -> tuple[picking.Choice, ...]:
    """What one line may mean (NotFound)."""
    if choices := picking.meant(conn, kinds, line):
        return choices
    named = " or ".join(kind.replace("_", " ") for kind in kinds)
    raise NotFound(f"There is no {named} that {line[:80]!r} fits. Nothing was begun.", field=field)


def plain(text: str, field: str) -> dict[str, Any]:
    """JSON, or plain words as the value of ``field``, "" for a skill that takes none (BadInput)."""
    if text.lstrip().startswith("{"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"input: this is no JSON: {error}. Nothing was begun.", field="input") from error
        if isinstance(value, dict):
            return value
    if not field:
        raise BadInput('input: this takes JSON, like {"kind": "person"}. Nothing was begun.', field="input")
    return {field: text}


def as_input(schema: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a role's form as its input; what was left empty is left out."""
    found: dict[str, Any] = {}
    for name, part in schema.get("properties", {}).items():
        text = str(form.get(f"in.{name}", "")).replace("\r\n", "\n").strip()
        if not text:
            continue
        kind = part.get("type", "string")
        if kind == "array":
            found[name] = [line.strip() for line in text.splitlines() if line.strip()]
        elif kind in ("integer", "number"):
            found[name] = _number(name, text, whole=kind == "integer")
        else:
            found[name] = text
    return found


def _number(name: str, text: str, *, whole: bool) -> float:
    try:
        return int(text) if whole else float(text)
    except ValueError as error:
        raise BadInput(f"{name}: {text[:40]!r} is no number. Nothing was begun.", field=name) from error
