"""Safety: what halts everything outbound, how old the backups are, what a restore found, and the end of safe mode."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import StoreTrouble
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/safety"


def routes() -> list[BaseRoute]:
    """The page and its acts."""
    return [
        Route(HERE, show, name="safety"),
        Route(f"{HERE}/backup", back_up, methods=["POST"]),
        Route(f"{HERE}/drill", drill, methods=["POST"]),
        Route(f"{HERE}/look", look, methods=["POST"]),
        Route(f"{HERE}/leave", leave, methods=["POST"]),
    ]


async def show(request: Request) -> Response:
    """GET /safety."""
    view = await door(request).safety.page()
    return page(request, "safety.html", await door(request).frame(), view=view, done=request.query_params.get("done"))


async def back_up(request: Request) -> Response:
    """POST /safety/backup: make one now."""
    try:
        await door(request).safety.back_up()
    except OSError as error:
        raise StoreTrouble(
            f"{error.filename} cannot be written ({error.strerror}). No backup was made; make room or choose another "
            "folder under [backup] in soloist.toml."
        ) from error
    return RedirectResponse(f"{HERE}?done=backup", status_code=303)


async def drill(request: Request) -> Response:
    """POST /safety/drill: restore the newest one beside, look at all of it, remove it."""
    await door(request).safety.drill()
    return RedirectResponse(f"{HERE}?done=drill", status_code=303)


async def look(request: Request) -> Response:
    """POST /safety/look: compare with the outside once more."""
    await door(request).safety.look_outside()
    return RedirectResponse(f"{HERE}?done=look", status_code=303)


async def leave(request: Request) -> Response:
    """POST /safety/leave: safe mode ends, and what was listed goes out."""
    await door(request).safety.leave(who(request))
    return RedirectResponse(f"{HERE}?done=leave", status_code=303)
