"""P14: the page of a card shows what will happen, whatever the payload was made to look like."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine.store import records, tasks
from soloist.kernel.ids import derived
from soloist.kernel.proposal import NewProposal
from soloist.web.console import Console
from soloist.web.pages import routes
from soloist.web.pages.edge import faults as pages_of_faults
from tests.storm.deceptions import ADA, ALL, BODY, Deception, faults, mail

pytestmark = pytest.mark.storm


@pytest.fixture
def console(app: App, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    # the mail connector refuses some of these before they are a card; others' connectors may not
    monkeypatch.setattr(app.desk.approvals, "_validate", lambda *_: None)
    site = Starlette(routes=routes(), exception_handlers=pages_of_faults())
    site.state.soloist = Console(app)
    app.store.write_now(lambda tx: _known(tx))
    return TestClient(site)


def _known(tx: Any) -> None:
    person = records.create(tx, "person", "Ada Okafor", {"name": "Ada Okafor", "emails": [ADA]}, why="test")
    records.link(tx, "email", ADA, person, rule="test", evidence={})


def page_of(app: App, console: TestClient, case: Deception) -> str:
    """The card of a payload as the console sends it."""
    facts = app.desk.facts("mail", "mail.send")
    facts = replace(facts, risk="financial", hold=0.0) if case.amount else facts
    operation = "charge.create" if case.amount else "mail.send"
    ident = derived("deception", case.name)
    new = NewProposal(ident, "mail", operation, case.payload, "A test.", "agent:intake", title=case.title)
    app.store.write_now(lambda tx: app.desk.approvals.propose(tx, new, facts, actor="intake@1"))
    card = app.store.read_now(lambda conn: tasks.open_for(conn, ident))
    assert card is not None, case.name
    answer = console.get(f"/cards/{card['id']}")
    assert answer.status_code == 200
    return answer.text


def test_no_deceptive_payload_passes_the_checker(app: App, console: TestClient) -> None:
    found = {case.name: said for case in ALL if (said := faults(page_of(app, console, case), case))}
    print(f"P14: {len(ALL)} deceptive payloads on the real page of a card, {len(found)} deceive")
    assert found == {}


def test_the_checker_catches_a_page_that_only_escapes() -> None:
    """Negative control: the same payloads on a page that shows the title and the payload and marks nothing."""
    naive = {c.name: html.escape(f"{c.title} {json.dumps(c.payload, ensure_ascii=False)}") for c in ALL}
    passed = [case.name for case in ALL if not faults(naive[case.name], case)]
    print(f"P14: of {len(ALL)} on a page without marks {len(ALL) - len(passed)} are caught by the checker")
    assert passed == []


PLAIN = [
    mail("an honest reply"),
    mail(
        "an honest reply in German",
        body="Sehr geehrte Frau Größe,\ndas kostet 3.800 EUR, Öffnung ab März. 10l Farbe, 5 m².",
    ),
    mail("an honest reply in Russian", body="Здравствуйте, Ада, магазин стоит 3800 евро."),
    mail(
        "an honest reply with a picture sign",
        body="Thank you \u2764\ufe0f \U0001f468\u200d\U0001f469\u200d\U0001f467 see you at 14:30",
    ),
    mail("an honest link", body=f"{BODY}\nSee https://okafor-ceramics.example/about?a=1 and www.studio-linde.example"),
]


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.name)
def test_an_honest_mail_has_no_mark(app: App, console: TestClient, case: Deception) -> None:
    text = page_of(app, console, case)
    assert 'class="odd"' not in text


def test_there_are_sixty_of_them_or_more_and_none_twice() -> None:
    assert len({case.name for case in ALL}) == len(ALL) >= 60
