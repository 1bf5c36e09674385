"""Inbox: the queue, the open card, and the decision about it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from soloist.insight import carrying, diff
from soloist.insight.together import Look
from soloist.insight.views import Changed, FieldDiff, Outcome, Sheet
from soloist.kernel.errors import Conflict, StaleHash
from soloist.web.doors import Decision
from soloist.web.pages.edge import door, who
from soloist.web.render import page

MOVED = "This changed since you looked."
STALE = "It changed after you opened it, so nothing was approved. Please look at the new version."
REPLACED = "A newer draft took its place, so nothing was approved. Your edit was brought over into it; please look."


async def show(request: Request) -> Response:
    """GET /: the desk; ``?card=`` opens one, ``?mode=edit`` its draft, ``?done=`` shows what became of another."""
    query = request.query_params
    done = query.get("done", "")
    toast = await door(request).outcome(done) if done else None
    return await _desk(
        request, query.get("card", ""), after=query.get("after", ""), mode=query.get("mode", ""), toast=toast
    )


async def card(request: Request) -> Response:
    """GET /cards/{card}: one card on its own page, decided ones too."""
    frame, sheet = await door(request).frame(), await door(request).sheet(request.path_params["card"])
    look = await _opened(request, sheet)
    return page(request, "card.html", frame, look=look, **_context(sheet, mode=request.query_params.get("mode", "")))


async def decide(request: Request) -> Response:
    """POST /cards/{card}/decision: commit it and go back; edits can be looked at first as a comparison."""
    ident, form = request.path_params["card"], await request.form()
    request.state.sitting = whole(_text(form, "sitting"))
    option = _text(form, "option")
    edits: dict[str, str] = {}
    if option == "look" or any(name.startswith("edit.") for name in form):
        edits = _edits(form, await door(request).sheet(ident))
    if option == "look":
        return await _kept(request, form, ident, edits, MOVED)
    if option in ("edit", "compare"):
        return await _desk(request, ident, mode=option, edits=edits)
    said = {"reason": _text(form, "reason").strip(), "until": _text(form, "until") or "tomorrow"}
    decision = Decision(option, _text(form, "payload_hash"), edits, who=who(request), **said)
    try:
        outcome = await door(request).decide(ident, decision)
    except StaleHash:
        return await _kept(request, form, ident, edits, STALE, status=409)
    except Conflict as error:
        return await _kept(request, form, ident, edits, error.detail, status=409)
    return await _back(request, ident, outcome)


async def _kept(
    request: Request, form: FormData, ident: str, edits: dict[str, str], sentence: str, *, status: int = 200
) -> Response:
    """The card as it is now with what moved, and the edit in the text that counts by now; nothing was decided."""
    sheet = await door(request).sheet(ident)
    if edits and sheet.successor:
        sheet, sentence = await door(request).sheet(sheet.successor), REPLACED
    was = {field.name: _text(form, f"was.{field.name}") for field in sheet.draft if f"was.{field.name}" in form}
    if sheet.state != "open":
        line = sheet.state_line or "It is not open any more." if sentence in (MOVED, STALE) else sentence
        mine = [diff.field(f"{f.label}, your words", f.value, edits[f.name]) for f in sheet.draft if f.name in edits]
        return await _desk(request, sheet.id, changed=Changed(line, (*_moved(was, sheet), *mine)), status=status)
    found = carrying.over(was, edits, sheet.draft)
    changed = Changed(sentence, (*_moved(was, sheet), *found.both))
    mode = "edit" if found.edits else ""
    return await _desk(request, sheet.id, mode=mode, edits=dict(found.edits), changed=changed, status=status)


async def undo(request: Request) -> Response:
    """POST /cards/{card}/undo: take the decision back while that is still possible."""
    ident, form = request.path_params["card"], await request.form()
    request.state.sitting = whole(_text(form, "sitting"))
    return await _back(request, ident, await door(request).undo(ident, who(request)))


async def seen(request: Request) -> Response:
    """POST /seen: the "since" line starts anew."""
    await door(request).seen()
    return RedirectResponse("/", status_code=303)


async def _back(request: Request, ident: str, outcome: Outcome) -> Response:
    """To the desk and what became of the card; a page that takes its parts itself gets them without a second trip."""
    sitting = getattr(request.state, "sitting", 0)
    address = f"/review?sitting={sitting}&done={ident}" if sitting else f"/?done={ident}"
    if "x-swap" not in request.headers:
        return RedirectResponse(address, status_code=303)
    answer = await _desk(request, "", toast=outcome)
    answer.headers["X-Address"] = address
    return answer


async def _desk(
    request: Request,
    card: str,
    *,
    after: str = "",
    mode: str = "",
    edits: dict[str, str] | None = None,
    changed: Changed | None = None,
    toast: Outcome | None = None,
    status: int = 200,
) -> Response:
    """The inbox with one card open; a card that has left the queue is still shown. In a sitting: its page instead."""
    if sitting := getattr(request.state, "sitting", 0):
        shown_in: dict[str, Any] = {"mode": mode, "edits": edits, "changed": changed, "toast": toast, "status": status}
        return await sat(request, sitting, card, **shown_in)
    frame, desk = await asyncio.gather(door(request).frame(), door(request).inbox(card, after))
    if card and (desk.current is None or desk.current.id != card):
        desk = replace(desk, current=await door(request).sheet(card))
    shown = {"card": desk.current.id if desk.current else "", "after": after}
    desk = replace(desk, here="/?" + urlencode({name: value for name, value in shown.items() if value}))
    context = _context(desk.current, mode=mode, edits=edits, changed=changed)
    context["look"] = await _opened(request, desk.current) if desk.current and not changed else None
    return page(request, "inbox.html", frame, status=status, desk=desk, opened=bool(card), toast=toast, **context)


async def sat(
    request: Request,
    sitting: int,
    card: str = "",
    *,
    mode: str = "",
    edits: dict[str, str] | None = None,
    changed: Changed | None = None,
    toast: Outcome | None = None,
    status: int = 200,
) -> Response:
    """A sitting with its next card, or with the one asked for; at its end what can wait."""
    frame, view = await door(request).frame(), await door(request).time.sitting(sitting, card)
    context = _context(view.current, mode=mode, edits=edits, changed=changed, sitting=sitting)
    context["look"] = await _opened(request, view.current) if view.current and not changed else None
    return page(request, "review.html", frame, status=status, view=view, toast=toast, **context)


async def _opened(request: Request, sheet: Sheet) -> Look | None:
    """What is beside a card, and new since this operator last looked; a page that refreshes itself is no look."""
    if request.method != "GET" or "x-peek" in request.headers:
        return None
    return await door(request).time.opened(sheet.id, who(request))


def whole(text: str) -> int:
    """A positive whole number from an address or a form, else 0."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _context(
    sheet: Sheet | None,
    *,
    mode: str = "",
    edits: dict[str, str] | None = None,
    changed: Changed | None = None,
    sitting: int = 0,
) -> dict[str, Any]:
    """What the sheet's template needs: the draft as it stands in the form, edits beside the version that was seen."""
    at = f"/review?sitting={sitting}&" if sitting else "/?"
    edits = edits or {}
    fields = sheet.draft if sheet else ()
    compared = [diff.field(f.label, f.value, edits[f.name]) for f in fields if f.name in edits]
    place = {"at": at, "sitting": sitting}
    return {"sheet": sheet, "mode": mode, "edits": edits, "compared": compared, "changed": changed, **place}


def _text(form: FormData, name: str) -> str:
    """A text field with the line ends browsers send made plain again."""
    value = form.get(name, "")
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def _edits(form: FormData, sheet: Sheet) -> dict[str, str]:
    """Fields whose text differs from what the form was made from; others are not edits."""
    out = {}
    for field in sheet.draft:
        name = f"edit.{field.name}"
        was = _text(form, f"was.{field.name}") if f"was.{field.name}" in form else field.value
        if field.editable and name in form and _text(form, name) != was:
            out[field.name] = _text(form, name)
    return out


def _moved(was: Mapping[str, str], sheet: Sheet) -> tuple[FieldDiff, ...]:
    """What moved between the text the operator saw and the text that counts now."""
    fields = [field for field in sheet.draft if field.name in was]
    return tuple(diff.field(f.label, was[f.name], f.value) for f in fields if was[f.name] != f.value)
