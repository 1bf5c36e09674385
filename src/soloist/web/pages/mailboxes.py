"""Settings, mailboxes: the list, and connecting one in three forms: address, settings, five real subjects."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import BadInput, SoloistError
from soloist.web.pages.edge import door, who
from soloist.web.render import page

if TYPE_CHECKING:
    from soloist.engine.discovery import Found
    from soloist.flows.connecting import Mailbox, Tried
    from soloist.web.mailbox_door import Mailboxes

HERE = "/settings/mailboxes"
CALLBACK = "/connect/callback"
_WAYS = {"password": "password", "sign-in": "xoauth2"}


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route(HERE, show, name="mailboxes"),
        Route(f"{HERE}/connect", connect),
        Route(f"{HERE}/find", find, methods=["POST"]),
        Route(f"{HERE}/try", attempt, methods=["POST"]),
        Route(f"{HERE}/tested/{{ident}}", tested),
        Route(f"{HERE}/tested/{{ident}}/keep", keep, methods=["POST"]),
        Route(f"{HERE}/{{name}}/sending", sending, methods=["POST"]),
        Route(f"{HERE}/{{name}}/test", test_now, methods=["POST"]),
        Route(f"{HERE}/{{name}}/remove", remove, methods=["POST"]),
        Route(CALLBACK, callback),
    ]


@dataclass(frozen=True)
class Shape:
    """The second form: what it is filled with, and what is said above it."""

    values: Mapping[str, Any]
    source: str = ""
    title: str = ""
    notes: tuple[str, ...] = ()
    password: str = ""
    doubt: str = ""
    fault: str = ""
    todo: str = ""
    redirect: str = ""


async def boxes(request: Request) -> Mailboxes:
    """The door to mailboxes; DNS, OAuth and TOML are loaded when it is first asked for, not when the server starts."""
    state = request.app.state
    if getattr(state, "mailboxes", None) is None:
        module = await asyncio.to_thread(importlib.import_module, "soloist.web.mailbox_door")
        state.mailboxes = module.Mailboxes(state.app)
    return cast("Mailboxes", state.mailboxes)


async def show(request: Request) -> Response:
    """GET /settings/mailboxes."""
    query = request.query_params
    return await _listed(request, done=query.get("done", ""), about=query.get("name", ""))


async def _listed(request: Request, *, status: int = 200, **said: Any) -> Response:
    lines = await (await boxes(request)).lines()
    told = {"done": "", "about": "", "result": None, **said}
    return page(request, "mailboxes.html", await door(request).frame(), status=status, lines=lines, **told)


async def connect(request: Request) -> Response:
    """GET /settings/mailboxes/connect: the address."""
    return page(request, "mailbox_address.html", await door(request).frame(), address="", fault="", looked=())


async def find(request: Request) -> Response:
    """POST /settings/mailboxes/find: from an address to settings that can be looked at and changed."""
    form = await request.form()
    address, frame = str(form.get("address", "")).strip(), await door(request).frame()
    flow, private = await boxes(request), form.get("private") == "1"
    try:
        search = await flow.find(address, ask_public=form.get("public") == "1", allow_private=private)
        name = await asyncio.to_thread(flow.flow.free_name, address)
    except SoloistError as error:
        fault = error.detail
        return page(request, "mailbox_address.html", frame, status=422, address=address, fault=fault, looked=())
    if search.found is None and form.get("hand") != "1":
        fault = "No settings were found for this address."
        return page(
            request, "mailbox_address.html", frame, status=422, address=address, fault=fault, looked=search.looked
        )
    shape = _of_found(search.found, name, private) if search.found else Shape(_by_hand(address, name, private))
    return page(request, "mailbox_settings.html", frame, view=replace(shape, redirect=_redirect(request)))


async def attempt(request: Request) -> Response:
    """POST /settings/mailboxes/try: test with a password, or go to the provider's sign-in; nothing is stored."""
    form = {key: str(value) for key, value in (await request.form()).items()}
    frame, flow = await door(request).frame(), await boxes(request)
    secret = form.pop("secret", "")
    try:
        mailbox = _mailbox(form)
        if mailbox.auth == "xoauth2":
            await asyncio.to_thread(flow.flow.check_name, mailbox.name, mailbox.address)
            link = flow.begin(_session(request), mailbox, secret, _redirect(request))
            return page(request, "mailbox_signin.html", frame, link=link, mailbox=mailbox)
        if not secret:
            raise BadInput("The password is missing. Nothing was tested.", field="secret")
        ident, tried = await flow.test(_session(request), mailbox, {mailbox.names()["password"]: secret})
    except SoloistError as error:
        return _again(request, frame, form, error.detail, "")
    if not tried.ok:
        return _again(request, frame, form, tried.advice.seen, tried.advice.todo)
    return RedirectResponse(f"{HERE}/tested/{ident}", status_code=303)


async def callback(request: Request) -> Response:
    """GET /connect/callback: the provider sent the browser back; only the session that began it gets further."""
    flow = await boxes(request)
    state = request.query_params.get("state", "")
    ident, tried = await flow.finish(_session(request), state, str(request.url))
    if tried.ok:
        return RedirectResponse(f"{HERE}/tested/{ident}", status_code=303)
    return _again(request, await door(request).frame(), _values(tried.mailbox), tried.advice.seen, tried.advice.todo)


