"""The wall before every route: host names, origin, sessions, tokens, headers; it knows nothing of what lies behind.

Deny by default: a path is open only when ``open_to_all`` says so; everything else needs a session or a bearer token.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soloist.config import Server
from soloist.kernel import access as doors
from soloist.kernel.access import Link, Principal, Session, Token
from soloist.kernel.errors import BadConfig, NotAllowed
from soloist.kernel.hashing import keyed

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
EVERY_METHOD = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_BODY = 32 * 1024 * 1024
"""Bytes of any one request; routes have lower limits of their own."""

TOUCH_EVERY = 60.0
"""Seconds between two notes that a session is in use."""

_NAME = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.IGNORECASE)
_OPEN_EXACT = frozenset({"/healthz", "/readyz", "/signin"})
_OPEN_BELOW = ("/welcome/", "/static/", "/f/", "/hooks/", "/d/")
_PUBLIC_BELOW = ("/f/", "/hooks/", "/collect/")
_FROM_ANYWHERE = ("/f/", "/hooks/")
_FOR_PROGRAMS = ("/api/", "/v1/", "/mcp/")
_FOR_PROGRAMS_EXACT = frozenset({"/metrics", "/mcp"})


class Access(Protocol):
    """Sessions, tokens, links and the password, as the store keeps them. Times are Unix seconds."""

    async def session(self, id_hash: str) -> Session | None:
        """The session with this hash, revoked or not."""

    async def touch(self, id_hash: str, now: float) -> None:
        """Note that the session was used."""

    async def create_session(self, session: Session) -> None:
        """Keep a new session (durably: the cookie is answered after this)."""

    async def revoke(self, id_hash: str) -> None:
        """End one session."""

    async def password_hash(self) -> str:
        """The argon2id text, "" when no password was set."""

    async def set_password(self, password_hash: str) -> None:
        """Keep the new text and end every session, in one commit."""

    async def link(self, token_hash: str) -> Link | None:
        """Look at a one-time link without using it up."""

    async def use_link(self, token_hash: str, now: float) -> Link | None:
        """Use a link up: the link for exactly one caller while it is live, None for everyone else."""

    async def token(self, token_hash: str) -> Token | None:
        """The API token with this hash, revoked or not."""


def open_to_all(path: str) -> bool:
    """True for the few paths that need neither session nor token."""
    return path in _OPEN_EXACT or path.startswith(_OPEN_BELOW)


def for_programs(path: str) -> bool:
    """True where a bearer token is understood and a refusal is a problem document, not a sign-in page."""
    return path in _FOR_PROGRAMS_EXACT or path.startswith(_FOR_PROGRAMS)


def public_path(path: str) -> bool:
    """True for what a request that carries the public host name may reach."""
    return path.startswith(_PUBLIC_BELOW) or path == "/collect"


def check_bind(host: str, server: Server, has_password: bool) -> None:
    """BadConfig, with what to do, when other machines could reach a console without TLS or without a password."""
    if is_loopback(host):
        return
    missing = []
    if not server.tls:
        missing.append("put a TLS proxy in front of it and set server.tls = true")
    if not has_password:
        missing.append("set a password by the one-time link of a first start on 127.0.0.1")
    if missing:
        raise BadConfig(
            f"Soloist does not listen on {host}: other machines could reach the console. First "
            f"{' and '.join(missing)}, or use --host 127.0.0.1. Nothing was started.",
            field="host",
        )


def check_console(name: str, server: Server) -> None:
    """BadConfig unless a host name of the console ("" for none) stands behind TLS and apart from the public one."""
    if not name:
        return
    if not _NAME.fullmatch(name) or is_loopback(name):
        raise BadConfig(
            f"{name!r}: give a host name like desk.example, without https:// and port; nothing was started.",
            field="console",
        )
    if not server.tls:
        raise BadConfig(
            f"Soloist does not answer as {name} without TLS. Put a TLS proxy before it (see soloist service caddy) "
            "and set server.tls = true. Nothing was started.",
            field="server.tls",
        )
    if name.lower() == server.public_host.lower().rstrip("."):
        raise BadConfig(
            f"--console {name}: this is server.public_host, where strangers reach forms and hooks. Give the console "
            "a name of its own. Nothing was started.",
            field="console",
        )


def is_loopback(host: str) -> bool:
    """True for names and addresses that only this machine can reach."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def principal(request: Request) -> Principal:
    """Who is asking; NotAllowed when the wall was not passed (a missing identity never counts as one)."""
    found = getattr(request.state, "principal", None)
    if not isinstance(found, Principal):
        raise NotAllowed("Sign in, or send a bearer token.")
    return found


