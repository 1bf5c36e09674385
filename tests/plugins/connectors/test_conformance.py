"""Every shipped connector that writes passes the suite that plugin authors get, and a dishonest one does not."""

import dataclasses
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from soloist.config import ConnectorPart
from soloist.engine.files import FolderFiles
from soloist.plugins.connectors import dropfolder, http, maildir
from soloist.sdk import Ctx, Done, HttpAnswer, Outcome, Page, Plan, Receipt
from soloist.sdk.testing import Case, FakeHttp, MemoryFiles, StreamCase, check_connector, check_stream

SENDER = {"name": "Mara Linde", "address": "mara@studio-linde.example"}
OPERATIONS = {
    "charge": {"method": "POST", "path": "/charges", "class": "A", "key_header": "Idempotency-Key"},
    "put_event": {"method": "PUT", "path": "/events/{key}", "class": "B", "find": {"path": "/events/{key}"}},
    "note": {"method": "POST", "path": "/{key}/notes", "class": "C"},
}


def shop() -> Ctx:
    """A service that keeps what is put and finds it again."""
    held: set[str] = set()

    def reply(method: str, url: str, body: bytes | None) -> HttpAnswer:
        if method == "GET":
            return HttpAnswer(200 if url in held else 404, {}, b"{}")
        held.add(url)
        return HttpAnswer(201, {"content-type": "application/json"}, b'{"id": "1"}')

    given = {"kind": "http", "base_url": "https://shop.example", "operations": OPERATIONS}
    part = ConnectorPart.model_validate({**given, "headers": {"Authorization": "Bearer {secret.shop}"}})
    settings = part.model_dump(mode="json", by_alias=True)
    return Ctx("shop", settings, http=FakeHttp(reply), secrets={"shop": "sk_live_1"})


def mailbox() -> Ctx:
    settings = {"folder": "mail/out", "direction": "out", "sender": SENDER, "hold": 30.0, "max_bytes": 1000}
    return Ctx("mail", settings, files=MemoryFiles(), home_domain="studio-linde.example")


MAIL: dict[str, Any] = {"to": ["ada@okafor-ceramics.example"], "subject": "Hi", "body": "Hello"}
CASES = {
    **{f"http {name}": Case(http.CONNECTOR, name, {"amount": 1}, shop, secret="sk_live_1") for name in OPERATIONS},
    "maildir": Case(maildir.CONNECTOR, "mail.send", MAIL, mailbox),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_shipped_connector_conforms(name: str) -> None:
    await check_connector(CASES[name])


class TooSure(http.HttpConnector):
    """Calls everything a success: the suite must notice."""

    async def execute(self, ctx: Ctx, plan: Plan) -> Outcome:
        return Done(Receipt("sure"))


async def test_a_connector_that_is_too_sure_fails() -> None:
    with pytest.raises(AssertionError):
        await check_connector(dataclasses.replace(CASES["http charge"], connector=TooSure()))


FILES = 130


def maildir_full() -> Ctx:
    held = {("new", f"{n:03}.mail"): f"Subject: {n}\r\n\r\n".encode() for n in range(FILES)}
    return Ctx("mail-in", {"folder": "in", "direction": "in", "max_bytes": 1000}, files=MemoryFiles(held))


@pytest.fixture
def folder_full(tmp_path: Path) -> Any:
    """Makes a Ctx whose drop folder holds old files, each time another one."""

    def make() -> Ctx:
        root = Path(tempfile.mkdtemp(dir=tmp_path))
        for n in range(FILES):
            (root / f"{n:03}.eml").write_bytes(f"Subject: {n}\r\n\r\n".encode())
            os.utime(root / f"{n:03}.eml", (1, 1))
        return Ctx("drop", {"folder": "drop", "max_bytes": 1000}, files=FolderFiles(root))

    return make


async def test_a_maildir_conforms_as_a_stream() -> None:
    await check_stream(StreamCase(maildir.CONNECTOR, "new", maildir_full, FILES))


async def test_a_drop_folder_conforms_as_a_stream(folder_full: Any) -> None:
    await check_stream(StreamCase(dropfolder.CONNECTOR, "files", folder_full, FILES))


class Forgetful(maildir.Maildir):
    """Leaves one message of each page where it is not looked for: the suite must notice."""

    async def pull(self, ctx: Ctx, stream: str, cursor: str) -> AsyncIterator[Page]:
        async for page in super().pull(ctx, stream, cursor):
            yield dataclasses.replace(page, arrivals=page.arrivals[1:])


class Stubborn(maildir.Maildir):
    """Never puts anything aside: the suite must notice."""

    def done_with(self, ctx: Ctx, arrival: Any) -> None:
        pass


@pytest.mark.parametrize("broken", [Forgetful, Stubborn])
async def test_a_stream_that_loses_or_doubles_fails(broken: Any) -> None:
    with pytest.raises(AssertionError):
        await check_stream(StreamCase(broken(), "new", maildir_full, FILES))
