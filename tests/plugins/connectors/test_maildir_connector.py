"""The maildir connector on a real folder: mail out once under its key, mail in and put aside only when committed."""

import os
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from soloist.engine.files import FolderFiles
from soloist.kernel.hashing import sha256
from soloist.plugins.connectors.maildir import CONNECTOR
from soloist.sdk import Absent, Arrival, CannotTell, Ctx, Done, Found, Page, Plan, Receipt, Refused

KEY = "k2f7q0a9example"
AT = "2026-11-21T09:30:00+00:00"


def ctx_for(folder: Path, direction: str) -> Ctx:
    sender = {"name": "Mara Linde", "address": "mara@studio-linde.example"}
    settings = {"folder": "mail", "direction": direction, "sender": sender, "hold": 30.0, "max_bytes": 1000}
    return Ctx("mail", settings, files=FolderFiles(folder), home_domain="studio-linde.example")


@pytest.fixture
def out(tmp_path: Path) -> Ctx:
    return ctx_for(tmp_path, "out")


@pytest.fixture
def incoming(tmp_path: Path) -> Ctx:
    (tmp_path / "new").mkdir()
    return ctx_for(tmp_path, "in")


def plan(ctx: Ctx, key: str = KEY) -> Plan:
    return CONNECTOR.prepare(
        ctx, "mail.send", {"to": "ada@okafor-ceramics.example", "subject": "Hi", "body": "Hello"}, key, AT
    )


async def pages(ctx: Ctx) -> list[Page]:
    return [page async for page in CONNECTOR.pull(ctx, "new", "")]


async def arrivals(ctx: Ctx) -> list[Arrival]:
    return [arrival for page in await pages(ctx) for arrival in page.arrivals]


async def test_a_mail_becomes_one_file_named_by_its_key(out: Ctx, tmp_path: Path) -> None:
    prepared = plan(out)
    assert await CONNECTOR.execute(out, prepared) == Done(Receipt(f"<{KEY}@studio-linde.example>", "written"))
    assert [f.name for f in (tmp_path / "new").iterdir()] == [f"{KEY}.soloist"]
    assert (tmp_path / "new" / f"{KEY}.soloist").read_bytes() == prepared.request
    assert message_from_bytes(prepared.request, policy=default)["Subject"] == "Hi"


async def test_the_same_key_is_written_once_even_after_it_was_fetched(out: Ctx, tmp_path: Path) -> None:
    for _ in range(2):
        assert isinstance(await CONNECTOR.execute(out, plan(out)), Done)
    (tmp_path / f"new/{KEY}.soloist").rename(tmp_path / f"cur/{KEY}.soloist:2,S")
    assert isinstance(await CONNECTOR.execute(out, plan(out)), Done)
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("place", ["new/{}.soloist", "cur/{}.soloist", "cur/{}.soloist:2,", "cur/{}.soloist:2,FS"])
async def test_a_written_mail_is_found_with_any_flags(out: Ctx, tmp_path: Path, place: str) -> None:
    assert isinstance(await CONNECTOR.find(out, plan(out)), Absent)
    path = tmp_path / place.format(KEY)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    assert isinstance(await CONNECTOR.find(out, plan(out)), Found)


async def test_another_key_is_not_found(out: Ctx) -> None:
    await CONNECTOR.execute(out, plan(out, "k2f7q0a9example-2"))
    assert isinstance(await CONNECTOR.find(out, plan(out)), Absent)


async def test_a_folder_that_cannot_be_used_is_refused_and_cannot_tell(out: Ctx, tmp_path: Path) -> None:
    (tmp_path / "new").write_text("a file in place of the folder")
    found = await CONNECTOR.execute(out, plan(out))
    assert isinstance(found, Refused)
    assert found.retry_after == 60.0
    assert isinstance(await CONNECTOR.find(out, plan(out)), CannotTell)
    assert (await CONNECTOR.check(out)).state == "down"


def test_writing_is_for_the_outgoing_folder_only(out: Ctx, incoming: Ctx) -> None:
    operation = CONNECTOR.operations(out)["mail.send"]
    assert (operation.effect_class, operation.hold, operation.undo, operation.split) == ("B", 30.0, "apology", "")
    assert CONNECTOR.operations(incoming) == {}
    with pytest.raises(ValueError, match="^operation: "):
        plan(incoming)


async def test_new_mail_arrives_with_its_hash_and_waits_until_committed(incoming: Ctx, tmp_path: Path) -> None:
    (tmp_path / "new/1.host").write_bytes(b"From: a\r\n\r\nhi")
    (arrival,) = await arrivals(incoming)
    raw = b"From: a\r\n\r\nhi"
    assert arrival == Arrival(f"raw@{sha256(raw)}", "mail.message", raw, "1.host")
    assert (await arrivals(incoming)) == [arrival]
    CONNECTOR.done_with(incoming, arrival)
    assert await arrivals(incoming) == []
    assert [f.name for f in (tmp_path / "cur").iterdir()] == ["1.host:2,"]


async def test_putting_aside_twice_is_harmless(incoming: Ctx, tmp_path: Path) -> None:
    (tmp_path / "new/1").write_bytes(b"x")
    (arrival,) = await arrivals(incoming)
    CONNECTOR.done_with(incoming, arrival)
    CONNECTOR.done_with(incoming, arrival)


async def test_dot_files_folders_and_links_are_left_alone(incoming: Ctx, tmp_path: Path) -> None:
    (tmp_path / "new/.hidden").write_bytes(b"x")
    (tmp_path / "new/folder").mkdir()
    (tmp_path / "new/link").symlink_to("/etc/passwd")
    assert await arrivals(incoming) == []


async def test_a_mail_over_the_limit_arrives_as_its_beginning(incoming: Ctx, tmp_path: Path) -> None:
    (tmp_path / "new/big").write_bytes(b"x" * 1001)
    (arrival,) = await arrivals(incoming)
    assert (arrival.kind, len(arrival.raw)) == ("mail.too_large", 1001)


async def test_at_most_64_kilobytes_of_it_are_kept(incoming: Ctx, tmp_path: Path) -> None:
    (tmp_path / "new/big").write_bytes(b"x" * 200_000)
    ctx = Ctx("mail", {**incoming.settings, "max_bytes": 100_000}, files=incoming.files)
    assert [len(arrival.raw) for arrival in await arrivals(ctx)] == [64 * 1024]


async def test_a_file_that_cannot_be_read_is_reported_and_stays(incoming: Ctx, tmp_path: Path) -> None:
    class Unlucky(FolderFiles):
        def read(self, folder: str, name: str, limit: int) -> bytes:
            raise PermissionError(13, "Permission denied")

    (tmp_path / "new/1").write_bytes(b"x")
    ctx = Ctx("mail", incoming.settings, files=Unlucky(tmp_path))
    assert await arrivals(ctx) == []
    assert (await CONNECTOR.check(ctx)).detail == "These files in mail cannot be read: 1."
    assert os.listdir(tmp_path / "new") == ["1"]


async def test_many_mails_come_in_pages(incoming: Ctx, tmp_path: Path) -> None:
    for number in range(120):
        (tmp_path / f"new/{number:03}").write_bytes(b"%d" % number)
    found = await pages(incoming)
    assert [len(page.arrivals) for page in found] == [50, 50, 20]
    assert [page.complete for page in found] == [False, False, True]


async def test_an_outgoing_folder_is_never_read_as_mail(out: Ctx) -> None:
    await CONNECTOR.execute(out, plan(out))
    assert await pages(out) == []
