"""An edit of a reply survives the draft that takes its place: three ways, over a real App by its pages."""

from __future__ import annotations

import html
import re

import pytest

from soloist.engine.store import conversations, proposals
from soloist.insight import carrying
from soloist.insight.views import DraftField
from soloist.kernel.proposal import NewProposal

WAS = "Dear Ada,\nyes, we can.\nIt costs 1,800 EUR.\nMara"
EDITED = "Dear Ada,\nyes, we can, gladly.\nIt costs 1,800 EUR.\nMara"
NEW = "Dear Ada,\nyes, we can.\nIt costs 1,950 EUR.\nMara"


def propose(app, thread: str, ident: str, body: str) -> None:
    """The reply of a thread, as it was generated; an older one is withdrawn as the flow does."""
    payload = {"to": ["ada@okafor-ceramics.example"], "subject": "Re: New shop", "body": body}
    new = NewProposal(
        ident, "mail", "mail.send", payload, "A test.", "agent:intake", title="Reply", conversation=thread
    )

    def work(tx) -> None:
        for older in proposals.waiting_on(tx.conn, thread):
            app.desk.approvals.withdraw(tx, older["id"], actor="soloist", why="a newer message came on this thread")
        app.desk.approvals.propose(tx, new, app.desk.facts("mail", "mail.send"), actor="intake@1")

    app.store.write_now(work)


@pytest.fixture
def thread(app) -> str:
    return app.store.write_now(lambda tx: conversations.open_new(tx, "mail", "new shop"))


def open_card(console) -> tuple[str, dict[str, str]]:
    """The open card of the inbox and what its form sends."""
    text = console.get("/").text
    card = re.search(r'data-card="([^"]+)"', text)[1]
    text = console.get(f"/?card={card}&mode=edit").text
    fields = dict(re.findall(r'<input type="hidden" name="(was\.\w+|payload_hash)" value="([^"]*)"', text))
    return card, {name: html.unescape(value) for name, value in fields.items()}


def box(text: str) -> str:
    """What stands in the box of the draft's text."""
    return html.unescape(re.search(r'name="edit.body"[^>]*>\n(.*?)</textarea>', text, re.DOTALL)[1])


@pytest.mark.parametrize("option", ["approve", "look"])
def test_an_edit_goes_over_into_the_newer_draft_and_nothing_is_sent(app, real_console, thread, option):
    propose(app, thread, "1" * 36, WAS)
    card, form = open_card(real_console)
    propose(app, thread, "2" * 36, NEW)
    answer = real_console.post(f"/cards/{card}/decision", data={**form, "option": option, "edit.body": EDITED})
    assert box(answer.text) == "Dear Ada,\nyes, we can, gladly.\nIt costs 1,950 EUR.\nMara"
    assert "took its place" in answer.text
    assert f"/cards/{card}/decision" not in answer.text
    assert app.store.read_now(lambda conn: proposals.get(conn, "2" * 36))["state"] == "waiting"


def test_words_both_changed_stay_yours_and_the_new_ones_are_shown(app, real_console, thread):
    propose(app, thread, "1" * 36, WAS)
    card, form = open_card(real_console)
    propose(app, thread, "2" * 36, NEW)
    mine = WAS.replace("1,800", "1,700")
    answer = real_console.post(f"/cards/{card}/decision", data={**form, "option": "approve", "edit.body": mine})
    assert box(answer.text) == mine
    assert "both changed" in answer.text
    assert "<del>1,950</del>" in answer.text


def test_the_carried_edit_can_be_approved_on_the_new_card(app, real_console, thread):
    propose(app, thread, "1" * 36, WAS)
    card, form = open_card(real_console)
    propose(app, thread, "2" * 36, NEW)
    text = real_console.post(f"/cards/{card}/decision", data={**form, "option": "approve", "edit.body": EDITED}).text
    newer, form = open_card(real_console)
    done = real_console.post(f"/cards/{newer}/decision", data={**form, "option": "approve", "edit.body": box(text)})
    assert done.status_code == 303
    assert app.store.read_now(lambda conn: proposals.get(conn, "2" * 36))["payload"]["body"] == box(text)


def test_a_card_that_was_replaced_leads_to_the_newer_one(app, real_console, thread):
    propose(app, thread, "1" * 36, WAS)
    card, _ = open_card(real_console)
    propose(app, thread, "2" * 36, NEW)
    newer, _ = open_card(real_console)
    assert f'<a href="/?card={newer}">Open the newer one</a>' in real_console.get(f"/?card={card}").text
    assert "Open the newer one" not in real_console.get(f"/?card={newer}").text


def test_an_edit_of_a_card_that_is_over_is_shown_once_more(app, real_console, thread):
    propose(app, thread, "1" * 36, WAS)
    card, form = open_card(real_console)
    real_console.post(f"/cards/{card}/decision", data={**form, "option": "reject"})
    answer = real_console.post(f"/cards/{card}/decision", data={**form, "option": "approve", "edit.body": EDITED})
    assert answer.status_code == 409
    assert "<ins>can, gladly.</ins>" in answer.text


def test_what_nobody_else_changed_is_no_conflict_and_what_is_the_same_no_edit():
    draft = (DraftField("subject", "Subject", "Re: shop"), DraftField("body", "Text", NEW, True))
    found = carrying.over({"subject": "Re", "body": WAS}, {"subject": "Re: shop", "body": EDITED}, draft)
    assert [*found.edits] == ["body"]
    assert found.both == ()
