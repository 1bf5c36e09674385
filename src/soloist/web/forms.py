"""The public forms at /f/<name>: read, check and hand over what strangers write; they work without scripts."""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple, Protocol, cast
from urllib.parse import parse_qs

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from soloist.config import Form
from soloist.kernel.errors import BadConfig, SameIdOtherBody
from soloist.kernel.hashing import keyed
from soloist.web import render
from soloist.web.security import EVERY_METHOD, client_of

MAX_BODY = 64 * 1024
SOONEST, LATEST = 2.0, 86400.0
"""Seconds between opening a form and sending it: sooner is a program, later is a forgotten tab."""

TRAP = "website"
"""The field people never see; whoever fills it in is a program."""

FORM_TIMES_ADDRESS = 10
"""A form takes this many times what one address may send, in one hour."""

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?\Z", re.IGNORECASE)
_EMAIL = re.compile(
    r"[^\s@<>()\[\],;:\\\"]{1,64}@(?:[^\s@<>()\[\],;:\\\".]{1,63}\.)+[^\s@<>()\[\],;:\\\".\d][^\s@<>()\[\],;:\\\".]{0,62}\Z"
)
_FILES = {"app.css": "text/css", "icon.svg": "image/svg+xml", "vendor/inter-latin-wght.woff2": "font/woff2"}


class Field(NamedTuple):
    """One input: key, label, HTML type, autocomplete, whether it is required, characters at most."""

    key: str
    label: str
    kind: str
    autocomplete: str
    required: bool
    longest: int


FIELDS = (
    Field("name", "Name", "text", "name", True, 200),
    Field("email", "Email", "email", "email", True, 254),
    Field("company", "Company", "text", "organization", False, 200),
    Field("phone", "Phone", "tel", "tel", False, 60),
    Field("budget", "Budget", "text", "off", False, 200),
    Field("start", "When should it start?", "text", "off", False, 200),
    Field("message", "Message", "textarea", "off", True, 20_000),
)


class FormSink(Protocol):
    """What the application does with a submission."""

    async def receive_form(self, name: str, fields: dict[str, str], submission_id: str) -> object:
        """Return after the durable commit; the same id and fields change nothing, other fields: SameIdOtherBody."""

    async def form_trapped(self, name: str) -> None:
        """Count a submission that fell into the trap; nothing of it is kept."""


@dataclass(frozen=True)
class Draft:
    """What the visitor typed, what is wrong with it, and the stamp of the page it was typed into."""

    stamp: str
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""


