"""The public form: GET and POST /f/{name}, guarded against robots, limited, and never answered before the commit."""

from __future__ import annotations

import hmac
import re
import time
from secrets import token_hex
from typing import Any

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from soloist.app import App
from soloist.config import Form
from soloist.kernel.errors import SoloistError
from soloist.kernel.hashing import keyed
from soloist.kernel.inbound import FORM
from soloist.web import render
from soloist.web.security import client_of

MOST_BODY = 64 * 1024
MOST_MESSAGE = 10_000
TRAP = "website"
"""A field people do not see; what is in it comes from a robot."""
SOONEST = 2.0
LATEST = 24 * 3600.0
"""Seconds between showing the form and sending it."""
WHOLE_FORM = 200
"""Submissions of one form in an hour, from all addresses together."""
FIELDS = {"name": 200, "email": 200, "company": 200, "phone": 60, "budget": 100, "start": 100, "message": MOST_MESSAGE}
_ADDRESS = re.compile(r"[^@\s<>\"',;]{1,64}@[^@\s<>\"',;]+\.[^@\s<>\"',;]{2,}\Z")


def routes() -> list[Route | Mount]:
    """The routes to mount at the root; the style of the form is served below /f/ for the public host name."""
    limiter = MovingWindowRateLimiter(MemoryStorage())

    async def submit(request: Request) -> Response:
        return await _submit(request, limiter)

    return [
        Mount("/f/-", StaticFiles(directory=render.STATIC)),
        Route("/f/{name}", show, methods=["GET"]),
        Route("/f/{name}", submit, methods=["POST"]),
    ]


async def show(request: Request) -> Response:
    """The form, or its thanks after a submission."""
    form = _form(request)
    if form is None:
        return _nothing()
    done = form.thanks if request.query_params.get("sent") == "1" else ""
    return _page(request, form, done=done)


async def _submit(request: Request, limiter: MovingWindowRateLimiter) -> Response:
    """Check, commit, then thank; a robot is thanked and not taken in."""
    form, name = _form(request), request.path_params["name"]
    if form is None:
        return _nothing()
    values = await _read(request)
    if values is None:
        error = {"message": "This is too long to be sent here. Please shorten your message; nothing was sent."}
        return _page(request, form, errors=error, status=413)
    address = client_of(request)
    if not limiter.hit(RateLimitItemPerHour(form.per_hour), "address", name, address) or not limiter.hit(
        RateLimitItemPerHour(WHOLE_FORM), "form", name
    ):
        error = {"message": "There were too many messages from here in the last hour. Please try again later."}
        return _page(request, form, values=values, errors=error, status=429)
    if values.get(TRAP):
        return RedirectResponse(f"/f/{name}?sent=1", 303)
    stamp = _stamp(request, values.get("ticket", ""))
    errors = _errors(values)
    if not stamp:
        errors.setdefault(
            "message", "This page was open for too long or too short a time. Please press the button again."
        )
    if errors:
        return _page(request, form, values=values, errors=errors, status=422)
    return await _take(request, form, values, stamp)


async def _take(request: Request, form: Form, values: dict[str, str], stamp: str) -> Response:
    """Commit the message under the ticket's name: pressing twice is one message."""
    app: App = request.app.state.app
    name = request.path_params["name"]
    extra = {key: values[key] for key in ("name", "company", "phone", "budget", "start") if values.get(key)}
    payload = {"from": values["email"], "text": values["message"], "subject": form.title, **extra}
    try:
        await app.desk.intake.accept(f"form:{name}", stamp, FORM, payload, actor="outside")
    except SoloistError as error:
        if error.status == 409:
            again = "Your earlier message has arrived. Press the button once more to send this text as a new one."
            return _page(request, form, values=values, errors={"message": again}, status=409)
        return _page(request, form, values=values, errors={"message": error.detail}, status=error.status)
    return RedirectResponse(f"/f/{name}?sent=1", 303)


async def _read(request: Request) -> dict[str, str] | None:
    """The fields as text, None when the body is over the limit; it is not read to its end."""
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BODY:
            return None
        parts.append(chunk)
    request._body = b"".join(parts)  # what Starlette itself keeps of a body that was read
    async with request.form(max_files=0, max_fields=30) as sent:
        found = {key: str(value).strip() for key, value in sent.items() if isinstance(value, str)}
    return {key: value.replace("\x00", "") for key, value in found.items()}


def _errors(values: dict[str, str]) -> dict[str, str]:
    """What is wrong, by field, in words for the person who wrote."""
    found: dict[str, str] = {}
    if not values.get("name"):
        found["name"] = "Please tell us your name."
    if not _ADDRESS.match(values.get("email", "")):
        found["email"] = "Please give a mail address we can answer to, like ada@example.org."
    if not values.get("message"):
        found["message"] = "Please write a message."
    for field, most in FIELDS.items():
        if len(values.get(field, "")) > most:
            found[field] = f"At most {most} characters, please."
    return found


def _ticket(request: Request, now: float) -> str:
    """A signed mark of when the form was shown; also the name of the one message it is good for."""
    app: App = request.app.state.app
    mark = f"{request.path_params['name']}.{int(now)}.{token_hex(8)}"
    return f"{mark}.{keyed(app.vault.install_key(), f'form {mark}')[:32]}"


def _stamp(request: Request, ticket: str) -> str:
    """The name of the submission when the ticket is ours and its time is right, else ""."""
    app: App = request.app.state.app
    mark, _, seal = ticket.rpartition(".")
    expected = keyed(app.vault.install_key(), f"form {mark}")[:32]
    if not hmac.compare_digest(expected.encode(), seal.encode("utf-8", "replace")):
        return ""
    parts = mark.split(".")
    age = time.time() - int(parts[-2]) if len(parts) >= 3 and parts[-2].isdigit() else -1.0
    return mark if age + 1 >= SOONEST and age <= LATEST and parts[0] == request.path_params["name"] else ""


def _form(request: Request) -> Form | None:
    """The form of this path; also says who may frame it."""
    app: App = request.app.state.app
    form = app.settings.forms.get(request.path_params["name"])
    if form is not None:
        request.state.frame_ancestors = tuple(form.allowed_origins)
    return form


def _nothing() -> Response:
    """There is no such form."""
    return HTMLResponse(render.text("form.html", **_blank("Nothing here"), done="There is no form here."), 404)


def _page(
    request: Request,
    form: Form,
    *,
    values: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    done: str = "",
    status: int = 200,
) -> Response:
    """The form as HTML."""
    shown = {
        **_blank(form.title),
        "name": request.path_params["name"],
        "intro": form.intro,
        "button": form.button,
        "ticket": _ticket(request, time.time()),
        "values": values or {},
        "errors": errors or {},
    }
    return HTMLResponse(render.text("form.html", **shown, done=done), status)


def _blank(title: str) -> dict[str, Any]:
    """The values that every rendering of the template needs."""
    return {
        "name": "",
        "title": title,
        "intro": "",
        "button": "",
        "errors": {},
        "values": {},
        "trap": TRAP,
        "ticket": "",
        "root": "/f/-/",
    }
