"""Taking over and taking out: a file is brought in, mapped, tried, looked through, undone; everything as one file."""

from __future__ import annotations

import asyncio
import importlib
import re
from typing import TYPE_CHECKING, cast

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import BadInput, SoloistError
from soloist.web.pages.edge import door, who
from soloist.web.render import page

if TYPE_CHECKING:
    from soloist.web.importing_door import Imports

HERE = "/imports"
MOST_COLUMNS = 1000


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route(HERE, index, name="imports"),
        Route(HERE, begin, methods=["POST"]),
        Route("/export", export),
        Route("/export.zip", download, methods=["POST"]),
        Route(f"{HERE}/{{ident}}", show),
        Route(f"{HERE}/{{ident}}/columns", columns, methods=["POST"]),
        Route(f"{HERE}/{{ident}}/take", take, methods=["POST"]),
        Route(f"{HERE}/{{ident}}/undo", undo, methods=["POST"]),
    ]


async def _door(request: Request) -> Imports:
    """The door to imports; tables, mappings and zip are loaded when it is first asked for."""
    state = request.app.state
    if getattr(state, "imports", None) is None:
        module = await asyncio.to_thread(importlib.import_module, "soloist.web.importing_door")
        state.imports = module.Imports(state.app)
    return cast("Imports", state.imports)


async def index(request: Request) -> Response:
    """GET /imports: the form and every import there was."""
    return await _listed(request)


async def _listed(request: Request, fault: str = "", status: int = 200) -> Response:
    lines = await (await _door(request)).lines()
    return page(request, "imports.html", await door(request).frame(), status=status, lines=lines, fault=fault)


async def begin(request: Request) -> Response:
    """POST /imports: keep the file, have it read, then on to its page."""
    async with request.form(max_files=1, max_fields=10) as sent:
        file = sent.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return await _listed(request, "Choose a file first.", 422)
        name, data = file.filename, await file.read()
    try:
        ident = await (await _door(request)).begin(name, data, "", who(request))
    except SoloistError as error:
        return await _listed(request, error.detail, error.status)
    return RedirectResponse(f"{HERE}/{ident}", status_code=303)


async def show(request: Request) -> Response:
    """GET /imports/{ident}: what it needs next."""
    view = await (await _door(request)).page(request.path_params["ident"])
    return page(request, "import.html", await door(request).frame(), view=view)


async def columns(request: Request) -> Response:
    """POST: which column leads to which field, then the dry run; or another kind, or another sheet."""
    ident = request.path_params["ident"]
    sent = await request.form(max_fields=MOST_COLUMNS)
    kind = str(sent.get("kind", ""))
    if sent.get("guess"):
        await (await _door(request)).kind(ident, kind)
    elif sent.get("read"):
        await (await _door(request)).sheet(ident, str(sent.get("sheet", "")), who(request))
    else:
        given = {name.removeprefix("column-"): str(value) for name, value in sent.items() if name.startswith("column-")}
        await (await _door(request)).map(ident, kind, given, who(request))
    return RedirectResponse(f"{HERE}/{ident}", status_code=303)


async def take(request: Request) -> Response:
    """POST: the choices for rows that have to be looked at, then it is taken over."""
    ident = request.path_params["ident"]
    sent = await request.form(max_fields=2000)
    chosen: dict[int, str] = {}
    for name, value in sent.items():
        if name.startswith("row-"):
            if not re.fullmatch(r"row-\d{1,9}", name):
                raise BadInput(f"There is no row {name[4:30]!r}. Nothing was taken over.")
            if value:
                chosen[int(name[4:])] = str(value)
    await (await _door(request)).take(ident, chosen, str(sent.get("rest", "")), who(request))
    return RedirectResponse(f"{HERE}/{ident}", status_code=303)


async def undo(request: Request) -> Response:
    """POST: take the whole import back."""
    ident = request.path_params["ident"]
    await (await _door(request)).undo(ident, who(request))
    return RedirectResponse(f"{HERE}/{ident}", status_code=303)


async def export(request: Request) -> Response:
    """GET /export: what is in the file, and the button."""
    return page(request, "export.html", await door(request).frame())


async def download(request: Request) -> Response:
    """POST /export.zip: everything as one file."""
    pieces = await (await _door(request)).export(who(request))
    headers = {"Content-Disposition": 'attachment; filename="soloist-export.zip"', "Cache-Control": "no-store"}
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)
