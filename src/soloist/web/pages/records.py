"""Records: tables and kinds, one record with its history, forms to write it, two versions put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import BadInput, StaleVersion
from soloist.web.pages.edge import door, who
from soloist.web.render import page

_ASKED = {"state": "state", "sort": "sort", "dir": "direction"}
MOST_FIELDS = 2000


def routes() -> list[BaseRoute]:
    """The routes of these pages; what is written is more particular than what is shown, so it comes first."""
    one = "/records/{kind}/{ident}"
    return [
        Route("/records", index, name="records"),
        Route("/records/kinds", every_kind),
        Route("/records/{kind}.csv", as_csv),
        Route("/records/{kind}", index),
        Route("/records/{kind}/new", blank),
        Route("/records/{kind}/new", create, methods=["POST"]),
        Route(f"{one}/edit", edit),
        Route(f"{one}/edit", save, methods=["POST"]),
        Route(f"{one}/merge", merge, methods=["POST"]),
        Route(f"{one}/restore", restore, methods=["POST"]),
        Route(f"{one}/owners", own, methods=["POST"]),
        Route(f"{one}/generated", regenerate, methods=["POST"]),
        Route(f"{one}/passages", settle, methods=["POST"]),
        Route(one, show),
    ]


async def index(request: Request) -> Response:
    """GET /records and /records/{kind}: one kind as a table."""
    query = request.query_params
    kind = request.path_params.get("kind", "")
    found = await door(request).records(kind, query.get("q", ""), query.get("after", ""), **_asked(request))
    return page(request, "records.html", await door(request).frame(), view=found)


def _asked(request: Request) -> dict[str, str]:
    """State, order and direction, where they are given."""
    query = request.query_params
    return {name: query[key] for key, name in _ASKED.items() if query.get(key)}


async def as_csv(request: Request) -> Response:
    """GET /records/{kind}.csv: the whole filtered table as a file."""
    kind = request.path_params["kind"]
    query = request.query_params
    separator = ";" if query.get("sep") == "semicolon" else ","
    asked = {"query": query.get("q", ""), "separator": separator, **_asked(request)}
    pieces = await door(request).library.csv(kind, **asked)
    name = "".join(c if c.isascii() and c.isalnum() else "-" for c in kind)[:40]
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(iter(pieces), media_type="text/csv; charset=utf-8", headers=headers)


async def every_kind(request: Request) -> Response:
    """GET /records/kinds: the kinds there are and what they hold."""
    return page(request, "kinds.html", await door(request).frame(), kinds=await door(request).book.kinds())


async def show(request: Request) -> Response:
    """GET /records/{kind}/{ident}: fields, identities, history; ``saved`` says that a version was just written."""
    kind, ident = request.path_params["kind"], request.path_params["ident"]
    found = await door(request).record(kind, ident)
    merged = await door(request).merges.standing(ident)
    if merged.moved and "alone" not in request.query_params:
        return RedirectResponse(f"{merged.moved.href}?from={quote(ident)}", status_code=303)
    form = await door(request).book.form(found.kind, ident)
    saved = request.query_params.get("saved", "")
    number = int(saved) if saved.isascii() and saved.isdigit() and len(saved) < 9 else 0
    return page(request, "record.html", await door(request).frame(), view=found, form=form, saved=number, merged=merged)


async def blank(request: Request) -> Response:
    """GET /records/{kind}/new: an empty form."""
    form = await door(request).book.form(request.path_params["kind"])
    return page(request, "record_form.html", await door(request).frame(), form=form)


async def create(request: Request) -> Response:
    """POST /records/{kind}/new: write it, or the form again with what is wrong."""
    kind, sent = request.path_params["kind"], await request.form(max_fields=MOST_FIELDS)
    given = _given(sent)
    try:
        made = await door(request).book.create(kind, given, state=_text(sent, "state"), who=who(request))
    except BadInput as error:
        form = await door(request).book.form(kind, given=given, error=error)
        return page(request, "record_form.html", await door(request).frame(), status=422, form=form)
    return _back(made)


async def edit(request: Request) -> Response:
    """GET /records/{kind}/{ident}/edit: every field as a form."""
    form = await door(request).book.form(request.path_params["kind"], request.path_params["ident"])
    return page(request, "record_form.html", await door(request).frame(), form=form)


async def save(request: Request) -> Response:
    """POST: the fields that were sent as a new version; both versions side by side when somebody was quicker."""
    kind, ident = request.path_params["kind"], request.path_params["ident"]
    sent = await request.form(max_fields=MOST_FIELDS)
    given, version = _given(sent), _number(sent, "version")
    book, state = door(request).book, _text(sent, "state") if "state" in sent else None
    try:
        done = await book.save(kind, ident, version, given, state=state, why=_text(sent, "why"), who=who(request))
    except StaleVersion as error:
        view = await book.merging(kind, ident, error.extra.get("offered", {}), read_at=version, state=state)
        return page(request, "record_merge.html", await door(request).frame(), status=412, view=view, wrong="")
    except BadInput as error:
        form = await book.form(kind, ident, given=given, error=error)
        return page(request, "record_form.html", await door(request).frame(), status=422, form=form)
    return _back(done)


async def merge(request: Request) -> Response:
    """POST: what was picked of both versions."""
    kind, ident = request.path_params["kind"], request.path_params["ident"]
    sent = await request.form(max_fields=MOST_FIELDS)
    given, version = _given(sent), _number(sent, "version")
    picks = {name.removeprefix("pick."): str(value) for name, value in sent.items() if name.startswith("pick.")}
    book, state = door(request).book, _text(sent, "state") or None
    read = _number(sent, "read") if "read" in sent else version
    try:
        done = await book.merge(kind, ident, version, given, picks, state=state, who=who(request))
    except (StaleVersion, BadInput) as error:
        stale = isinstance(error, StaleVersion)
        offered = error.extra.get("offered", {}) if stale else await book.typed(kind, given)
        view = await book.merging(kind, ident, offered, read_at=read, state=state)
        said = "" if stale else error.detail
        frame = await door(request).frame()
        return page(request, "record_merge.html", frame, status=412 if stale else 422, view=view, wrong=said)
    return _back(done)


async def restore(request: Request) -> Response:
    """POST: an old version again as the newest one."""
    kind, ident = request.path_params["kind"], request.path_params["ident"]
    sent = await request.form()
    version, number = _number(sent, "version"), _number(sent, "number")
    return _back(await door(request).book.restore(kind, ident, version, number, who=who(request)))


async def own(request: Request) -> Response:
    """POST: who owns a field from now on."""
    sent = await request.form()
    ident, version = request.path_params["ident"], _number(sent, "version")
    field, by = _text(sent, "field"), _text(sent, "by")
    return _back(await door(request).book.own(ident, version, field, by, who=who(request)))


async def regenerate(request: Request) -> Response:
    """POST: a draft generated again; what was changed by hand stays."""
    sent = await request.form()
    ident, version = request.path_params["ident"], _number(sent, "version")
    return _back(await door(request).book.regenerate(ident, version, _text(sent, "text"), who=who(request)))


async def settle(request: Request) -> Response:
    """POST: one passage of a draft that was changed on both sides."""
    sent = await request.form()
    ident, version = request.path_params["ident"], _number(sent, "version")
    number, pick = _number(sent, "number"), _text(sent, "pick")
    return _back(await door(request).book.settle(ident, version, number, pick, who=who(request)))


def _given(sent: FormData) -> dict[str, list[str]]:
    """The texts of the fields, "f.<name>" each."""
    names = dict.fromkeys(name for name in sent if name.startswith("f."))
    return {name[2:]: [str(value) for value in sent.getlist(name)] for name in names}


def _text(sent: FormData, name: str) -> str:
    value = sent.get(name, "")
    return value if isinstance(value, str) else ""


def _number(sent: FormData, name: str) -> int:
    text = _text(sent, name)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadInput(f"{name}: a number of a version; load the page again.", field=name)
    return int(text)


def _back(done: Mapping[str, Any]) -> Response:
    """To the record, which says that it was saved."""
    kind, ident = quote(str(done["kind"]), safe=""), quote(str(done["id"]), safe="")
    return RedirectResponse(f"/records/{kind}/{ident}?saved={done['version']}", status_code=303)
