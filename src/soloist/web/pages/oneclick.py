"""One-time links: GET /d/{token} shows a card in full without sign-in and decides nothing; only POST decides, once.

Mail scanners open every link of a mail, so looking must stay harmless. The page loads nothing but the stylesheet.
"""

from __future__ import annotations

from typing import Any

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from soloist.flows.deciding import OPERATOR, Look
from soloist.insight import letters
from soloist.kernel.errors import SoloistError
from soloist.web import render
from soloist.web.pages.edge import door
from soloist.web.security import client_of

PER_MINUTE = RateLimitItemPerMinute(30)
"""Requests for links from one address."""
MOST_BODY = 16 * 1024
POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
ENDED = {
    "approve": "You approved it. It goes out once.",
    "reject": "You rejected it. Nothing is sent.",
    "defer": "It is put off until tomorrow morning.",
}
RETURNS = "It goes back to whoever handed it to you; nothing is sent."
MANY = "There were many requests from here. Wait a minute and open the link again; nothing was done."


def routes() -> list[Route]:
    """The routes of links; they are open to all and only under the console's own host names."""
    limiter = MovingWindowRateLimiter(MemoryStorage())

    async def show(request: Request) -> Response:
        """GET: the card, or why nothing can be decided any more."""
        if not limiter.hit(PER_MINUTE, "link", client_of(request)):
            return _page(request, Look(gone=MANY, status=429))
        return _page(request, await door(request).letters.look(request.path_params["token"]))

    async def decide(request: Request) -> Response:
        """POST: one option, or a comment."""
        if not limiter.hit(PER_MINUTE, "link", client_of(request)):
            return _page(request, Look(gone=MANY, status=429))
        return await _decide(request)

    return [Route("/d/{token}", show, methods=["GET"]), Route("/d/{token}", decide, methods=["POST"])]


async def _decide(request: Request) -> Response:
    """Carry out what was pressed; a refusal says why and what was not done."""
    token, links = request.path_params["token"], door(request).letters
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > MOST_BODY:
        return _page(request, Look(gone="This is too long. Nothing was done.", status=413))
    async with request.form(max_files=0, max_fields=10) as form:
        option, words = (str(form.get(name, "")).strip() for name in ("option", "reason"))
    try:
        if option == "comment":
            if words:
                await links.comment(token, words)
            done = "Your comment was kept. It is still to be decided." if words else "Write a comment first."
            return _page(request, await links.look(token), done=done)
        title = await links.press(token, option, words[:500])
    except SoloistError as error:
        return _page(request, Look(gone=error.detail.replace("This code", "This link"), status=error.status))
    return _page(request, Look(gone=f"{ENDED.get(option, 'Done.')} ({letters.line(title)})", status=200))


def _page(request: Request, look: Look, *, done: str = "") -> HTMLResponse:
    """The page as HTML; nothing of it is kept or indexed."""
    business, zone = door(request).letters.business
    context: dict[str, Any] = {"business": business, "look": look, "done": done, "action": request.url.path}
    ends = letters.when(look.shown.until, zone) if look.shown else ""
    outcome = letters.outcome(look.shown, zone).partition(": ")[2] if look.shown and look.who == OPERATOR else RETURNS
    text = render.text("oneclick.html", ends=ends, outcome=outcome, **context)
    headers = {"Content-Security-Policy": POLICY, "X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store"}
    return HTMLResponse(text, look.status, headers=headers)