class PublicForms:
    """The pages of every configured form. ``key`` signs the stamps; ``sink`` is looked up in ``app.state.soloist``."""

    def __init__(self, forms: Mapping[str, Form], key: bytes, *, clock: Callable[[], float] = time.time) -> None:
        """BadConfig when an origin that may embed a form is not of the form https://name."""
        for name, form in forms.items():
            for origin in form.allowed_origins:
                if not _ORIGIN.match(origin):
                    place = f"forms.{name}.allowed_origins"
                    raise BadConfig(
                        f"{place}: write an origin like https://studio-linde.example, not {origin!r}.", field=place
                    )
        self.forms, self.key, self.clock = forms, key, clock
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def routes(self) -> list[Route]:
        """The routes to mount at the root; the last one answers whatever else is asked below /f."""
        return [
            Route("/f/-/{file:path}", self.file, methods=["GET"]),
            Route("/f/{name}", self.show, methods=["GET"]),
            Route("/f/{name}", self.send, methods=["POST"]),
            Route("/f/{name}/thanks", self.thanks, methods=["GET"]),
            Route("/f/{name}/snippet", self.snippet, methods=["GET"]),
            Route("/f/{rest:path}", self.nothing, methods=EVERY_METHOD),
        ]

    async def show(self, request: Request) -> Response:
        """GET /f/{name}: the empty form."""
        name = request.path_params["name"]
        return (
            self._page(request, name, Draft(self._stamp(name))) if name in self.forms else await self.nothing(request)
        )

    async def send(self, request: Request) -> Response:
        """POST /f/{name}: thanks after the commit, or the form again with what to change; nothing is half-kept."""
        name = request.path_params["name"]
        if name not in self.forms:
            return await self.nothing(request)
        if (
            request.headers.get("content-type", "").partition(";")[0].strip().lower()
            != "application/x-www-form-urlencoded"
        ):
            return self._notice(request, name, 415, "This form takes only what its own page sends.")
        body = await read_body(request, MAX_BODY)
        if body is None:
            return self._notice(
                request, name, 413, "This is longer than 64 KB. Nothing was sent; please send a shorter text."
            )
        posted = _posted(body)
        if posted is None:
            return self._notice(request, name, 422, "This could not be read as text (UTF-8). Nothing was sent.")
        return await self._judge(request, name, posted)

    async def _judge(self, request: Request, name: str, posted: Mapping[str, str]) -> Response:
        """Check stamp, trap, fields and limits, in this order, then hand the submission over."""
        sink = cast(FormSink, request.app.state.soloist)
        stamp, values = posted.get("stamp", ""), _cleaned(posted)
        age = self._age(name, stamp)
        if posted.get(TRAP, "").strip():
            if age is not None and self._take(name, client_of(request)) == 0:
                await sink.form_trapped(name)
            return RedirectResponse(f"/f/{name}/thanks", status_code=303)
        if age is None or age > LATEST:
            notice = "This page was open for too long or is not ours. Please look at your text and send it again."
            return self._page(request, name, Draft(self._stamp(name), values, notice=notice), 422)
        errors = check(values)
        if errors:
            return self._page(request, name, Draft(stamp, values, errors), 422)
        if age < SOONEST:
            notice = "That was very fast. Please wait a moment and send it again; nothing was sent yet."
            return self._page(request, name, Draft(stamp, values, notice=notice), 422)
        wait = self._take(name, client_of(request))
        if wait:
            notice = f"Too many messages in an hour. Nothing was sent; please try again in {-(-wait // 60)} minutes."
            answer = self._page(request, name, Draft(stamp, values, notice=notice), 429)
            answer.headers["Retry-After"] = str(wait)
            return answer
        return await self._hand_over(request, name, stamp, values)

    async def _hand_over(self, request: Request, name: str, stamp: str, values: Mapping[str, str]) -> Response:
        """The durable commit; a page sent twice is one submission, a changed text under an old page is asked about."""
        sink = cast(FormSink, request.app.state.soloist)
        fields = {key: value for key, value in values.items() if value}
        try:
            await sink.receive_form(name, fields, stamp.split(".")[1])
        except SameIdOtherBody:
            notice = "You already sent this form. To send the text below as a new message, send it once more."
            return self._page(request, name, Draft(self._stamp(name), values, notice=notice), 409)
        return RedirectResponse(f"/f/{name}/thanks", status_code=303)

    async def thanks(self, request: Request) -> Response:
        """GET /f/{name}/thanks."""
        name = request.path_params["name"]
        if name not in self.forms:
            return await self.nothing(request)
        return self._page(request, name, Draft(""), done=self.forms[name].thanks)

    async def snippet(self, request: Request) -> Response:
        """GET /f/{name}/snippet: the lines to paste into a site, as text."""
        name = request.path_params["name"]
        if name not in self.forms:
            return await self.nothing(request)
        return PlainTextResponse(snippet(name, self.forms[name], str(request.base_url).rstrip("/")) + "\n")

    async def file(self, request: Request) -> Response:
        """GET /f/-/{file}: the style, icon and font of the form, the only files the public host name gives out."""
        file = request.path_params["file"]
        if file not in _FILES:
            return await self.nothing(request)
        return FileResponse(render.STATIC / file, media_type=_FILES[file], headers={"Cache-Control": "max-age=3600"})

    async def nothing(self, request: Request) -> Response:
        """Whatever else is asked below /f."""
        return PlainTextResponse("There is no such form.", 404)

    def _stamp(self, name: str) -> str:
        """``time.nonce.signature``: when the page was made, which submission it is, and that it was made here."""
        issued, nonce = str(int(self.clock() * 1000)), secrets.token_hex(16)
        return f"{issued}.{nonce}.{self._signature(name, issued, nonce)}"

    def _signature(self, name: str, issued: str, nonce: str) -> str:
        return keyed(self.key, f"form\n{name}\n{issued}\n{nonce}")

    def _age(self, name: str, stamp: str) -> float | None:
        """Seconds since the stamped page was made; None for a stamp that was not made here for this form."""
        parts = stamp.split(".")
        if len(parts) != 3 or not stamp.isascii():
            return None
        issued, nonce, signature = parts
        if not hmac.compare_digest(signature, self._signature(name, issued, nonce)):
            return None
        return self.clock() - int(issued) / 1000

    def _take(self, name: str, address: str) -> int:
        """Count one submission: 0 when it may go on, else the seconds until there is room again."""
        most = self.forms[name].per_hour
        limits = (
            (RateLimitItemPerHour(most), (name, address)),
            (RateLimitItemPerHour(most * FORM_TIMES_ADDRESS), (name, "")),
        )
        for limit, key in limits:
            if not self._window.test(limit, *key):
                return max(1, int(self._window.get_window_stats(limit, *key).reset_time - time.time()) + 1)
        for limit, key in limits:
            self._window.hit(limit, *key)
        return 0

    def _notice(self, request: Request, name: str, status: int, notice: str) -> Response:
        """The form again, empty, since what was sent could not be read."""
        return self._page(request, name, Draft(self._stamp(name), notice=notice), status)

    def _page(self, request: Request, name: str, draft: Draft, status: int = 200, done: str = "") -> Response:
        form = self.forms[name]
        request.state.frame_ancestors = tuple(form.allowed_origins)
        body = render.text(
            "public.html",
            form=name,
            title=form.title,
            intro=form.intro,
            button=form.button,
            fields=FIELDS,
            errors=draft.errors,
            values=draft.values,
            trap=TRAP,
            stamp=draft.stamp,
            notice=draft.notice,
            done=done,
        )
        return HTMLResponse(body, status)


