"""The http connector against a real server on loopback that answers well, badly, late, half or not at all."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from soloist.config import ConnectorPart
from soloist.engine.egress import Egress
from soloist.plugins.connectors.http import CONNECTOR
from soloist.plugins.connectors.http.answers import judge, wait
from soloist.plugins.connectors.http.lookup import judge as look
from soloist.sdk import (
    Absent,
    CannotTell,
    Ctx,
    Done,
    Found,
    HttpAnswer,
    Lookup,
    Outcome,
    Plan,
    Receipt,
    Refused,
    Unknown,
)

KEY = "k2f7q0a9example"
AT = "2026-11-21T09:30:00+00:00"
JSON = "Content-Type: application/json\r\n"
OPERATIONS = {
    "create_charge": {
        "method": "POST",
        "path": "/charges",
        "class": "A",
        "key_header": "Idempotency-Key",
        "timeout": "1s",
    },
    "put_event": {
        "method": "PUT",
        "path": "/events/{key}",
        "headers": {"If-None-Match": "*"},
        "class": "B",
        "find": {"path": "/events/{key}"},
        "undo": {"method": "DELETE", "path": "/events/{key}"},
    },
    "notify": {
        "method": "POST",
        "path": "/people/{payload.person}/notes",
        "class": "C",
        "headers": {"X-Topic": "{payload.topic}"},
    },
    "remove": {"method": "DELETE", "path": "/notes/{payload.id}", "class": "C"},
}


class Server:
    """Answers every request with ``answer`` (bytes, or a coroutine that does as it likes) and remembers them."""

    def __init__(self) -> None:
        self.answer: Any = b"HTTP/1.1 204 No Content\r\n\r\n"
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            length = next((int(h[15:]) for h in head.lower().split("\r\n") if h.startswith("content-length:")), 0)
            self.bodies.append(await reader.readexactly(length))
            if callable(self.answer):
                await self.answer(writer)
            else:
                writer.write(self.answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def says(status: int, body: str = "", headers: str = JSON) -> bytes:
    return f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    running = await asyncio.start_server(made.talk, "127.0.0.1", 0)
    made.port = running.sockets[0].getsockname()[1]
    yield made
    running.close()


@pytest.fixture
def ctx(server: Server) -> Ctx:
    return ctx_for(f"http://127.0.0.1:{server.port}/api")


def ctx_for(base_url: str, secrets: Mapping[str, str] | None = None, **more: Any) -> Ctx:
    part = ConnectorPart.model_validate(
        {"kind": "http", "base_url": base_url, "allow_private_network": True, "operations": OPERATIONS, **more}
    )
    egress = Egress.for_url(base_url, allow_private=True)
    return Ctx("shop", part.model_dump(mode="json", by_alias=True), http=egress, secrets=secrets or {})


def plan(ctx: Ctx, operation: str = "create_charge", **payload: Any) -> Plan:
    return CONNECTOR.prepare(ctx, operation, payload or {"amount": 4900}, KEY, AT)


async def outcome(ctx: Ctx, operation: str = "create_charge", **payload: Any) -> Outcome:
    return await CONNECTOR.execute(ctx, plan(ctx, operation, **payload))


def test_the_request_is_the_same_for_the_same_payload_key_and_time(ctx: Ctx) -> None:
    assert plan(ctx, a=1, b=2).request == plan(ctx, b=2, a=1).request
    assert plan(ctx, a=1).request != plan(ctx, a=2).request


def test_operations_say_class_window_and_way_back(ctx: Ctx) -> None:
    operations = CONNECTOR.operations(ctx)
    assert (operations["create_charge"].effect_class, operations["create_charge"].key_window) == ("A", 86400.0)
    assert (operations["put_event"].undo, operations["put_event"].way_back) == ("exact", "DELETE /events/{key}")
    assert (operations["put_event"].lookup_lag, operations["notify"].undo) == (2.0, "none")


@pytest.mark.parametrize("value", ["../../admin", "a/b", "..%2fx", "a?b#c", "ü ", "a\r\nb", "%2e%2e"])
def test_a_payload_value_stays_in_its_segment(ctx: Ctx, value: str) -> None:
    url = plan(ctx, "notify", person=value, topic="t").data["url"]
    assert url.startswith(ctx.settings["base_url"] + "/people/")
    assert url.removeprefix(ctx.settings["base_url"]).count("/") == 3
    assert "?" not in url


@pytest.mark.parametrize("value", ["..", "."])
def test_a_payload_value_cannot_climb(ctx: Ctx, value: str) -> None:
    with pytest.raises(ValueError, match="^path: "):
        plan(ctx, "notify", person=value, topic="t")


@pytest.mark.parametrize("person", ["", None, ["a"], {"a": 1}, True, 1.5])
def test_a_value_that_cannot_stand_in_a_path_names_the_field(ctx: Ctx, person: Any) -> None:
    with pytest.raises(ValueError, match=r"^payload\.person: "):
        plan(ctx, "notify", person=person, topic="t")


def test_a_missing_field_is_named(ctx: Ctx) -> None:
    with pytest.raises(ValueError, match=r"^payload\.topic: "):
        plan(ctx, "notify", person="ada")


def test_a_header_cannot_be_injected(ctx: Ctx) -> None:
    with pytest.raises(ValueError, match=r"^headers\.X-Topic: "):
        plan(ctx, "notify", person="ada", topic="a\r\nX-Admin: 1")


async def test_key_and_canonical_body_arrive(ctx: Ctx, server: Server) -> None:
    server.answer = says(201, '{"id": "ch_1"}')
    assert await outcome(ctx, b=1, a="ü") == Done(Receipt("ch_1", '201 {"id": "ch_1"}'))
    assert server.heads[0].startswith("POST /api/charges HTTP/1.1")
    assert f"Idempotency-Key: {KEY}" in server.heads[0]
    assert server.bodies[0] == '{"a":"ü","b":1}'.encode()


async def test_a_delete_has_no_body(ctx: Ctx, server: Server) -> None:
    assert isinstance(await outcome(ctx, "remove", id=7), Done)
    assert server.heads[0].startswith("DELETE /api/notes/7 ")
    assert server.bodies[0] == b""


DONE = {
    "empty 204": (b"HTTP/1.1 204 No Content\r\n\r\n", KEY),
    "empty 201 with location": (b"HTTP/1.1 201 C\r\nLocation: /c/9\r\nContent-Length: 0\r\n\r\n", "/c/9"),
    "number as id": (says(200, '{"id": 12}'), "12"),
    "problem-free json list": (says(200, "[1]"), KEY),
    "plain ok": (says(200, "ok", "Content-Type: text/plain\r\n"), KEY),
    "json without a type": (says(200, "{}", ""), KEY),
}


@pytest.mark.parametrize("how", DONE)
async def test_a_clear_answer_is_done(ctx: Ctx, server: Server, how: str) -> None:
    server.answer, reference = DONE[how]
    found = await outcome(ctx)
    assert isinstance(found, Done)
    assert found.receipt.provider_ref == reference


@pytest.mark.parametrize("status", [400, 404, 405, 410, 412, 413, 415, 422])
async def test_a_declared_refusal_is_refused_for_good(ctx: Ctx, server: Server, status: int) -> None:
    server.answer = says(status, '{"error": "no such person"}')
    found = await outcome(ctx)
    assert isinstance(found, Refused)
    assert (found.retry_after, found.auth) == (None, False)
    assert "no such person" in found.evidence


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_sign_in_says_so(ctx: Ctx, server: Server, status: int) -> None:
    server.answer = says(status)
    found = await outcome(ctx)
    assert isinstance(found, Refused)
    assert found.auth


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": "soon"}, 30.0),
        ({}, 30.0),
        ({"retry-after": "99999999999999"}, 86_400.0),
        ({"retry-after": "Sat, 21 Nov 2020 10:00:30 GMT"}, 1.0),
    ],
)
def test_a_429_says_how_long_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert wait(headers) == seconds
    found = judge(HttpAnswer(429, headers, b""), key=KEY, effect_class="C")
    assert isinstance(found, Refused)
    assert found.retry_after == seconds


async def late(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3)


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()


UNKNOWN = {
    "500": says(500, "boom"),
    "502": says(502),
    "503 with retry-after": says(503, "", "Retry-After: 5\r\n"),
    "302": says(302, "", "Location: http://127.0.0.1:1/\r\n"),
    "408": says(408),
    "418": says(418),
    "200 with html": says(200, "<html>login</html>", "Content-Type: text/html\r\n"),
    "200 with html called text": says(200, "<html>login</html>", "Content-Type: text/plain\r\n"),
    "200 with broken json": says(200, '{"id": '),
    "200 with html and no type": says(200, "<html>", ""),
    "200 that may be cut before its body": b"HTTP/1.1 200 OK\r\n\r\n",
    "cut body": b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"id":1}',
    "late": late,
    "reset": reset,
    "closed": close,
}


@pytest.mark.parametrize("how", UNKNOWN)
async def test_everything_else_is_unknown(ctx: Ctx, server: Server, how: str) -> None:
    server.answer = UNKNOWN[how]
    found = await outcome(ctx)
    assert isinstance(found, Unknown)
    assert found.evidence
    assert len(server.heads) == 1


async def test_a_service_that_is_not_there_is_refused_and_tried_later(ctx: Ctx) -> None:
    gone = replace(
        ctx,
        settings={**ctx.settings, "base_url": "http://127.0.0.1:9"},
        http=Egress.for_url("http://127.0.0.1:9", allow_private=True),
    )
    found = await outcome(gone)
    assert isinstance(found, Refused)
    assert found.retry_after == 5.0


@pytest.mark.parametrize(("effect_class", "status"), [("A", 409), ("B", 409), ("B", 412)])
def test_a_conflict_that_may_be_our_own_write_is_unknown(effect_class: str, status: int) -> None:
    found = judge(HttpAnswer(status, {}, b""), key=KEY, effect_class=effect_class)
    assert isinstance(found, Unknown)


def test_a_conflict_in_class_c_is_refused() -> None:
    assert isinstance(judge(HttpAnswer(409, {}, b""), key=KEY, effect_class="C"), Refused)


async def test_a_secret_is_sent_and_shown_nowhere(server: Server) -> None:
    ctx = ctx_for(
        f"http://127.0.0.1:{server.port}",
        {"shop_key": "sk_live_1"},
        headers={"Authorization": "Bearer {secret.shop_key}"},
    )
    server.answer = says(422, '{"you sent": "Bearer sk_live_1"}')
    prepared = plan(ctx)
    found = await CONNECTOR.execute(ctx, prepared)
    assert "Authorization: Bearer sk_live_1" in server.heads[0]
    assert "sk_live_1" not in f"{prepared}{found}"
    assert "[secret]" in str(found)


async def test_a_missing_secret_sends_nothing(server: Server) -> None:
    ctx = ctx_for(f"http://127.0.0.1:{server.port}", headers={"Authorization": "Bearer {secret.gone}"})
    found = await outcome(ctx)
    assert isinstance(found, Refused)
    assert found.auth
    assert "'gone'" in found.reason
    assert server.heads == []


@pytest.mark.parametrize("handle", ["{secret.shop_key}", "{{secret:shop_key}}", "{ secret.shop_key }"])
async def test_a_handle_in_a_payload_stays_letters(server: Server, handle: str) -> None:
    ctx = ctx_for(
        f"http://127.0.0.1:{server.port}",
        {"shop_key": "sk_live_1"},
        headers={"Authorization": "Bearer {secret.shop_key}"},
    )
    await outcome(ctx, amount=1, note=handle, more={handle: [handle]})
    assert handle in server.bodies[0].decode()
    assert "sk_live_1" not in server.bodies[0].decode()
    assert server.heads[0].count("sk_live_1") == 1


def test_a_secret_in_a_path_is_refused(server: Server) -> None:
    ctx = ctx_for("http://127.0.0.1:9", operations={"x": {"method": "POST", "path": "/{secret.a}", "class": "C"}})
    with pytest.raises(ValueError, match=r"^secret\.a: secrets belong in headers"):
        plan(ctx, "x")


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, Found), (404, Absent), (500, CannotTell), (401, CannotTell), (302, CannotTell), (418, CannotTell)],
)
async def test_a_look_up_proves_only_what_its_expressions_say(
    ctx: Ctx, server: Server, status: int, verdict: type[Lookup]
) -> None:
    server.answer = says(status, '{"id": "ev_1"}')
    found = await CONNECTOR.find(ctx, plan(ctx, "put_event"))
    assert isinstance(found, verdict)
    assert server.heads[0].startswith(f"GET /api/events/{KEY} ")


async def test_a_look_up_over_a_broken_line_cannot_tell(ctx: Ctx, server: Server) -> None:
    server.answer = close
    assert isinstance(await CONNECTOR.find(ctx, plan(ctx, "put_event")), CannotTell)


async def test_an_operation_without_look_up_cannot_tell(ctx: Ctx) -> None:
    assert isinstance(await CONNECTOR.find(ctx, plan(ctx)), CannotTell)


@pytest.mark.parametrize(
    ("body", "found", "absent", "verdict"),
    [
        ({"items": [{"ref": KEY}]}, "body.items.exists(i, i.ref == key)", "body.items.size() == 0", Found),
        ({"items": []}, "body.items.exists(i, i.ref == key)", "body.items.size() == 0", Absent),
        ({"other": 1}, "body.items.exists(i, i.ref == key)", "body.items.size() == 0", CannotTell),
        ({}, "status == 200", "status == 200", CannotTell),
        (None, "body.id == key", "status == 200", Absent),
    ],
)
def test_look_up_expressions_read_the_body(body: Any, found: str, absent: str, verdict: type[Lookup]) -> None:
    assert isinstance(look(HttpAnswer(200, {}, json.dumps(body).encode()), found, absent, key=KEY), verdict)


@pytest.mark.parametrize("expression", ["stat == 200", "status ==", "status"])
def test_a_wrong_expression_is_found_when_preparing(expression: str) -> None:
    operation = {**OPERATIONS["put_event"], "find": {"path": "/x", "found": expression}}
    ctx = ctx_for("http://127.0.0.1:9", operations={"x": operation})
    with pytest.raises(ValueError, match=r"^find\.found: "):
        plan(ctx, "x")


async def test_undo_is_a_request_of_its_own_for_the_same_thing(ctx: Ctx, server: Server) -> None:
    back = CONNECTOR.undo(ctx, plan(ctx, "put_event"), Receipt("ev_1"))
    assert back is not None
    assert back.key != KEY
    assert isinstance(await CONNECTOR.execute(ctx, back), Done)
    assert server.heads[0].startswith(f"DELETE /api/events/{KEY} ")


@pytest.mark.parametrize("status", [404, 410])
async def test_undoing_what_is_gone_is_done(ctx: Ctx, server: Server, status: int) -> None:
    back = CONNECTOR.undo(ctx, plan(ctx, "put_event"), Receipt("ev_1"))
    server.answer = says(status)
    assert isinstance(await CONNECTOR.execute(ctx, back), Done)


@pytest.mark.parametrize(("status", "verdict"), [(404, Found), (200, Absent), (500, CannotTell)])
async def test_the_look_up_of_an_undo_asks_whether_it_is_gone(
    ctx: Ctx, server: Server, status: int, verdict: type[Lookup]
) -> None:
    back = CONNECTOR.undo(ctx, plan(ctx, "put_event"), Receipt("ev_1"))
    server.answer = says(status, "{}")
    assert isinstance(await CONNECTOR.find(ctx, back), verdict)


def test_an_operation_without_undo_has_no_way_back(ctx: Ctx) -> None:
    assert CONNECTOR.undo(ctx, plan(ctx), Receipt("ch_1")) is None


def test_an_undo_may_name_the_providers_id_and_the_payload() -> None:
    back = {"method": "POST", "path": "/charges/{ref}/refunds", "body": {"amount": "{payload.amount}"}}
    ctx = ctx_for("http://127.0.0.1:9", operations={"x": {**OPERATIONS["create_charge"], "undo": back}})
    made = CONNECTOR.undo(ctx, plan(ctx, "x"), Receipt("ch/1"))
    assert (made.data["url"], made.data["body"]) == ("http://127.0.0.1:9/charges/ch%2F1/refunds", '{"amount":4900}')
    assert made.data["headers"]["Idempotency-Key"] == f"{KEY}.undo"


@pytest.mark.parametrize(("status", "state"), [(200, "ok"), (404, "ok"), (401, "auth"), (503, "degraded")])
async def test_check_reads_and_writes_nothing(ctx: Ctx, server: Server, status: int, state: str) -> None:
    server.answer = says(status)
    assert (await CONNECTOR.check(ctx)).state == state
    assert server.heads[0].startswith("GET ")
