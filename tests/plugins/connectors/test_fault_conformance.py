"""Every failure of every shipped adapter that writes is of the closed set and says whether anything left."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from soloist.config import ConnectorPart
from soloist.plugins.connectors import http, maildir
from soloist.plugins.connectors.mail import CONNECTORS
from soloist.sdk import Absent, CannotTell, Ctx, Done, Found, MaybeSent, NotSent, Receipt, Refused, Trouble, Unknown
from soloist.sdk.faults import ADVICE, FAULTS, fault_of
from soloist.sdk.testing import ANSWERS, Broken, BrokenHttp, Case, FakeHttp, MemoryFiles, check_failures

SENDER = {"name": "Mara Linde", "address": "mara@studio-linde.example"}
MAIL = {"to": ["ada@okafor-ceramics.example"], "subject": "Hi", "body": "Hello"}
FIND = {"path": "/events/{key}"}
LIST = {"path": "/charges", "items": "data"}
OPERATIONS = {
    "charge": {"method": "POST", "path": "/charges", "class": "A", "key_header": "Idempotency-Key", "list": LIST},
    "put": {"method": "PUT", "path": "/events/{key}", "class": "B", "find": FIND, "list": LIST},
    "note": {"method": "POST", "path": "/notes/{key}", "list": LIST},
}


def shop(line: Any = None) -> Ctx:
    part = ConnectorPart.model_validate({"kind": "http", "base_url": "https://shop.example", "operations": OPERATIONS})
    return Ctx("shop", part.model_dump(mode="json", by_alias=True), http=line or BrokenHttp(NotSent("down")))


class NoDisk(MemoryFiles):
    """A folder that cannot be used."""

    def _broken(self, *_: Any) -> Any:
        raise OSError(28, "No space left on device")

    read = write_new = move = exists = names = _broken


class NoLine:
    """A server that is not reached."""

    async def resolve(self, host: str, port: int) -> str:
        raise NotSent(f"{host} was not reached")


def outbox(files: Any) -> Ctx:
    settings = {"folder": "mail/out", "direction": "out", "sender": SENDER, "hold": 30.0, "max_bytes": 1000}
    return Ctx("mail", settings, files=files, home_domain="studio-linde.example")


def relay(kind: str) -> Ctx:
    given = {
        "kind": kind,
        "host": "mail.example",
        "address": "mara@studio-linde.example",
        "imap_host": "imap.example",
        "smtp_host": "smtp.example",
        "username": "mara",
        "password_secret": "pass",
    }
    own = ConnectorPart.model_validate(given).model_dump(mode="json", by_alias=True)
    settings = {**own, "sender": SENDER, "hold": 0.0, "max_bytes": 1000}
    return Ctx("post", settings, dial=NoLine(), secrets={"pass": "geheim"}, home_domain="studio-linde.example")


def answering(name: str) -> Callable[[], Ctx]:
    return lambda: shop(FakeHttp(lambda *_: ANSWERS[name]))


LINES = [
    Broken("not reached", lambda: shop(BrokenHttp(NotSent("no route"))), reached=False),
    Broken("cut off", lambda: shop(BrokenHttp(MaybeSent("cut")))),
]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("broken", [*LINES, *(Broken(name, answering(name)) for name in ANSWERS)], ids=lambda b: b.name)
async def test_http_fails_within_the_closed_set(operation: str, broken: Broken) -> None:
    await check_failures(Case(http.CONNECTOR, operation, {"amount": 1}, shop), broken)
    assert set(broken.seen) <= FAULTS


async def test_a_full_disk_is_a_failure_of_the_closed_set() -> None:
    case = Case(maildir.CONNECTOR, "mail.send", MAIL, lambda: outbox(MemoryFiles()))
    await check_failures(case, Broken("full disk", lambda: outbox(NoDisk())))


@pytest.mark.parametrize("kind", ["smtp", "mail"])
async def test_a_mail_server_that_is_not_reached(kind: str) -> None:
    adapter = next(one for one in CONNECTORS if one.kind == kind)
    case = Case(adapter, "mail.send", MAIL, lambda: relay(kind))
    await check_failures(case, Broken("not reached", lambda: relay(kind), reached=False))


class Lying(http.HttpConnector):
    """Calls a broken world a success, or raises: the suite must notice."""

    def __init__(self, does: Any) -> None:
        super().__init__()
        self.does = does

    async def execute(self, ctx: Ctx, plan: Any) -> Any:
        return self.does

    async def inventory(self, ctx: Ctx, operation: str, since: Any) -> Any:
        raise Trouble("odd", "an invented fault")
        yield


@pytest.mark.parametrize("does", [Done(Receipt("x")), Unknown("x"), Refused("x")])
async def test_an_adapter_that_lies_fails(does: Any) -> None:
    case = Case(http.CONNECTOR, "note", {}, shop)
    with pytest.raises(AssertionError):
        await check_failures(replace(case, connector=Lying(does)), LINES[0])


FAULT_OF = {
    "auth": (Refused("x", auth=True), "no"),
    "rate_limited": (Refused("x", retry_after=1.0, limited=True), "no"),
    "unavailable": (Refused("x", retry_after=5.0), "no"),
    "rejected": (Refused("x"), "no"),
    "outcome_unknown": (Unknown("x"), "maybe"),
    "protocol_drift": (Trouble("protocol_drift", "x"), "no"),
}


@pytest.mark.parametrize("fault", FAULT_OF)
def test_outcomes_have_one_fault_each(fault: str) -> None:
    outcome, sent = FAULT_OF[fault]
    assert fault_of(outcome) == (fault, sent)


def test_what_worked_has_none_and_every_fault_has_advice() -> None:
    assert [fault_of(one) for one in (Done(Receipt("x")), Found(Receipt("x")), Absent("x"))] == [None] * 3
    assert fault_of(CannotTell("x")) == ("unavailable", "no")
    assert set(ADVICE) == FAULTS
