"""The public form against a real home: what is taken in, what is refused, and in which words."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from soloist.app import App
from soloist.engine.store import events
from soloist.web import forms, server

GOOD = {
    "name": "Rosa Adler",
    "email": "rosa@adler-wein.example",
    "message": "We need a new website.",
    "budget": "5000 EUR",
}


@pytest.fixture
async def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor of a home whose form may be sent at once."""
    monkeypatch.setattr(forms, "SOONEST", -5.0)
    (tmp_path / "soloist.toml").write_text("[forms.contact]\nper_hour = 5\nallowed_origins = ['https://a.example']\n")
    app = App(tmp_path)
    transport = httpx.ASGITransport(server.create(app, hosts=("testserver",), start=False))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as visitor:
        visitor.app = app  # type: ignore[attr-defined]  # what was stored is looked at through it
        yield visitor
    app.close()


async def ticket(client: httpx.AsyncClient) -> str:
    """The ticket of a freshly shown form."""
    page = (await client.get("/f/contact")).text
    return re.search(r'name="ticket" value="([^"]+)"', page)[1]  # type: ignore[index]  # it is there


async def taken(client: httpx.AsyncClient) -> list[dict[str, object]]:
    """The form events that were committed."""
    return await client.app.store.read(lambda conn: events.after(conn, 0, 50, kind="form.submitted"))  # type: ignore[attr-defined]


async def test_a_submission_is_committed_before_the_thanks(client: httpx.AsyncClient) -> None:
    answer = await client.post("/f/contact", data={**GOOD, "ticket": await ticket(client)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/f/contact?sent=1")
    (event,) = await taken(client)
    assert event["payload"]["from"] == "rosa@adler-wein.example"  # type: ignore[index]  # a payload
    assert "Thank you" in (await client.get("/f/contact?sent=1")).text


async def test_pressing_twice_is_one_message(client: httpx.AsyncClient) -> None:
    mark = await ticket(client)
    for _ in range(2):
        assert (await client.post("/f/contact", data={**GOOD, "ticket": mark})).status_code == 303
    assert len(await taken(client)) == 1


async def test_a_robot_is_thanked_and_not_taken_in(client: httpx.AsyncClient) -> None:
    answer = await client.post("/f/contact", data={**GOOD, "ticket": await ticket(client), forms.TRAP: "http://x"})
    assert answer.status_code == 303
    assert not await taken(client)


@pytest.mark.parametrize("mark", ["", "contact.1.aa.bb", "contact.1795239049.c67f5b5923fccf78.00"])
async def test_a_foreign_ticket_is_refused(client: httpx.AsyncClient, mark: str) -> None:
    assert (await client.post("/f/contact", data={**GOOD, "ticket": mark})).status_code == 422
    assert not await taken(client)


async def test_faults_are_named_by_field_and_the_words_are_kept(client: httpx.AsyncClient) -> None:
    sent = {"name": "", "email": "rosa", "message": "My words <b>", "ticket": await ticket(client)}
    answer = await client.post("/f/contact", data=sent)
    assert answer.status_code == 422
    assert "Please tell us your name." in answer.text
    assert "ada@example.org" in answer.text
    assert "My words &lt;b&gt;" in answer.text


async def test_a_megabyte_is_refused_and_nothing_is_stored(client: httpx.AsyncClient) -> None:
    answer = await client.post("/f/contact", data={**GOOD, "message": "a" * 1_000_000, "ticket": "x"})
    assert answer.status_code == 413
    assert "too long" in answer.text
    assert not await taken(client)


async def test_one_address_may_send_a_few_in_an_hour(client: httpx.AsyncClient) -> None:
    codes = [
        (await client.post("/f/contact", data={**GOOD, "ticket": await ticket(client)})).status_code for _ in range(6)
    ]
    assert codes == [303] * 5 + [429]


async def test_only_named_sites_may_frame_it(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/f/contact")).headers["content-security-policy"]
    assert "frame-ancestors https://a.example" in policy
    assert (await client.get("/f/unknown")).status_code == 404


async def test_its_style_is_reachable_under_the_public_path(client: httpx.AsyncClient) -> None:
    page = (await client.get("/f/contact")).text
    style = re.search(r'href="(/f/-/app.css[^"]*)"', page)
    assert style
    assert (await client.get(style[1])).status_code == 200


async def test_a_changed_text_under_an_old_ticket_is_not_lost(client: httpx.AsyncClient) -> None:
    mark = await ticket(client)
    await client.post("/f/contact", data={**GOOD, "ticket": mark})
    answer = await client.post("/f/contact", data={**GOOD, "message": "Something else", "ticket": mark})
    assert answer.status_code == 409
    assert "Something else" in answer.text
    fresh = re.search(r'name="ticket" value="([^"]+)"', answer.text)
    assert fresh
    again = await client.post("/f/contact", data={**GOOD, "message": "Something else", "ticket": fresh[1]})
    assert again.status_code == 303
    assert len(await taken(client)) == 2


@pytest.mark.parametrize(("method", "path"), [("GET", "/f/contact/zzz"), ("PUT", "/f/contact"), ("GET", "/hooks/shop")])
async def test_a_wrong_address_shows_visitors_nothing_of_the_console(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code in (404, 405)
    assert "<" not in answer.text
