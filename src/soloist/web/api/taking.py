"""Taking over and taking out over the API: imports with their mapping, dry run and undo; exports of everything."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, Field
from starlette.requests import Request

from soloist.flows.exports import Exports
from soloist.flows.importing import Importing, targets_of
from soloist.insight import importing as views
from soloist.kernel.access import Principal
from soloist.kernel.errors import BadInput
from soloist.web.api import shapes
from soloist.web.api.asking import (
    After,
    Approver,
    Id,
    Limit,
    Proposer,
    Reader,
    TheApp,
    TheDesk,
    cursor,
    key,
    no_nul,
    ordinal,
    page,
    read,
)
from soloist.web.api.strict import StrictRoute, WideRoute
from soloist.web.security import require

router = APIRouter(route_class=StrictRoute)
files = APIRouter(route_class=WideRoute)
Admin = Annotated[Principal, Depends(require("admin"))]
Choice = Literal["keep", "take", "new", "leave"]
Short = Annotated[str, Field(max_length=200), AfterValidator(no_nul)]


class NewImport(shapes.Taken):
    """A file to be taken over: ``content`` is base64; ``kind`` empty is found out."""

    name: shapes.Name
    content: Annotated[str, Field(min_length=1)]
    kind: Short = ""


class ImportRow(BaseModel):
    """An import: state is reading, mapping, checking, review, taking, done, undoing, undone, left or failed."""

    id: str
    name: str
    kind: str
    format: str
    state: str
    counts: dict[str, int]
    created: str


class ColumnRow(BaseModel):
    """A column of the file and the field it becomes ("" when it is left out)."""

    column: str
    field: str
    samples: list[str]


class ImportWhole(ImportRow):
    """An import with its columns; ``targets`` are the fields a column may become."""

    source: str
    columns: list[ColumnRow]
    targets: dict[str, str]
    sheet: str
    sheets: list[str]
    remembered: str
    rest: str
    why: str


class Mapping(shapes.Taken):
    """What the columns become, all of them: one that is not named is left out. Without columns they are guessed."""

    kind: Short = ""
    columns: dict[Short, Short] | None = Field(default=None, max_length=1000)
    sheet: Short = ""


class FileRow(BaseModel):
    """A row of the file and what would be or was done with it."""

    n: int
    line: int
    title: str
    kind: str
    outcome: str
    record: str
    body: shapes.Json
    detail: shapes.Json
    raw: str


class Choices(shapes.Taken):
    """What to do with rows that have to be looked at, by their number, and with the ``rest`` of them."""

    rows: dict[Annotated[str, Field(pattern=r"^[0-9]{1,9}$")], Choice] = Field(default={}, max_length=10_000)
    rest: Choice | Literal[""] = ""


class Chosen(BaseModel):
    """How many rows were set."""

    rows: int


@files.post("/imports", status_code=202, response_model=ImportRow)
async def post_import(who: Proposer, app: TheApp, body: NewImport) -> Any:
    """Keep a file and have it read; a file whose columns are known is tried at once. Nothing is taken over by that."""
    try:
        data = base64.b64decode(body.content, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("content: send the bytes of the file as base64. Nothing was kept.", field="content") from None
    if data.startswith(b"From "):
        raise BadInput("content: a mailbox is taken over in the console or with: soloist import", field="content")
    ident = await Importing(app.desk).begin(body.name, data, kind=body.kind, who=who.actor)
    return await read(app.desk, lambda conn: views.row(conn, ident))


@router.get("/imports", response_model=shapes.Page[ImportRow])
async def list_imports(_: Reader, desk: TheDesk, after: After = "", limit: Limit = 100) -> Any:
    """Imports, the newest first."""
    before = key("imports", after)
    found = await read(desk, lambda conn: views.listed(conn, limit + 1, before))
    return page("imports", found, limit, "created")


@router.get("/imports/{ident}", response_model=ImportWhole)
async def get_import(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """One import."""
    return await read(desk, lambda conn: views.whole(conn, ident, targets_of(conn, ident)))


@router.put("/imports/{ident}/mapping", status_code=202, response_model=ImportWhole)
async def put_import_mapping(who: Proposer, desk: TheDesk, ident: Id, body: Mapping) -> Any:
    """Say what the columns become, then the dry run begins anew; or choose another sheet, or another kind."""
    flow = Importing(desk)
    now = await read(desk, lambda conn: views.whole(conn, ident, targets_of(conn, ident)))
    if body.sheet and body.sheet != now["sheet"]:
        await flow.sheet(ident, body.sheet, who=who.actor)
    elif body.columns is None:
        await flow.guess_again(ident, body.kind or now["kind"])
    else:
        numbers = {column["column"]: str(n) for n, column in enumerate(now["columns"])}
        if unknown := sorted(set(body.columns) - set(numbers)):
            listed = ", ".join(numbers)[:400]
            raise BadInput(f"columns: there is no column {unknown[0][:60]!r}. There are: {listed}.", field="columns")
        given = {numbers[head]: field for head, field in body.columns.items()}
        await flow.map(ident, body.kind or now["kind"], given, who=who.actor)
    return await read(desk, lambda conn: views.whole(conn, ident, targets_of(conn, ident)))


@router.get("/imports/{ident}/rows", response_model=shapes.Page[FileRow])
async def list_import_rows(
    _: Reader,
    desk: TheDesk,
    ident: Id,
    outcome: Annotated[str, Query(max_length=40), AfterValidator(no_nul)] = "",
    *,
    after: After = "",
    limit: Limit = 100,
) -> Any:
    """Rows of the file in their order, of one outcome or all."""
    place = ordinal("rows", after)
    found = await read(desk, lambda conn: views.rows(conn, ident, outcome, place, limit + 1))
    more = len(found) > limit
    return {"items": found[:limit], "next": cursor("rows", found[limit - 1]["n"]) if more else None}


@router.put("/imports/{ident}/choices", response_model=Chosen)
async def put_import_choices(who: Proposer, desk: TheDesk, ident: Id, body: Choices) -> Any:
    """What to do with rows that have to be looked at: fill what is empty, take the file's word, a new one, none."""
    wanted = {int(n): choice for n, choice in body.rows.items()}
    return {"rows": await Importing(desk).choose(ident, wanted, rest=body.rest, who=who.actor)}


