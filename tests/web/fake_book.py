"""Records of the story as forms, for pages behind a fake Door."""

from __future__ import annotations

from typing import Any

from soloist.insight import record_form


class FakeBook:
    """One person with a name and an address."""

    async def kinds(self) -> tuple[record_form.KindLine, ...]:
        """The one kind."""
        fields = (("Name", "text"), ("Addresses", "email, several"))
        return (record_form.KindLine("person", "People", "Somebody you deal with.", 2, fields, ("client",), "", False),)

    async def form(self, kind: str, ident: str = "", **_: Any) -> record_form.Form:
        """Ada's form."""
        widgets = (
            record_form.Widget("name", "Name", "line", "Ada Okafor", owner="operator"),
            record_form.Widget("note", "Note", "lines", "", error="note: needs text"),
            record_form.Widget("kind", "Size", "choice", choices=(("small", "small"),), audited=True),
        )
        shown = (kind, "Person", "People", "Somebody you deal with.", ("write a mail",), widgets)
        return record_form.Form(*shown, id=ident, version=4 if ident else 0, title="Ada Okafor", states=("client",))
