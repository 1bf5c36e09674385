"""The drop folder on a real folder: whole .eml files come in once and move to done after their commit."""

import os
import time
from pathlib import Path

import pytest

from soloist.engine.files import FolderFiles
from soloist.plugins.connectors.dropfolder import CONNECTOR
from soloist.sdk import Arrival, Ctx, Page


@pytest.fixture
def ctx(tmp_path: Path) -> Ctx:
    return Ctx("drop", {"folder": "drop", "max_bytes": 1000}, files=FolderFiles(tmp_path))


def put(folder: Path, name: str, data: bytes = b"Subject: hi\r\n\r\n", *, age: float = 10.0) -> Path:
    path = folder / name
    path.write_bytes(data)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


async def look(ctx: Ctx, cursor: str = "") -> Page:
    (page,) = [page async for page in CONNECTOR.pull(ctx, "files", cursor)]
    return page


async def test_an_old_file_arrives_at_once(ctx: Ctx, tmp_path: Path) -> None:
    put(tmp_path, "enquiry.eml")
    page = await look(ctx)
    assert [(a.kind, a.origin) for a in page.arrivals] == [("mail.message", "enquiry.eml")]
    assert page.complete


async def test_a_young_file_arrives_at_the_second_look_when_it_did_not_grow(ctx: Ctx, tmp_path: Path) -> None:
    path = put(tmp_path, "a.eml", b"Subject: h", age=0.0)
    first = await look(ctx)
    assert first.arrivals == ()
    path.write_bytes(b"Subject: hi\r\n")
    second = await look(ctx, first.cursor)
    assert second.arrivals == ()
    assert len((await look(ctx, second.cursor)).arrivals) == 1


async def test_a_file_from_the_future_is_not_waited_for(ctx: Ctx, tmp_path: Path) -> None:
    put(tmp_path, "a.eml", age=-3600)
    assert len((await look(ctx)).arrivals) == 1


async def test_a_committed_file_moves_to_done_under_its_name(ctx: Ctx, tmp_path: Path) -> None:
    put(tmp_path, "Größe 1.eml")
    (arrival,) = (await look(ctx)).arrivals
    CONNECTOR.done_with(ctx, arrival)
    assert (await look(ctx)).arrivals == ()
    assert os.listdir(tmp_path / "done") == ["Größe 1.eml"]


async def test_a_second_file_of_that_name_does_not_replace_the_first(ctx: Ctx, tmp_path: Path) -> None:
    for text in (b"one", b"two"):
        put(tmp_path, "a.eml", text)
        (arrival,) = (await look(ctx)).arrivals
        CONNECTOR.done_with(ctx, arrival)
    assert sorted(path.read_bytes() for path in (tmp_path / "done").iterdir()) == [b"one", b"two"]


async def test_other_files_are_left_alone(ctx: Ctx, tmp_path: Path) -> None:
    put(tmp_path, "notes.txt"), put(tmp_path, ".a.eml"), put(tmp_path, "half.eml.part")
    (tmp_path / "folder.eml").mkdir()
    assert (await look(ctx)).arrivals == ()


async def test_the_same_bytes_have_the_same_name_of_delivery(ctx: Ctx, tmp_path: Path) -> None:
    put(tmp_path, "a.eml"), put(tmp_path, "b.EML")
    first, second = (await look(ctx)).arrivals
    assert first.external_id == second.external_id


async def test_a_file_over_the_limit_says_so(ctx: Ctx, tmp_path: Path) -> None:
    put(tmp_path, "a.eml", b"x" * 1001)
    assert [a.kind for a in (await look(ctx)).arrivals] == ["mail.too_large"]


@pytest.mark.parametrize("cursor", ["", "{}", "not json", "[]", '{"a.eml": "x"}'])
async def test_any_cursor_can_be_read(ctx: Ctx, cursor: str) -> None:
    assert (await look(ctx, cursor)).complete


async def test_a_missing_folder_is_made(ctx: Ctx, tmp_path: Path) -> None:
    fresh = Ctx("drop", ctx.settings, files=FolderFiles(tmp_path / "not/yet"))
    assert (await look(fresh)).arrivals == ()
    assert (await CONNECTOR.check(fresh)).state == "ok"


def test_putting_aside_what_is_gone_is_harmless(ctx: Ctx) -> None:
    CONNECTOR.done_with(ctx, Arrival("raw@x", "mail.message", b"", "gone.eml"))


def test_it_sends_nothing(ctx: Ctx) -> None:
    assert CONNECTOR.operations(ctx) == {}