@router.post("/imports/{ident}/takeover", status_code=202, response_model=ImportRow)
async def post_import_takeover(who: Approver, desk: TheDesk, ident: Id) -> Any:
    """Take over what the dry run said."""
    await Importing(desk).take(ident, who=who.actor)
    return await read(desk, lambda conn: views.row(conn, ident))


@router.post("/imports/{ident}/undo", status_code=202, response_model=ImportRow)
async def post_import_undo(who: Approver, desk: TheDesk, ident: Id) -> Any:
    """Take the whole import back; what was changed since stays."""
    await Importing(desk).undo(ident, who=who.actor)
    return await read(desk, lambda conn: views.row(conn, ident))


class ExportRow(BaseModel):
    """An export of everything: state is making, ready or failed; its file waits until ``expires``."""

    id: str
    state: Literal["making", "ready", "failed"]
    who: str
    at: str
    expires: str
    bytes: int
    sha256: str
    rows: int
    files: int
    seq: int
    why: str


async def _exports(request: Request, app: TheApp) -> Exports:
    state = request.app.state
    if getattr(state, "exports", None) is None:
        state.exports = Exports(app.store, app.home, app.vault)
    found: Exports = state.exports
    return found


TheExports = Annotated[Exports, Depends(_exports)]


@router.post("/exports", status_code=202, response_model=ExportRow)
async def post_export(who: Admin, exports: TheExports) -> Any:
    """Have everything written as one zip; one at a time. It is not encrypted and holds the words of your clients."""
    return (await exports.begin(who=who.actor)).as_json()


@router.get("/exports", response_model=shapes.Page[ExportRow])
async def list_exports(_: Admin, exports: TheExports) -> Any:
    """The export that is made or waits to be fetched."""
    return {"items": [one.as_json() for one in exports.listed()], "next": None}


@router.get("/exports/{ident}", response_model=ExportRow)
async def get_export(_: Admin, exports: TheExports, ident: Id) -> Any:
    """How far it is."""
    return exports.get(ident).as_json()


@router.get(
    "/exports/{ident}/file",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def get_export_file(_: Admin, exports: TheExports, ident: Id) -> StreamingResponse:
    """The file."""
    headers = {"Content-Disposition": 'attachment; filename="soloist-export.zip"', "Cache-Control": "no-store"}
    return StreamingResponse(exports.file(ident), media_type="application/zip", headers=headers)
