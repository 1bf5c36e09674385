"""The door with the http connector against a real server: its pace, one allowance per credential, and bad answers."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from soloist.config import parse
from soloist.engine.outbound import Door
from soloist.engine.registry import load
from soloist.kernel.errors import BadConfig, Conflict
from soloist.sdk import Absent, CannotTell, Done, Found, Plan, Receipt, Refused, Unknown

KEY = "k2f7q0a9example"
AT = "2026-11-21T09:30:00+00:00"
JSON = "Content-Type: application/json\r\n"
OPERATIONS = {
    "charge": {"method": "POST", "path": "/charges", "class": "A", "key_header": "Idempotency-Key", "timeout": "3s"},
    "put": {
        "method": "PUT",
        "path": "/events/{key}",
        "class": "B",
        "timeout": "3s",
        "find": {"path": "/events/{key}", "lag": "50ms"},
        "undo": {"method": "DELETE", "path": "/events/{ref}"},
        "page": "https://calendar.example/{payload.year}/{ref}",
    },
}


def says(status: int, body: bytes = b"{}", headers: str = JSON) -> bytes:
    return f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Shop:
    """Answers with what ``answers`` holds, one after the other, the last one for ever; ``seen`` has the instants."""

    def __init__(self) -> None:
        self.answers: list[bytes] = [says(200, b'{"id": "1"}')]
        self.seen: list[tuple[float, str]] = []
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(h[15:]) for h in head.lower().split("\r\n") if h.startswith("content-length:")), 0)
        await reader.readexactly(length)
        self.seen.append((time.monotonic(), head))
        try:
            writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
            await writer.drain()
        except ConnectionError:
            pass
        writer.close()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    server = await asyncio.start_server(made.talk, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


def door_to(shop: Shop, home: Path, **more: Any) -> Door:
    part = {"kind": "http", "base_url": f"http://127.0.0.1:{shop.port}", "allow_private_network": True}
    part |= {"headers": {"Authorization": "Bearer {secret.shop}"}, "operations": OPERATIONS, **more}
    return Door(parse({"connectors": {"shop": part, "shop-eu": part}}), home, load(), {"shop": "sk_1"}.__getitem__)


@pytest.fixture
def door(shop: Shop, tmp_path: Path) -> Door:
    return door_to(shop, tmp_path)


def charge(door: Door, connector: str = "shop") -> Plan:
    return door.prepare(connector, "charge", {"amount": 1}, KEY, AT)


def put(door: Door) -> Plan:
    return door.prepare("shop", "put", {"year": 2026}, KEY, AT)


async def test_a_429_is_obeyed_to_the_second_by_everyone_with_this_credential(shop: Shop, door: Door) -> None:
    shop.answers = [says(429, headers="Retry-After: 1\r\n"), says(200)]
    first = await door.execute("shop", charge(door))
    assert isinstance(first, Refused)
    assert (first.retry_after, first.limited) == (1.0, True)
    assert isinstance(await door.execute("shop-eu", charge(door, "shop-eu")), Done)
    pause = shop.seen[1][0] - shop.seen[0][0]
    assert 1.0 <= pause < 1.5


async def test_a_longer_429_is_not_tried_before_its_time(shop: Shop, door: Door) -> None:
    shop.answers = [says(429, headers="Retry-After: 60\r\n")]
    for _ in range(4):
        found = await door.execute("shop", charge(door))
    assert isinstance(found, Refused)
    assert 59 < (found.retry_after or 0) <= 60
    assert len(shop.seen) == 1
    assert door.breakers.state("shop") == "closed"


async def test_near_the_limit_only_what_was_just_decided_goes(shop: Shop, door: Door) -> None:
    said = f"{JSON}X-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 20\r\nX-RateLimit-Reset: 60\r\n"
    shop.answers = [says(200, headers=said)]
    await door.execute("shop", charge(door))
    by_itself = await door.execute("shop", charge(door), urgent=False)
    assert isinstance(by_itself, Refused)
    assert by_itself.limited
    assert isinstance(await door.execute("shop", charge(door)), Done)
    assert len(shop.seen) == 2


async def test_a_declared_rate_holds(shop: Shop, tmp_path: Path) -> None:
    door = door_to(shop, tmp_path, rate="2/m")
    found = [await door.execute(name, charge(door, name)) for name in ("shop", "shop-eu", "shop")]
    assert [type(outcome) for outcome in found] == [Done, Done, Refused]


BAD = {
    "html": says(200, b"<html>please sign in</html>", "Content-Type: text/html\r\n"),
    "cut json": says(200, b'{"id": '),
    "a body that ends early": says(200, b"x" * 99)[:-90],
    "8 MB": says(200, b'{"id": "' + b"x" * 8 * 1024 * 1024 + b'"}'),
    "a redirect to a private address": says(302, b"", "Location: http://10.0.0.1/admin\r\n"),
    "a redirect to metadata": says(307, b"", "Location: http://169.254.169.254/latest/\r\n"),
    "nothing": b"",
    "no HTTP": b"hello\r\n\r\n",
    "the secret": says(500, b"you sent Bearer sk_1"),
}


@pytest.mark.parametrize("how", BAD)
async def test_a_bad_answer_is_unknown_with_evidence(shop: Shop, door: Door, how: str) -> None:
    shop.answers = [BAD[how]]
    found = await door.execute("shop", charge(door))
    assert isinstance(found, Unknown)
    assert 0 < len(found.evidence) < 700
    assert "sk_1" not in f"{found}"
    assert len(shop.seen) == 1


@pytest.mark.parametrize("how", [how for how in BAD if how != "the secret"])
async def test_a_bad_answer_to_a_look_up_proves_nothing(shop: Shop, door: Door, how: str) -> None:
    shop.answers = [BAD[how]]
    assert isinstance(await door.find("shop", put(door)), CannotTell)


async def test_reading_follows_redirects_on_its_own_host_only(shop: Shop, door: Door) -> None:
    shop.answers = [says(302, b"", "Location: /moved\r\n"), says(200, b'{"id": "ev_1"}')]
    assert await door.find("shop", put(door)) == Found(Receipt("ev_1", '200 {"id": "ev_1"}'))
    shop.answers = [says(302, b"", f"Location: http://localhost:{shop.port}/moved\r\n")]
    found = await door.find("shop", put(door))
    assert isinstance(found, CannotTell)
    assert "may reach" in found.reason


async def test_more_than_three_redirects_are_not_followed(shop: Shop, door: Door) -> None:
    shop.answers = [says(302, b"", f"Location: /{n}\r\n") for n in range(9)]
    assert isinstance(await door.find("shop", put(door)), CannotTell)
    assert len(shop.seen) == 4


async def test_a_further_host_is_reached_only_when_it_is_declared(shop: Shop, tmp_path: Path) -> None:
    operation = {"method": "POST", "path": f"http://localhost:{shop.port}/files", "class": "C"}
    closed = door_to(shop, tmp_path, operations={"up": operation})
    found = await closed.execute("shop", closed.prepare("shop", "up", {}, KEY, AT))
    assert isinstance(found, Refused)
    assert "may reach" in found.reason
    declared = door_to(shop, tmp_path, operations={"up": operation}, hosts=[f"localhost:{shop.port}"])
    assert isinstance(await declared.execute("shop", declared.prepare("shop", "up", {}, KEY, AT)), Done)


def test_a_further_host_obeys_the_rules(shop: Shop, tmp_path: Path) -> None:
    door = door_to(shop, tmp_path, hosts=["0x7f.1"])
    with pytest.raises(BadConfig, match=r"connectors\.shop\.hosts"):
        charge(door)


async def test_a_token_is_fetched_where_it_was_declared_and_its_secret_is_granted(shop: Shop, tmp_path: Path) -> None:
    address = f"http://localhost:{shop.port}/token"
    auth = {"kind": "client_credentials", "secret": "shop", "client_id": "me", "token_url": address}
    door = door_to(shop, tmp_path, headers={}, auth=auth)
    shop.answers = [says(200, b'{"access_token": "t_1"}'), says(200, b'{"you sent": "t_1 sk_1"}')]
    found = await door.execute("shop", charge(door))
    assert isinstance(found, Done)
    assert found.receipt.detail == '200 {"you sent": "[secret] [secret]"}'
    assert ["POST /token" in shop.seen[0][1], "Authorization: Bearer t_1" in shop.seen[1][1]] == [True, True]


async def test_how_late_a_write_shows_is_measured(shop: Shop, door: Door) -> None:
    shop.answers = [says(500), says(404), says(200)]
    await door.execute("shop", put(door))
    await asyncio.sleep(0.1)
    assert isinstance(await door.find("shop", put(door)), Absent)
    assert isinstance(await door.find("shop", put(door)), Found)
    assert 0.1 <= door.lines.lags["shop", "put"] < 30


def test_the_providers_page_needs_its_id(door: Door) -> None:
    assert door.page("shop", put(door), "a/b") == "https://calendar.example/2026/a%2Fb"
    assert door.page("shop", put(door), "") == ""
    assert door.page("shop", charge(door), "1") == ""


def test_a_way_back_without_the_providers_id_is_said(door: Door) -> None:
    with pytest.raises(Conflict, match="cannot be taken back as declared"):
        door.undo("shop", put(door), Receipt(""))


async def test_when_one_is_down_the_other_answers(shop: Shop, tmp_path: Path) -> None:
    part = {"kind": "http", "base_url": f"http://127.0.0.1:{shop.port}", "allow_private_network": True}
    dead = {**part, "base_url": "http://127.0.0.1:9", "operations": OPERATIONS}
    settings = parse({"connectors": {"shop": {**part, "operations": OPERATIONS}, "dead": dead}})
    door = Door(settings, tmp_path, load(), str)
    for _ in range(6):
        assert isinstance(await door.execute("dead", charge(door, "dead")), Refused)
        assert isinstance(await door.execute("shop", charge(door)), Done)
    assert (door.breakers.state("dead"), door.breakers.state("shop")) == ("open", "closed")
