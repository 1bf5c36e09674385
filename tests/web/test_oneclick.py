"""One-time links as pages: looking decides nothing, pressing decides once, nothing of it is kept or scripted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from soloist.app import App
from soloist.engine.store import settings, tasks
from soloist.engine.store.tables import approvals
from soloist.flows.deciding import Deciding
from soloist.kernel.proposal import NewProposal
from soloist.web import server

TOML = (
    '[business]\nemail = "mara@studio-linde.example"\n[server]\npublic_host = "forms.example"\n[mail]\nhold = "30s"\n'
)
TO = "ada@okafor-ceramics.example"


@dataclass
class Site:
    app: App
    token: str
    client: httpx.AsyncClient
    proposal: str

    def decisions(self) -> list[tuple[str, str, str]]:
        rows = self.app.store.read_now(lambda conn: conn.execute(approvals.select()).all())
        return [(row.decision, row.who, row.via) for row in rows]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A home with one held answer on a known thread, and a live link to its card."""
    (tmp_path / "soloist.toml").write_text(TOML)
    app = App(tmp_path)
    payload = {"to": [TO], "subject": "<b>Your</b> site \u202e", "body": "See https://studio-linde.example/ <script>"}
    new = NewProposal("p1", "mail", "mail.send", payload, "She asked.", "agent:intake", title="Reply to Ada",
                      new_recipient=False, thread_known=True)  # fmt: skip

    def work(tx):
        settings.put(tx, "console.address", "http://testserver")
        app.desk.approvals.propose(tx, new, app.desk.facts("mail", "mail.send"), actor="intake")
        card = tasks.open_for(tx.conn, "p1")
        assert card is not None
        return Deciding(app.desk).ticket(tx, card, to="mara@studio-linde.example").mark

    token = Deciding(app.desk).secrets.token(app.store.write_now(work))
    transport = httpx.ASGITransport(server.create(app, hosts=("testserver",), start=False))
    yield Site(app, token, httpx.AsyncClient(transport=transport, base_url="http://testserver"), "p1")
    app.close()


async def press(site: Site, option: str, **more: str) -> httpx.Response:
    headers = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    return await site.client.post(f"/d/{site.token}", data={"option": option, **more}, headers=headers)


async def test_looking_shows_everything_and_decides_nothing(site: Site):
    for method in ("GET", "HEAD", "GET"):
        answer = await site.client.request(method, f"/d/{site.token}")
        assert answer.status_code == 200
    assert TO in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "U+202E" in answer.text
    assert "<script" not in answer.text
    assert 'href="https://studio-linde' not in answer.text
    assert site.decisions() == []


async def test_nothing_of_the_page_is_kept_framed_indexed_or_loaded(site: Site):
    headers = (await site.client.get(f"/d/{site.token}")).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-robots-tag"] == "noindex, nofollow"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "set-cookie" not in headers


async def test_pressing_decides_once(site: Site):
    assert "You approved it" in (await press(site, "approve")).text
    again = await press(site, "reject")
    assert again.status_code == 409
    assert "was used" in again.text
    assert site.decisions() == [("approve", "operator", "link")]
    assert (await site.client.get(f"/d/{site.token}")).status_code == 410


async def test_a_reason_is_kept_and_a_comment_is_no_decision(site: Site):
    assert "kept" in (await press(site, "comment", reason="too short")).text
    assert site.decisions() == []
    await press(site, "reject", reason="too short")
    assert site.decisions() == [("reject", "operator", "link")]


@pytest.mark.parametrize("option", ["", "edit", "compare", "allow"])
async def test_other_words_choose_nothing(site: Site, option: str):
    assert (await press(site, option)).status_code == 403
    assert site.decisions() == []


async def test_another_site_cannot_press(site: Site):
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = await site.client.post(f"/d/{site.token}", data={"option": "approve"}, headers=headers)
        assert answer.status_code == 403
    assert site.decisions() == []


@pytest.mark.parametrize("host", ["forms.example", "evil.example"])
async def test_only_under_the_consoles_own_names(site: Site, host: str):
    answer = await site.client.get(f"/d/{site.token}", headers={"Host": host})
    assert answer.status_code in (404, 421)
    assert "Ada" not in answer.text


async def test_an_unknown_link_says_nothing(site: Site):
    answer = await site.client.get(f"/d/{site.token[:-1]}x")
    assert answer.status_code == 404
    assert "Ada" not in answer.text


async def test_content_that_moved_is_said(site: Site):
    from soloist.engine.store import proposals

    def edit(tx):
        old = proposals.get(tx.conn, site.proposal)
        proposals.edit(tx, old, {**old["payload"], "body": "x"}, "0" * 64, actor="operator")

    site.app.store.write_now(edit)
    answer = await press(site, "approve")
    assert answer.status_code == 409
    assert "changed after" in answer.text
    assert site.decisions() == []


async def test_too_many_requests_from_one_address(site: Site):
    found = [(await site.client.get("/d/x")).status_code for _ in range(32)]
    assert found[0] == 404
    assert found[-1] == 429


async def test_a_long_body_is_refused(site: Site):
    assert (await press(site, "reject", reason="x" * 20_000)).status_code == 413
    assert site.decisions() == []
