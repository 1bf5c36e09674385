"""Events over the API: committed before they are answered, once for each name, refused with what would be right."""

import asyncio
from typing import Any

import pytest

NEW = {"source": "shop", "external_id": "order-1", "kind": "order.paid", "payload": {"total": 4900, "by": "Ada Okafor"}}


async def test_a_new_event_is_202_and_the_same_again_200_with_the_same_id(http: Any) -> None:
    first, again = await http.post("/events", json=NEW), await http.post("/events", json=NEW)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == again.json()
    assert set(first.json()) == {"id", "seq"}


async def test_the_same_name_with_another_payload_is_a_conflict_that_names_both_hashes(http: Any) -> None:
    await http.post("/events", json=NEW)
    answer = await http.post("/events", json={**NEW, "payload": {"total": 1}})
    said = answer.json()
    assert (answer.status_code, said["status"], said["field"]) == (409, 409, "external_id")
    assert said["stored"] in said["detail"]
    assert said["offered"] in said["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


async def test_ten_clients_at_once_get_ten_places_without_a_gap(http: Any) -> None:
    made = await asyncio.gather(*(http.post("/events", json={**NEW, "external_id": f"o-{n}"}) for n in range(10)))
    places = sorted(answer.json()["seq"] for answer in made)
    assert places == list(range(places[0], places[0] + 10))


async def test_the_tail_goes_on_where_it_ended(http: Any) -> None:
    await http.post("/events", json=NEW)
    page = (await http.get("/events", params={"limit": 500})).json()
    assert page["items"][-1]["external_id"] == "order-1"
    assert (await http.get("/events", params={"after": page["next"]})).json() == {"items": [], "next": page["next"]}
    second = (await http.post("/events", json={**NEW, "external_id": "order-2"})).json()
    for after in (page["next"], str(page["items"][-1]["seq"])):
        assert [row["id"] for row in (await http.get("/events", params={"after": after})).json()["items"]] == [
            second["id"]
        ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": "soloist"}, "source"),
        ({"kind": "with blank"}, "kind"),
        ({"external_id": ""}, "external_id"),
        ({"payload": "text"}, "payload"),
        ({"kind": "message.received", "payload": {"text": "Hello"}}, "payload.from"),
        ({"more": 1}, "more"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_stored(http: Any, change: dict[str, Any], field: str) -> None:
    before = (await http.get("/events")).json()
    answer = await http.post("/events", json={**NEW, **change})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert (await http.get("/events")).json() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"a": NaN}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 5000, 400),
        (b'{"a":' * 80 + b"1" + b"}" * 80, 400),
        (b'{"a": 1e999}', 422),
        (b'{"a": 123456789012345678901234567890}', 422),
        (b'{"a": "\\ud800"}', 422),
        (b'"text"', 422),
        (b"", 422),
        (b" " * (1024 * 1024 + 1), 413),
    ],
)
async def test_what_is_no_json_is_refused_before_it_is_looked_at(http: Any, body: bytes, status: int) -> None:
    answer = await http.post("/events", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["status"]) == (status, status)


async def test_a_body_that_streams_on_is_cut_at_the_limit(http: Any) -> None:
    async def endless() -> Any:
        for _ in range(40):
            yield b" " * 65536

    answer = await http.post("/events", content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


async def test_another_content_type_is_415(http: Any) -> None:
    answer = await http.post("/events", content=b"a=1", headers={"Content-Type": "text/plain"})
    assert (answer.status_code, "application/json" in answer.json()["detail"]) == (415, True)
