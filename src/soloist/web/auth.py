"""Sign in, sign out, the one-time link and the operator's password; it grants nothing beyond a session."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from soloist.kernel.access import SECRET_BYTES, Session, secret_hash
from soloist.kernel.errors import BadInput
from soloist.web import render
from soloist.web.security import EVERY_METHOD, Access, client_of, cookie_name, principal, safe_next, set_session_cookie

TRIES, WINDOW_MINUTES = 5, 15
"""Wrong passwords allowed for the account, and from one address, in that many minutes."""

SHORTEST, LONGEST = 10, 1000
"""Characters of a password."""

_MAX_BODY = 16 * 1024
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_NOBODY = _HASHER.hash(secrets.token_hex(16))
_LIMIT = RateLimitItemPerMinute(TRIES, WINDOW_MINUTES)
_ACCOUNT = "operator"


class Attempts:
    """Counts sign-in tries by account and by address; kept in memory, so a restart forgets them."""

    def __init__(self) -> None:
        """Start with no tries."""
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def take(self, address: str) -> tuple[int, int]:
        """Count one try: (seconds to wait, 0 when it may go on; tries in the window so far)."""
        keys = (("account", _ACCOUNT), ("address", address))
        for key in keys:
            if not self._window.test(_LIMIT, *key):
                reset = self._window.get_window_stats(_LIMIT, *key).reset_time
                return max(1, int(reset - time.time()) + 1), TRIES
        for key in keys:
            self._window.hit(_LIMIT, *key)
        left = min(self._window.get_window_stats(_LIMIT, *key).remaining for key in keys)
        return 0, TRIES - left

    def forget(self, address: str) -> None:
        """A right password clears the counts."""
        self._window.clear(_LIMIT, "account", _ACCOUNT)
        self._window.clear(_LIMIT, "address", address)


def hash_password(password: str) -> str:
    """The argon2id text to keep; BadInput when it is too short or too long. Takes about 30 ms."""
    if len(password) < SHORTEST:
        raise BadInput(f"password: use at least {SHORTEST} characters; a sentence is easiest.", field="password")
    if len(password) > LONGEST:
        raise BadInput(f"password: use at most {LONGEST} characters.", field="password")
    return _HASHER.hash(password)


def password_matches(stored: str, password: str) -> bool:
    """True for the right password; takes as long when there is none, so that the answer's time tells nothing."""
    try:
        return _HASHER.verify(stored or _NOBODY, password[:LONGEST]) and bool(stored)
    except (Argon2Error, InvalidHashError):
        return False


class SignIn:
    """The pages before the console. ``sleep`` is the growing delay after wrong passwords."""

    def __init__(
        self,
        access: Access,
        *,
        business: str = "Soloist",
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Keep what the pages need; ``business`` is the name shown."""
        self.access, self.business, self.clock, self.sleep = access, business, clock, sleep
        self.attempts = Attempts()

    def routes(self) -> list[Route]:
        """The routes to mount at the root."""
        return [
            Route("/signin", self.show, methods=["GET"]),
            Route("/signin", self.sign_in, methods=["POST"]),
            Route("/signout", self.sign_out, methods=["POST"]),
            Route("/welcome/{token}", self.welcome, methods=["GET"]),
            Route("/welcome/{token}", self.choose, methods=["POST"]),
            Route("/signin", self.nothing, methods=EVERY_METHOD),
            Route("/welcome/{rest:path}", self.nothing, methods=EVERY_METHOD),
        ]

    async def nothing(self, request: Request) -> Response:
        """Whatever else is asked of these paths: never the console's error page, which shows its frame."""
        return PlainTextResponse("There is nothing here.", 404)

    async def show(self, request: Request) -> Response:
        """GET /signin."""
        return self._signin(request.query_params.get("next", "/"))

    async def sign_in(self, request: Request) -> Response:
        """POST /signin: a session and the way on, or the page again with the reason."""
        form = await _fields(request)
        target, address = safe_next(form.get("next", "/")), client_of(request)
        wait, tries = self.attempts.take(address)
        if wait:
            sentence = f"Too many tries. Wait {_minutes(wait)} and try again; whoever is signed in stays signed in."
            answer = self._signin(target, sentence, 429)
            answer.headers["Retry-After"] = str(wait)
            return answer
        stored = await self.access.password_hash()
        if not await asyncio.to_thread(password_matches, stored, form.get("password", "")):
            await self.sleep(min(0.25 * 2**tries, 8.0))
            sentence = (
                "This is not the password." if stored else "No password is set yet: open the one-time link first."
            )
            return self._signin(target, sentence, 401)
        self.attempts.forget(address)
        return await self._begin(request, target)

    async def sign_out(self, request: Request) -> Response:
        """POST /signout: this browser's session ends, others stay."""
        await self.access.revoke(principal(request).session)
        answer = RedirectResponse("/signin", status_code=303)
        scheme = request.scope["scheme"]
        name = cookie_name(scheme)
        answer.delete_cookie(name, path="/", secure=scheme == "https", httponly=True, samesite="lax")
        return answer

    async def welcome(self, request: Request) -> Response:
        """GET /welcome/{token}: the page to choose a password; a link of a sample home signs in at once."""
        token = request.path_params["token"]
        link = await self.access.link(secret_hash(token))
        if link is None or not link.live(self.clock()):
            return self._stale()
        if link.sets_password:
            return self._welcome(token)
        return await self._begin(request, "/") if await self._use(token) else self._stale()

    async def choose(self, request: Request) -> Response:
        """POST /welcome/{token}: keep the password and sign in; a refused password does not use the link up."""
        token = request.path_params["token"]
        link = await self.access.link(secret_hash(token))
        if link is None or not link.sets_password or not link.live(self.clock()):
            return self._stale()
        try:
            hashed = await asyncio.to_thread(hash_password, (await _fields(request)).get("password", ""))
        except BadInput as error:
            return self._welcome(token, error.detail.removeprefix("password: ").capitalize())
        if not await self._use(token):
            return self._stale()
        await self.access.set_password(hashed)
        return await self._begin(request, "/")

    async def _use(self, token: str) -> bool:
        return await self.access.use_link(secret_hash(token), self.clock()) is not None

    async def _begin(self, request: Request, target: str) -> Response:
        """A new session under a new id, whatever the browser brought along."""
        session_id, now = secrets.token_urlsafe(SECRET_BYTES), self.clock()
        client = request.headers.get("user-agent", "")[:200]
        await self.access.create_session(Session(secret_hash(session_id), now, now, client))
        answer = RedirectResponse(target, status_code=303)
        set_session_cookie(answer, session_id, request.scope["scheme"])
        return answer

    def _signin(self, target: str, error: str = "", status: int = 200) -> Response:
        return self._page("signin.html", status, error=error, next=safe_next(target))

    def _welcome(self, token: str, error: str = "") -> Response:
        return self._page("welcome.html", 422 if error else 200, error=error, token=token)

    def _stale(self) -> Response:
        sentence = "It was used already, or its time is over. Run soloist open on the machine to get a new one."
        return self._page("notice.html", 410, heading="This link does not work any more", sentence=sentence)

    def _page(self, template: str, status: int, **values: str) -> Response:
        return HTMLResponse(render.text(template, business=self.business, csrf="", **values), status)


async def _fields(request: Request) -> Mapping[str, str]:
    """The first value of each field of a small URL-encoded form; nothing of a body that is no such form."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BODY:
            return {}
    try:
        return {key: values[0] for key, values in parse_qs(body.decode(), max_num_fields=20).items()}
    except ValueError:
        return {}


def _minutes(wait: int) -> str:
    minutes = -(-wait // 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"
