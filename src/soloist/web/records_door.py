"""The console's way to writing records: forms, saves, old versions, owners, drafts; it holds no rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.app import App
from soloist.insight import record_form, record_rows
from soloist.kernel.errors import BadInput
from soloist.kernel.kind import Kind
from soloist.stages.records import NewRecord

Given = Mapping[str, Sequence[str]]


class Book:
    """One App's records as the pages write them."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app, self._zone = app, app.settings.business.zone
        self._currency = app.settings.business.currency

    async def kinds(self) -> tuple[record_form.KindLine, ...]:
        """Every kind of record."""
        return await self._app.store.read(record_form.listed)

    async def form(
        self, kind: str, ident: str = "", *, given: Given | None = None, error: BadInput | None = None
    ) -> record_form.Form:
        """The form of a record, or of a new one (NotFound, BadInput)."""
        zone = self._zone
        return await self._app.store.read(
            lambda conn: record_form.form(conn, kind, ident, zone=zone, given=given, error=error)
        )

    async def create(self, kind: str, given: Given, *, state: str, who: str) -> dict[str, Any]:
        """A new record from a form (BadInput names the field)."""
        schema = await self._schema(kind)
        body = {name: value for name, value in self._values(schema, given).items() if value not in ("", [])}
        return await self._app.desk.records.create(NewRecord(kind, body, state=state), actor=who)

    async def save(
        self, kind: str, ident: str, version: int, given: Given, *, state: str | None, why: str, who: str
    ) -> dict[str, Any]:
        """The given fields as a new version (BadInput, StaleVersion)."""
        old = await self._app.store.read(lambda conn: record_rows.read_at(conn, kind, ident, version))
        values = self._values(await self._schema(old["kind"]), given, old["body"])
        return await self._app.desk.records.change(ident, version, values, actor=who, state=state, why=why)

    async def merging(
        self, kind: str, ident: str, yours: Mapping[str, Any], *, read_at: int, state: str | None
    ) -> record_form.MergePage:
        """A save that came too late, field by field."""
        zone = self._zone
        return await self._app.store.read(
            lambda conn: record_form.merging(conn, kind, ident, yours, read_at=read_at, zone=zone, state=state or "")
        )

    async def typed(self, kind: str, given: Given) -> dict[str, Any]:
        """The values of a form as they were typed (BadInput)."""
        return self._values(await self._schema(kind), given)

    async def merge(
        self,
        kind: str,
        ident: str,
        version: int,
        given: Given,
        picks: Mapping[str, str],
        *,
        state: str | None,
        who: str,
    ) -> dict[str, Any]:
        """What was picked of both versions as a new one: "theirs", "yours" or "both" for each field."""
        row = await self._app.store.read(lambda conn: record_rows.row(conn, kind, ident))
        schema = await self._schema(row["kind"])
        yours = self._values(schema, given)
        for name in yours:
            if picks.get(name) not in ("theirs", "yours", "both"):
                raise BadInput(f"{name}: choose which one stays. Nothing was written.", field=name)
        fields = {name: value for name, value in yours.items() if picks[name] == "yours"}
        for name in yours:
            if picks[name] == "both":
                fields[name] = record_form.both(schema.fields[name], row["body"].get(name), yours[name])
        why = "both versions put together"
        return await self._app.desk.records.change(ident, version, fields, actor=who, state=state, why=why)

    async def restore(self, kind: str, ident: str, version: int, number: int, *, who: str) -> dict[str, Any]:
        """An old version again as the newest one."""
        return await self._app.desk.records.restore(kind, ident, version, number, actor=who)

    async def own(self, ident: str, version: int, field: str, by: str, *, who: str) -> dict[str, Any]:
        """Who owns a field from now on."""
        return await self._app.desk.records.own(ident, version, field, by, actor=who)

    async def regenerate(self, ident: str, version: int, text: str, *, who: str) -> dict[str, Any]:
        """A draft generated again: what was changed by hand stays."""
        fields = {"text": text.replace("\r\n", "\n")}
        why = "generated again; what you changed stays"
        return await self._app.desk.records.put("draft", ident, version, fields, actor=who, by="system", why=why)

    async def settle(self, ident: str, version: int, number: int, pick: str, *, who: str) -> dict[str, Any]:
        """One passage of a draft that was changed on both sides."""
        return await self._app.desk.records.settle(ident, version, number, pick, actor=who)

    async def _schema(self, kind: str) -> Kind:
        found = await self._app.store.read(lambda conn: record_rows.known(conn, kind))
        if found is None:
            raise BadInput(f"kind: there is no kind of record {kind[:60]!r}.", field="kind")
        return found

    def _values(self, schema: Kind, given: Given, old: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The values of a form; a text that was not touched keeps the value it stands for."""
        found = {}
        for name, texts in given.items():
            known = schema.fields.get(name)
            if known is None:
                raise BadInput(f"{name[:60]}: a {schema.name} has no such field.", field=name[:60])
            written = [text.replace("\r\n", "\n") for text in texts if text != ""]
            before = record_form.entered(known, old, self._zone) if old is not None else None
            if before is not None and "\n".join(written) == "\n".join(before):
                found[name] = old.get(name, "") if old is not None else ""
                continue
            found[name] = record_form.read(known, written, zone=self._zone, currency=self._currency)
        return found