def require(scope: doors.Scope) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency for routes: the principal when it holds the scope, else NotAllowed naming what it holds."""

    async def check(request: Request) -> Principal:
        who = principal(request)
        if not who.may(scope):
            held = ", ".join(sorted(who.scopes))
            raise NotAllowed(f"This needs the scope {scope}; this token holds: {held}.", scope=scope)
        return who

    return check


def csrf_token(session_id: str) -> str:
    """The form token of a session: only its holder can compute it, so it is not stored."""
    return keyed(session_id.encode("utf-8", "surrogatepass"), "form token")


def cookie_name(scheme: str) -> str:
    """``__Host-soloist`` over TLS; the plain name on loopback http, where browsers refuse the prefix."""
    return "__Host-soloist" if scheme == "https" else "soloist"


def set_session_cookie(response: Response, session_id: str, scheme: str) -> None:
    """Hand the browser its session id."""
    response.set_cookie(
        cookie_name(scheme),
        session_id,
        max_age=int(doors.SESSION_MOST),
        path="/",
        secure=scheme == "https",
        httponly=True,
        samesite="lax",
    )


def problem(status: int, title: str, detail: str, **extra: object) -> Response:
    """An RFC 9457 problem document."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **extra}
    return Response(json.dumps(body), status, media_type="application/problem+json")


class SecurityMiddleware:
    """ASGI middleware; it must be the outermost one.

    Sets ``request.state.principal``, ``csrf`` and ``who`` for what comes behind it. ``hosts`` are further host names
    of the console (tests); ``clock`` gives Unix seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        server: Server,
        *,
        hosts: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Wrap ``app``."""
        self.app = app
        self.access = access
        self.tls = server.tls
        self.public_host = server.public_host.lower().rstrip(".")
        self.hosts = LOOPBACK_NAMES | {host.lower() for host in hosts}
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it here."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": "There are no web sockets here."})
            return
        send = self._with_headers(scope, send)
        body = _Body(receive)
        refusal = await self._refusal(scope, body)
        await (refusal or self.app)(scope, body.receive, send)

    async def _refusal(self, scope: Scope, body: _Body) -> Response | None:
        """None when the request may go on; else the answer it gets."""
        headers, path = Headers(scope=scope), str(scope["path"])
        host = _host_name(headers)
        public = bool(self.public_host) and host == self.public_host
        if not public and host not in self.hosts and not _bound_address(scope, host):
            return _refuse(path, 421, "Unknown host name", "Open Soloist as http://localhost and its port.")
        if public and not public_path(path):
            return PlainTextResponse("There is nothing here.", 404)
        if body.announced(headers) > MAX_BODY:
            return _refuse(path, 413, "Too large", f"A request may have {MAX_BODY // 1024 // 1024} MB.")
        if scope["method"] not in SAFE_METHODS and not path.startswith(_FROM_ANYWHERE) and not _same_origin(scope):
            return _refuse(path, 403, "Wrong origin", "This request came from another site; nothing was done.")
        if open_to_all(path):
            return None
        return await self._identify(scope, headers, body)

    async def _identify(self, scope: Scope, headers: Headers, body: _Body) -> Response | None:
        """Attach the principal, or answer 401, 303 or 403."""
        path, state = str(scope["path"]), scope.setdefault("state", {})
        if headers.get("authorization") is not None and for_programs(path):
            token = await self._token(headers["authorization"])
            if token is None:
                return _unknown_token()
            state["principal"] = doors.bearer(token)
            state["who"] = state["principal"].actor
            return None
        session_id = cookie_parser(headers.get("cookie", "")).get(cookie_name(scope["scheme"]), "")
        session = await self._session(session_id)
        if session is None:
            return _sign_in_first(scope, headers)
        expected = csrf_token(session_id)
        if scope["method"] not in SAFE_METHODS and not await _carries(expected, scope, body):
            detail = "The form token is missing or old; open the page again. Nothing was done."
            return _refuse(path, 403, "No form token", detail)
        state["principal"] = doors.operator(session.id_hash)
        state["csrf"], state["who"] = expected, "operator"
        return None

    async def _token(self, header: str) -> Token | None:
        kind, _, text = header.partition(" ")
        text = text.strip()
        if kind.lower() != "bearer" or not doors.looks_like_token(text):
            return None
        wanted = doors.secret_hash(text)
        token = await self.access.token(wanted)
        known = token is not None and hmac.compare_digest(token.token_hash, wanted) and token.live(self.clock())
        return token if known else None

    async def _session(self, session_id: str) -> Session | None:
        if not session_id:
            return None
        wanted, now = doors.secret_hash(session_id), self.clock()
        session = await self.access.session(wanted)
        if session is None or not hmac.compare_digest(session.id_hash, wanted) or not session.live(now):
            return None
        if now - session.seen_at > TOUCH_EVERY:
            await self.access.touch(session.id_hash, now)
        return session

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        """A ``send`` that adds the security headers to whatever is answered, refusals and errors included."""

        async def wrapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                framers = tuple(scope.get("state", {}).get("frame_ancestors", ()))
                _secure(MutableHeaders(scope=message), str(scope["path"]), framers, self.tls)
            await send(message)

        return wrapped


