"""Lists of the http connector: pages by cursor, link and number, redirects within the rules, and nothing half."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from soloist.config import ConnectorPart
from soloist.plugins.connectors.http import CONNECTOR
from soloist.sdk import Ctx, HttpAnswer, NotSent, Thing, Trouble
from soloist.sdk.testing import BrokenHttp, FakeHttp

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
LIST = {
    "path": "/charges",
    "items": "data",
    "key": "metadata.effect",
    "title": "description",
    "at": "created",
    "fields": {"amount": "amount", "customer": "customer.id"},
}
BY_LAST = {"next": "last.id", "cursor": "starting_after", "more": "has_more", "query": {"limit": "2"}}


def charge(number: int) -> dict[str, Any]:
    return {
        "id": f"ch_{number}",
        "amount": number * 100,
        "created": 1_795_000_000 + number,
        "description": f"Invoice {number}",
        "customer": {"id": "cus_1"},
        "metadata": {"effect": f"key{number}"},
    }


def shop(reply: Any, how: Mapping[str, Any]) -> Ctx:
    operation = {"method": "POST", "path": "/charges", "class": "C", "list": {**LIST, **how}}
    part = ConnectorPart.model_validate(
        {
            "kind": "http",
            "base_url": "https://shop.example/v1",
            "headers": {"Authorization": "Bearer {secret.shop}"},
            "operations": {"charge": operation, "note": {"method": "POST", "path": "/n"}},
        }
    )
    http = FakeHttp(reply) if callable(reply) else BrokenHttp(reply)
    return Ctx("shop", part.model_dump(mode="json", by_alias=True), http=http, secrets={"shop": "sk_live_1"})


def answer(value: Any, status: int = 200, **headers: str) -> HttpAnswer:
    return HttpAnswer(status, {"content-type": "application/json", **headers}, json.dumps(value).encode())


async def listed(ctx: Ctx) -> list[Thing]:
    return [found async for found in CONNECTOR.inventory(ctx, "charge", SINCE)]


def by_pages(pages: Mapping[str, HttpAnswer]) -> Callable[..., HttpAnswer]:
    """Answers by the part of the address after the path."""
    return lambda _method, url, _body: pages[url.removeprefix("https://shop.example/v1/charges")]


async def test_pages_by_the_last_id_are_read_to_their_end() -> None:
    pages = {
        "?limit=2": answer({"data": [charge(1), charge(2)], "has_more": True}),
        "?limit=2&starting_after=ch_2": answer({"data": [charge(3)], "has_more": False}),
    }
    found = await listed(shop(by_pages(pages), BY_LAST))
    assert [thing.ref for thing in found] == ["ch_1", "ch_2", "ch_3"]
    assert (found[0].key, found[0].title, found[0].at) == ("key1", "Invoice 1", "2026-11-18T11:06:41.000000Z")
    assert found[0].fields == {"amount": 100, "customer": "cus_1"}


async def test_pages_by_a_link_header() -> None:
    link = '<https://shop.example/v1/charges>; rel="first", </v1/charges?page=2>; rel="next"'
    pages = {"": answer({"data": [charge(1)]}, link=link), "?page=2": answer({"data": [charge(2)]})}
    assert len(await listed(shop(by_pages(pages), {"next": "header.link"}))) == 2


async def test_pages_by_number_end_with_an_empty_one() -> None:
    pages = {
        "": answer({"data": [charge(1)]}),
        "?page=2": answer({"data": [charge(2)]}),
        "?page=3": answer({"data": []}),
    }
    assert len(await listed(shop(by_pages(pages), {"next": "number"}))) == 2


async def test_an_address_in_the_body_and_since_as_unix_seconds() -> None:
    pages = {
        "?created%5Bgte%5D=1793491200": answer({"data": [charge(1)], "next_url": "/v1/charges?c=x"}),
        "?c=x": answer({"data": [charge(2)]}),
    }
    how = {"next": "next_url", "since": "created[gte]", "since_as": "unix"}
    assert len(await listed(shop(by_pages(pages), how))) == 2


WRONG = {
    "html": (HttpAnswer(200, {"content-type": "text/html"}, b"<html>"), "protocol_drift"),
    "another shape": (answer({"items": []}), "protocol_drift"),
    "no id": (answer({"data": [{"name": "x"}]}), "protocol_drift"),
    "sign-in": (answer({}, 401), "auth"),
    "slow down": (answer({}, 429, **{"retry-after": "7"}), "rate_limited"),
    "down": (answer({}, 503), "unavailable"),
    "itself as next": (answer({"data": [charge(1)], "next_url": "/v1/charges"}), "protocol_drift"),
    "round in circles": (answer({}, 302, location="https://shop.example/v1/charges"), "unavailable"),
}


@pytest.mark.parametrize("how", WRONG)
async def test_a_list_that_cannot_be_read_to_its_end_is_a_trouble(how: str) -> None:
    given, fault = WRONG[how]
    with pytest.raises(Trouble) as caught:
        await listed(shop(lambda *_: given, {"next": "next_url"}))
    assert (caught.value.fault, caught.value.sent) == (fault, "no")
    assert "sk_live_1" not in str(caught.value)


async def test_more_pages_than_declared_conclude_nothing() -> None:
    def reply(_method: str, url: str, _body: Any) -> HttpAnswer:
        number = int(url.rpartition("=")[2]) if "=" in url else 1
        return answer({"data": [charge(number)]})

    with pytest.raises(Trouble, match="goes on after 3 pages"):
        await listed(shop(reply, {"next": "number", "pages": 3}))


async def test_a_line_that_breaks_is_a_trouble() -> None:
    with pytest.raises(Trouble, match="no route"):
        await listed(shop(NotSent("no route"), {}))


async def test_another_host_on_the_way_is_not_shown_the_sign_in() -> None:
    def reply(_method: str, url: str, _body: Any) -> HttpAnswer:
        if "shop.example" in url:
            return answer({}, 302, location="https://files.example/list")
        return answer({"data": [charge(1)]})

    ctx = shop(reply, {})
    await listed(ctx)
    assert ["Authorization" in sent[2] for sent in ctx.http.sent] == [True, False]


async def test_only_declared_lists_are_listed() -> None:
    ctx = shop(by_pages({}), {})
    assert CONNECTOR.listed(ctx) == ("charge",)
    with pytest.raises(Trouble, match="declares no list"):
        [found async for found in CONNECTOR.inventory(ctx, "note", SINCE)]
