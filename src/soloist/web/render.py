"""Jinja with autoescape and the console's filters: turns view models into pages; it asks and decides nothing."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from soloist.insight import diff, lookalike, marking, words
from soloist.insight.views import FieldDiff, Frame

HERE = Path(__file__).parent
STATIC = HERE / "static"

ANSWERS = {"met": "Met", "not_met": "Not met", "unknown": "Not said"}


@cache
def environment() -> Environment:
    """The one template environment: everything is escaped, an unknown name is an error, not an empty place."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(
        money=words.money,
        when=_when,
        full=_full,
        left=_left,
        short=words.short,
        lasted=words.lasted,
        visible=visible,
        attached=attached,
        spelled=marking.spelled,
        compared=compared,
    )
    env.globals.update(icon=icon, asset=asset, counted=words.counted, answers=ANSWERS, oddity=lookalike.address_warning)
    return env


def text(template: str, **context: Any) -> str:
    """A template as text; every name it uses must be given."""
    return environment().get_template(template).render(**context)


def page(request: Request, template: str, frame: Frame, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A whole page of the console with its frame, the session's form token and the path it is shown under."""
    csrf = getattr(request.state, "csrf", "")
    theme = request.cookies.get("theme", "")
    shown = {"csrf": csrf, "path": request.url.path, "theme": theme if theme in ("light", "dark") else ""}
    body = text(template, frame=frame, **shown, **context)
    return HTMLResponse(body, status_code=status, headers={"Cache-Control": "no-store"})


def icon(name: str) -> Markup:
    """One symbol of the sprite, hidden from screen readers: the words beside it say the same."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
        asset("icons.svg"), name
    )


@cache
def asset(name: str) -> str:
    """The address of a static file with its content's hash, so that it may be cached for ever."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def visible(value: str) -> Markup:
    """Text from outside with what is hidden or only looks like something said in words; links stay words."""
    out = Markup()
    for part, note in marking.pieces(value):
        out += Markup('<span class="odd">{}</span>').format(note) if note else escape(part)
    return out


def attached(name: str) -> Markup:
    """The name of a file, with what it is when its name says something else."""
    note = marking.attachment_note(name)
    return visible(name) + (Markup(' <span class="odd">{}</span>').format(note) if note else "")


def compared(value: FieldDiff) -> Markup:
    """A field's comparison as ``<del>`` and ``<ins>``, a space between the two."""
    pieces = value.pieces or diff.words(value.before, value.after)
    out = Markup()
    for index, piece in enumerate(pieces):
        shown = visible(piece.text)
        if piece.op == "same":
            out += shown
            continue
        gap = " " if index and pieces[index - 1].op == "del" and piece.op == "ins" else ""
        out += Markup("{}<{}>{}</{}>").format(gap, piece.op, shown, piece.op)
    return out


@pass_context
def _when(context: Context, value: str) -> Markup:
    """``<time>`` in the operator's words, the exact instant in its tooltip."""
    frame = cast(Frame, context["frame"])
    shown = words.when(value, frame.zone, frame.now)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(value, words.full(value, frame.zone), shown)


@pass_context
def _full(context: Context, value: str) -> str:
    return words.full(value, cast(Frame, context["frame"]).zone)


@pass_context
def _left(context: Context, value: str) -> str:
    return words.left(value, cast(Frame, context["frame"]).now)