def snippet(name: str, form: Form, base_url: str) -> str:
    """The lines that put a form on a site; ``base_url`` is scheme and host under which visitors reach Soloist."""
    address, title = escape(f"{base_url}/f/{name}"), escape(form.title)
    return f'<iframe src="{address}" title="{title}" width="100%" height="860" loading="lazy"></iframe>'


def check(values: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by field, as sentences that name the field; empty when the submission can be taken."""
    errors = {}
    for one in FIELDS:
        value = values.get(one.key, "")
        if one.required and not value:
            errors[one.key] = f"{one.label}: please fill this in."
        elif len(value) > one.longest:
            errors[one.key] = f"{one.label}: at most {one.longest:,} characters, this has {len(value):,}."
    if "email" not in errors and not _EMAIL.match(values.get("email", "")):
        errors["email"] = "Email: this is not a complete address, like name@example.com."
    return errors


async def read_body(request: Request, limit: int) -> bytes | None:
    """The raw body, None as soon as it is longer than ``limit`` bytes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
    return b"".join(parts)


def _posted(body: bytes) -> dict[str, str] | None:
    """First value of each field; None when the body is not URL-encoded UTF-8 or has absurdly many fields."""
    try:
        found = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        return None
    return {key: values[0] for key, values in found.items()}


def _cleaned(posted: Mapping[str, str]) -> dict[str, str]:
    """The known fields without control characters; only the message keeps its lines."""
    values = {}
    for one in FIELDS:
        text = posted.get(one.key, "").replace("\r\n", "\n").replace("\r", "\n")
        if one.kind != "textarea":
            text = " ".join(text.split())
        values[one.key] = "".join(sign for sign in text if sign in "\n\t" or not _control(sign)).strip()
    return values


def _control(sign: str) -> bool:
    return ord(sign) < 32 or 127 <= ord(sign) < 160