class _Body:
    """The request's body: can be read ahead once to find a form token, and is then played again for the route."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: list[Message] = []
        self._size = 0

    @staticmethod
    def announced(headers: Headers) -> int:
        """The length the client claims, 0 when it does not say."""
        text = headers.get("content-length", "0")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else MAX_BODY + 1

    async def receive(self) -> Message:
        """What was read ahead first, then the rest; past the limit the client counts as gone."""
        return self._kept.pop(0) if self._kept else await self._next()

    async def ahead(self) -> bytes | None:
        """The whole body, kept for the route; None when it is too long or the client went away."""
        parts: list[Message] = []
        while not parts or parts[-1].get("more_body", False):
            parts.append(await self._next())
            if parts[-1]["type"] != "http.request":
                return None
        self._kept = parts
        return b"".join(part.get("body", b"") for part in parts)

    async def _next(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        return message if self._size <= MAX_BODY else {"type": "http.disconnect"}


async def _carries(expected: str, scope: Scope, body: _Body) -> bool:
    """True when the X-CSRF header, or on pages the field ``csrf``, holds the session's form token."""
    headers = Headers(scope=scope)
    given = headers.get("x-csrf", "")
    if not given and not for_programs(scope["path"]):
        given = await _form_field(scope, headers, body)
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


async def _form_field(scope: Scope, headers: Headers, body: _Body) -> str:
    """The field ``csrf`` of a form body, "" for anything else."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return ""
    whole = await body.ahead()
    if whole is None:
        return ""

    async def again() -> Message:
        return {"type": "http.request", "body": whole, "more_body": False}

    bare = {key: value for key, value in scope.items() if key != "app"}
    try:
        async with Request(bare, again).form(max_files=100, max_fields=500) as form:
            value = form.get("csrf", "")
            return value if isinstance(value, str) else ""
    except Exception:  # noqa: BLE001  # an edge: a form the parser cannot read carries no token, whatever it raised
        return ""


def _host_name(headers: Headers) -> str:
    """The Host header without port, lower case; "" when it is missing, doubled or malformed."""
    values = headers.getlist("host")
    if len(values) != 1 or any(sign in values[0] for sign in "/@\\ ,"):
        return ""
    try:
        return (urlsplit(f"//{values[0]}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _bound_address(scope: Scope, host: str) -> bool:
    """True for the very address the server listens on: an address cannot be rebound by DNS, a name can."""
    server = scope.get("server") or ("",)
    try:
        return ipaddress.ip_address(host) == ipaddress.ip_address(server[0])
    except ValueError:
        return False


def _same_origin(scope: Scope) -> bool:
    """Judge Sec-Fetch-Site, which scripts cannot forge, and Origin.

    Under the policy no-referrer browsers send ``Origin: null`` with our own forms, so null needs Sec-Fetch-Site.
    """
    headers = Headers(scope=scope)
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return False
    if origin is None:
        return True
    if origin == "null":
        return site is not None
    return hmac.compare_digest(
        origin.lower().encode(), f"{scope['scheme']}://{headers.get('host', '')}".lower().encode()
    )


def _sign_in_first(scope: Scope, headers: Headers) -> Response:
    """What someone without a session gets: a problem document for programs, the sign-in page for people."""
    path = str(scope["path"])
    if for_programs(path):
        answer = problem(401, "Sign in", "Send a bearer token: Authorization: Bearer solo_...")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    if scope["method"] not in SAFE_METHODS:
        target = "/signin"
    else:
        query = scope.get("query_string", b"").decode("latin-1")
        target = "/signin?next=" + quote(path + (f"?{query}" if query else ""), safe="/")
    if headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/signin"})
    return RedirectResponse(target, status_code=303)


def _unknown_token() -> Response:
    answer = problem(401, "Unknown token", "This token is not known, has ended or was revoked.")
    answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return answer


def _refuse(path: str, status: int, title: str, detail: str) -> Response:
    if for_programs(path) or path.startswith("/hooks/"):
        return problem(status, title, detail)
    return PlainTextResponse(f"{title}. {detail}", status)


def _secure(headers: MutableHeaders, path: str, framers: tuple[str, ...], tls: bool) -> None:
    """Set the headers of section "headers" of the security reference; a route may only send a policy of its own."""
    ancestors = " ".join(framers) if framers and path.startswith("/f/") else "'none'"
    headers.setdefault(
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none'; "
        f"base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}",
    )
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "cross-origin" if framers and path.startswith("/f/") else "same-origin"
    if not path.startswith(("/static/", "/f/-/")):
        headers.setdefault("Cache-Control", "no-store")
    if tls:
        headers["Strict-Transport-Security"] = "max-age=31536000"


def safe_next(target: str) -> str:
    """A path on this server to go on to after signing in, "/" for anything that could lead elsewhere."""
    good = target.startswith("/") and not target.startswith(("//", "/\\", "/signin", "/signout", "/welcome"))
    return target if good and target.isprintable() and "\\" not in target and len(target) < 2000 else "/"


def client_of(request: Request) -> str:
    """The address limits are counted by: an IPv4 address, or the /64 of an IPv6 one."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host or "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)