async def tested(request: Request) -> Response:
    """GET /settings/mailboxes/tested/{ident}: five real subjects, and the question whether to keep it."""
    ident = request.path_params["ident"]
    tried: Tried = (await boxes(request)).waiting(_session(request), ident)
    return page(request, "mailbox_tested.html", await door(request).frame(), tried=tried, ident=ident)


async def keep(request: Request) -> Response:
    """POST /settings/mailboxes/tested/{ident}/keep: store it and begin to read."""
    flow = await boxes(request)
    name = await flow.keep(_session(request), request.path_params["ident"], who=who(request))
    return _back("connected", name)


async def sending(request: Request) -> Response:
    """POST /settings/mailboxes/{name}/sending: allow it (on=1) or only read (on=0)."""
    name, allowed = request.path_params["name"], (await request.form()).get("on") == "1"
    await (await boxes(request)).allow(name, allowed, who=who(request))
    return _back("allowed" if allowed else "only-reads", name)


async def test_now(request: Request) -> Response:
    """POST /settings/mailboxes/{name}/test: sign in as it is stored and say what was seen."""
    name = request.path_params["name"]
    health, advice = await (await boxes(request)).test_stored(name)
    return await _listed(request, done="tested", about=name, result={"health": health, "advice": advice})


async def remove(request: Request) -> Response:
    """POST /settings/mailboxes/{name}/remove: disconnect it and forget its password."""
    name = request.path_params["name"]
    await (await boxes(request)).remove(name, who=who(request))
    return _back("removed", name)


def _back(done: str, name: str) -> Response:
    return RedirectResponse(f"{HERE}?done={done}&name={quote(name)}", status_code=303)


def _session(request: Request) -> str:
    principal = getattr(request.state, "principal", None)
    return principal.session if principal else ""


def _redirect(request: Request) -> str:
    """Where the provider sends the browser back: the console under the name it was opened with."""
    return str(request.url.replace(path=CALLBACK, query="", fragment=""))


def _again(request: Request, frame: Any, form: Mapping[str, Any], fault: str, todo: str) -> Response:
    """The second form once more, as it was filled in, but for the password."""
    view = Shape(form, fault=fault, todo=todo, redirect=_redirect(request))
    return page(request, "mailbox_settings.html", frame, status=422, view=view)


def _of_found(found: Found, name: str, private: bool) -> Shape:
    """The second form for settings that were found."""
    from_found = importlib.import_module("soloist.flows.connecting").from_found
    values = _values(from_found(found, name, allow_private=private))
    return Shape(values, found.source, found.title, found.notes, found.password, found.doubt)


def _by_hand(address: str, name: str, private: bool) -> dict[str, Any]:
    usual = {"imap_port": 993, "imap_security": "tls", "smtp_port": 465, "smtp_security": "tls"}
    return {"address": address, "name": name, "username": address, "private": "1" if private else "", **usual}


def _values(mailbox: Mailbox) -> dict[str, Any]:
    """A mailbox as the fields of the second form."""
    places = {"imap": mailbox.imap, "smtp": mailbox.smtp}
    values = {f"{key}_{part}": getattr(place, part) for key, place in places.items() for part in _PLACE}
    for key in ("name", "address", "username", "provider", "client_id", "keep_sent", "ca_file"):
        values[key] = getattr(mailbox, key)
    for key in ("authorize_url", "token_url", "scope"):
        values[key] = getattr(mailbox, key)
    way = "sign-in" if mailbox.auth == "xoauth2" else "password"
    return {**values, "way": way, "private": "1" if mailbox.allow_private else ""}


_PLACE = ("host", "port", "security")


def _mailbox(form: Mapping[str, str]) -> Mailbox:
    """The mailbox the second form describes (BadInput names the field)."""
    flow = importlib.import_module("soloist.flows.connecting")
    presets = importlib.import_module("soloist.engine.presets")
    auth = _WAYS.get(form.get("way", "password"), "password")
    provider = form.get("provider", "")[:40]
    mailbox = flow.Mailbox(
        name=form.get("name", "").strip() or "mailbox",
        address=form.get("address", "").strip(),
        imap=presets.Place(*_place(form, "imap")),
        smtp=presets.Place(*_place(form, "smtp")),
        username=form.get("username", "").strip() or form.get("address", "").strip(),
        provider=provider,
        auth=auth,
        keep_sent=form["keep_sent"] if form.get("keep_sent") in ("yes", "no") else "auto",
        allow_private=form.get("private") == "1",
        ca_file=form.get("ca_file", "").strip(),
    )
    if auth == "password":
        return cast("Mailbox", mailbox)
    sign_in = presets.SIGN_INS.get(provider)
    given = {key: form.get(key, "").strip() for key in ("client_id", "authorize_url", "token_url", "scope")}
    if sign_in:
        given |= {key: given[key] or getattr(sign_in, key) for key in ("authorize_url", "token_url", "scope")}
    return cast("Mailbox", replace(mailbox, **given))


def _place(form: Mapping[str, str], which: str) -> tuple[str, int, str]:
    host, port, security = (form.get(f"{which}_{part}", "").strip() for part in _PLACE)
    label = {"imap": "reading", "smtp": "sending"}[which]
    if not host:
        raise BadInput(f"The server for {label} is missing.", field=f"{which}_host")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise BadInput(f"{port!r} is no port for {label}; the usual ones are 993 and 465.", field=f"{which}_port")
    if security not in ("tls", "starttls"):
        raise BadInput(f"{security!r} is no way to secure the connection for {label}.", field=f"{which}_security")
    return host, int(port), security
