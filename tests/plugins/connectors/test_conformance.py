"""Every shipped connector that writes passes the suite that plugin authors get, and a dishonest one does not."""

import dataclasses
from typing import Any

import pytest

from soloist.config import ConnectorPart
from soloist.plugins.connectors import http, maildir
from soloist.sdk import Ctx, Done, HttpAnswer, Outcome, Plan, Receipt
from soloist.sdk.testing import Case, FakeHttp, MemoryFiles, check_connector

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
