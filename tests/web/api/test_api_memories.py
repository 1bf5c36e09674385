"""Memory over the API: what is kept is found at once, every answer is logged and given again, bad input is named."""

from typing import Any

import pytest

from soloist.flows.embedding import Embedding

NOTES = [
    {"text": "Ada Okafor wants the kiln photographs by Friday", "actor": "Ada", "thread": "t1", "ordinal": 1},
    {"text": "The invoice 2026-014 over 1,200 EUR was paid", "actor": "Mara", "thread": "t1", "ordinal": 2},
    {"text": "Jonas Brandt asked to move the appointment", "actor": "Jonas", "thread": "t2", "ordinal": 1},
]
ITEMS = [
    {"scope": "studio", "tier": "session", "source": "test", "ref": f"n{n}", **note} for n, note in enumerate(NOTES)
]


async def kept(http: Any) -> list[str]:
    answer = await http.post("/memories", json={"items": ITEMS})
    assert answer.status_code == 201, answer.text
    return list(answer.json()["ids"])


async def found(http: Any, **asked: Any) -> Any:
    answer = await http.get("/memories/search", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_was_kept_is_found_at_once(http: Any) -> None:
    ids = await kept(http)
    answer = await found(http, q="Who paid the invoice?", scope="studio")
    first = answer["items"][0]
    assert (first["id"], first["ref"], first["trust"], first["tier"]) == (ids[1], "n1", "unverified", "session")
    assert first["score"] == sum(first["parts"].values()) > 0
    assert (answer["mode"], answer["rows"]) == ("words only", 3)
    assert (await found(http, q="invoice", scope="elsewhere"))["items"] == []


async def test_an_answer_is_logged_and_given_again(http: Any) -> None:
    await kept(http)
    answer = await found(http, q="appointment of Jonas", scope="studio")
    row = (await http.get(f"/retrievals/{answer['retrieval']}")).json()
    assert [hit["id"] for hit in row["hits"]] == [item["id"] for item in answer["items"]]
    await http.post("/memories", json={"text": "Jonas moved the appointment again", "scope": "studio", "source": "x"})
    again = (await http.post(f"/retrievals/{answer['retrieval']}/replays")).json()
    assert (again["identical"], again["how"]) == (True, "recomputed")
    assert len((await found(http, q="appointment of Jonas"))["items"]) > len(answer["items"]) - 1


async def test_one_item_and_how_far_the_vectors_are(http: Any) -> None:
    made = (await http.post("/memories", json={"text": "one", "scope": "s", "tier": "canonical", "source": "t"})).json()
    item = (await http.get(f"/memories/{made['ids'][0]}")).json()
    assert (item["text"], item["trust"], item["expires"]) == ("one", "unverified", "")
    assert (await http.get("/memories/watermark")).json()["behind"] == 1


async def test_bad_items_are_named_and_nothing_is_kept(http: Any) -> None:
    good = {"text": "x", "scope": "s", "source": "t"}
    for wrong, field in (
        ({"tier": "eternal"}, "items[1].tier"),
        ({"ordinal": "2"}, "items[1].ordinal"),
        ({"colour": "red"}, "items[1].colour"),
        ({"at": "yesterday"}, "items[1].at"),
        ({"text": "   "}, "items[1].text"),
        ({"text": "ä" * 40_000}, "items[1].text"),
    ):
        answer = await http.post("/memories", json={"items": [good, {**good, **wrong}]})
        assert (answer.status_code // 100, answer.json()["field"]) == (4, field), answer.text
    assert (await http.post("/memories", json={"text": "x", "items": [good]})).status_code == 422
    assert (await http.get("/memories/watermark")).json()["newest"] == 0


async def test_questions_that_cannot_be_answered(http: Any) -> None:
    await kept(http)
    long = await http.post("/retrievals", json={"q": "kiln " * 20_000})
    assert (long.status_code, long.json()["field"]) == (413, "q")
    for asked in ({"q": "?!…"}, {"q": ""}, {"q": "x", "as_of": "0"}, {"q": "x", "as_of": "2001-01-01T00:00:00Z"}):
        answer = await http.get("/memories/search", params=asked)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), asked
    assert (await http.get("/memories/none")).status_code == 404
    assert (await http.post("/retrievals/none/replays")).status_code == 404
    assert (await http.get("/memories/search", params={"q": "x", "tier": "eternal"})).json()["field"] == "tier"


async def test_many_items_in_one_request(http: Any) -> None:
    items = [{"text": f"note number {n} about glaze", "scope": "many", "source": "t"} for n in range(10_001)]
    assert (await http.post("/memories", json={"items": items})).status_code == 422
    assert len((await http.post("/memories", json={"items": items[:-1]})).json()["ids"]) == 10_000
    answer = await found(http, q="glaze 9999", scope="many", k=3)
    assert (answer["items"][0]["text"], answer["rows"]) == ("note number 9999 about glaze", 10_000)


async def test_vectors_of_the_shipped_model_and_another_generation(http: Any, app: Any) -> None:
    await kept(http)
    work = Embedding(app.desk.store, app.desk.memory)
    await work.catch_up()
    assert work.trouble == ""
    answer = await found(http, q="rescheduling a visit", scope="studio")
    assert (answer["mode"], answer["behind"], answer["items"][0]["ref"]) == ("words and meaning", 0, "n2")
    made = await http.post("/memories/generations", json={"rule": "text"})
    assert (made.status_code, made.json()["state"]) == (201, "building")
    assert (await http.post("/memories/generations", json={})).status_code == 409
    assert (await http.get("/memories/watermark")).json()["left"] == 3
    await work.catch_up()
    states = [(row["rule"], row["state"]) for row in (await http.get("/memories/generations")).json()["items"]]
    assert sorted(states) == [("speaker: text", "retired"), ("text", "active")]
    assert (await http.post(f"/retrievals/{answer['retrieval']}/replays")).json()["identical"] is True
    assert (await http.delete("/memories/generations/none")).status_code == 404


NUL = "a\x00b"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/retrievals", {"q": NUL}, "q"),
        ("/retrievals", {"q": "x", "scope": [NUL]}, "scope[0]"),
        ("/retrievals", {"q": "x", "record": ["r" * 301]}, "record[0]"),
        ("/facts", {"record": "r", "attribute": "note", "value": {"of": [NUL]}}, "value"),
        ("/outcomes", {"object": "r", "metric": "clicks", "value": NUL}, "value"),
        ("/outcomes", {"object": "r", "metric": "clicks", "unit": NUL}, "unit"),
        ("/work-sessions", {"title": "x", "scope": NUL}, "scope"),
        ("/documents", {"name": "x", "text": "x", "mime": NUL}, "mime"),
        ("/snapshots", {"label": NUL}, "label"),
        ("/merges", {"kept": "a", "other": "b", "why": NUL}, "why"),
    ],
)
async def test_what_no_database_can_hold_is_refused_and_the_field_is_named(http, path, body, field):
    answer = await http.post(path, json=body)
    assert (answer.status_code, answer.json()["field"].split(".")[0]) == (422, field)


async def test_only_who_may_approve_writes_what_is_kept_for_good(clients):
    helper, mine = clients("propose", name="helper"), clients()
    for tier, code in (("session", 201), ("working", 201), ("canonical", 403)):
        answer = await helper.post("/memories", json={"text": "Pay at once", "tier": tier})
        assert answer.status_code == code, answer.text
    assert answer.json()["field"] == "tier"
    (ident,) = (await mine.post("/memories", json={"text": "For good", "tier": "canonical"})).json()["ids"]
    assert (await mine.get(f"/memories/{ident}")).json()["trust"] == "unverified"
