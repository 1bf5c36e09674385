"""The page of several cards: whole contents, a tick and a hash each, and what became of them."""

from __future__ import annotations

from starlette.testclient import TestClient


def test_every_item_is_whole_with_its_hash_and_no_tick_is_set(console: TestClient, fake) -> None:
    text = console.get("/together/c1").text
    for ident in ("c1", "c2"):
        sheet = fake.sheets[ident]
        assert f'name="hash.{ident}" value="{sheet.payload_hash}"' in text
        assert sheet.draft[2].value.split("\n")[2] in text
    assert text.count('type="checkbox" name="item"') == 2
    assert "checked" not in text.split('id="together"')[1].split("</form>")[0]


def test_only_what_was_ticked_is_sent_with_what_was_shown(console: TestClient, fake) -> None:
    form = {"item": ["c2"], "hash.c1": "a", "hash.c2": "b", "option": "approve"}
    answer = console.post("/together/c1", data=form)
    assert fake.time.decided == [({"c2": "b"}, "approve", False)]
    assert "It changed after you opened it." in answer.text


def test_nothing_ticked_decides_nothing(console: TestClient, fake) -> None:
    answer = console.post("/together/c1", data={"option": "approve", "hash.c1": "a"})
    assert (answer.status_code, fake.time.decided) == (422, [])


def test_a_bundle_carries_every_item(console: TestClient) -> None:
    text = console.get("/together/c2").text
    assert text.count('type="hidden" name="item"') == 2
    assert "Approve all 2" in text


def test_a_card_alone_has_nothing_beside_it(console: TestClient) -> None:
    assert "Nothing to decide together" in console.get("/together/none").text


def test_a_card_leads_to_the_others_like_it(console: TestClient) -> None:
    assert '<a href="/together/c1">Read them on one page</a>' in console.get("/?card=c1").text
