"""The operator's own mailbox: the past is only looked at, Sent is watched, nothing leaves until it is allowed."""

from email.message import EmailMessage

import pytest

from soloist.kernel.errors import NotAllowed
from soloist.sdk import Trouble
from tests.flows.box import Box
from tests.flows.conftest import EMILY, House, Open, mail

MARA = "Mara Linde <mara@studio-linde.example>"


BOX = """
[connectors.box]
kind = "mail"
address = "mara@studio-linde.example"
username = "mara"
imap_host = "imap.studio-linde.example"
smtp_host = "smtp.studio-linde.example"
"""


async def connected(house: Open, box: Box | None = None, **values: str) -> tuple[House, Box]:
    home, box = await house(**values), box or Box()
    home.app.registry.connectors["mail"] = box
    toml = home.root / "soloist.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + BOX, encoding="utf-8")
    home.app.connect()
    return home, box


def answer(text: str = "Hello Emily, yes, gladly. Mara", ident: str = "mine@studio-linde.example") -> EmailMessage:
    message = mail(
        text, sender=MARA, subject="Re: New website for our bakery", ident=ident, answers="one@carter-bakery.example"
    )
    message.replace_header("To", EMILY)
    return message


async def test_a_pushed_mail_becomes_a_card(house: Open):
    home, box = await connected(house)
    box.put("inbox", mail())
    assert await home.until(lambda: home.card(type="proposal"))
    assert home.waiting()["connector"] == "box"


async def test_it_only_reads_until_the_operator_allows_more(house: Open):
    home, box = await connected(house)
    box.put("inbox", mail())
    await home.until(lambda: home.card(type="proposal"))
    with pytest.raises(NotAllowed, match="only reads for now"):
        await home.say(home.waiting(), "approve")
    await home.desk.allow_sending("box", True, who="operator")
    assert (await home.say(home.waiting(), "approve"))["state"] == "approved"


async def test_a_rule_cannot_let_a_reading_mailbox_send(house: Open):
    rule = '[[policy.rules]]\nname = "all"\nwhen = "true"\nthen = "allow"\n'
    home, box = await connected(house, more=rule)
    box.put("inbox", mail())
    assert await home.until(lambda: home.card(type="proposal"))


async def test_an_answer_from_a_mail_program_withdraws_the_proposal(house: Open):
    home, box = await connected(house)
    box.put("inbox", mail())
    proposal = await home.until(lambda: home.rows("proposals", state="waiting"))
    box.put("sent", answer())
    await home.until(lambda: home.rows("proposals", state="withdrawn"))
    assert home.card() is None
    assert home.rows("notes", kind="correction")[0]["object"] == proposal[0]["id"]
    assert home.rows("events", kind="proposal.corrected")
    await home.until(lambda: home.rows("runs", flow="proposal", state="done"))


async def test_an_answer_from_a_mail_program_stops_what_is_held(house: Open):
    home, box = await connected(house, hold="60s")
    await home.desk.allow_sending("box", True, who="operator")
    box.put("inbox", mail())
    proposal = (await home.until(lambda: home.rows("proposals", state="waiting")))[0]
    await home.say(proposal, "approve")
    await home.until(lambda: home.rows("effects", state="intended"))
    box.put("sent", answer())
    await home.until(lambda: home.rows("proposals", id=proposal["id"], state="withdrawn"))
    (effect,) = home.rows("effects")
    assert (effect["state"], effect["attempts"]) == ("resolved_not_done", 0)
    await home.until(lambda: home.rows("runs", flow="effect", state="done"))
    assert home.card() is None


async def test_sent_is_read_once_more_right_before_a_mail_leaves(house: Open):
    box = Box()
    box.sent_every = 60.0
    home, _ = await connected(house, box)
    await home.desk.allow_sending("box", True, who="operator")
    box.put("inbox", mail())
    proposal = (await home.until(lambda: home.rows("proposals", state="waiting")))[0]
    box.put("sent", answer())
    await home.say(proposal, "approve")
    await home.until(lambda: home.rows("proposals", id=proposal["id"], state="withdrawn"))
    (effect,) = home.rows("effects")
    assert (effect["state"], effect["attempts"]) == ("resolved_not_done", 0)


async def test_an_own_answer_to_a_lead_waits_for_an_answer(house: Open):
    home, box = await connected(house)
    box.put("inbox", mail())
    await home.until(lambda: home.card(type="proposal"))
    box.put("sent", answer())
    (run,) = await home.until(lambda: home.rows("runs", flow="followup"))
    assert run["input"] == home.rows("messages", direction="out")[0]["id"]
    assert home.rows("records", kind="lead")[0]["state"] == "answered"


async def test_the_past_is_read_without_cards(house: Open):
    box = Box()
    for number in range(7):
        box.put("past-inbox", mail(f"Enquiry {number}: what does a website cost?", ident=f"p{number}@x.example"))
    home, _ = await connected(house, box)
    await home.until(lambda: len(home.rows("messages")) == 7)
    assert (home.rows("proposals"), home.rows("runs", flow="intake")) == ([], [])
    row = next(r for r in home.rows("streams") if r["stream"] == "past-inbox")
    assert (row["done"], row["total"], row["state"]) == (7, 7, "done")


async def test_an_answer_read_before_its_question_joins_its_thread(house: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("soloist.flows.sources.FIRST_PAUSE", 0.05)
    box = Box()
    box.later.add("past-inbox")
    box.put("past-sent", answer())
    box.put("past-inbox", mail())
    home, _ = await connected(house, box)
    await home.until(lambda: len(home.rows("messages")) == 1)
    box.later.clear()
    await home.until(lambda: len(home.rows("messages")) == 2)
    assert len(home.rows("conversations")) == 1


async def test_a_line_that_breaks_loses_and_doubles_nothing(house: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("soloist.flows.sources.FIRST_PAUSE", 0.05)
    home, box = await connected(house)
    box.cut_after = 3
    for number in range(8):
        box.put("inbox", mail(f"What does page {number} cost?", ident=f"b{number}@x.example"))
    await home.until(lambda: len(home.rows("messages")) == 8)
    assert next(r for r in home.rows("streams") if r["stream"] == "inbox")["cursor"] == "8"


async def test_a_refused_password_is_one_card_that_closes_by_itself(house: Open, monkeypatch: pytest.MonkeyPatch):
    home, box = await connected(house)
    box.trouble = Trouble("auth", "The server refused the password of mara@studio-linde.example.")
    home.app.sources.wake()
    card = await home.until(lambda: home.card(type="failure"))
    assert "refused the password" in card["why"]
    box.trouble = None
    for line in home.app.sources._lines.values():
        line.wake.set()
    await home.until(lambda: home.card() is None)
    assert home.app.sources.troubles == {}


async def test_a_changed_file_is_taken_over_while_it_runs(house: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("soloist.flows.links.LOOK_EVERY", 0.02)
    home = await house()
    toml = home.root / "soloist.toml"
    toml.write_text(toml.read_text() + '\n[connectors.old]\nkind = "maildir"\nfolder = "mail/old"\n')
    await home.until(lambda: "old" in home.desk.connections)
    toml.write_text(toml.read_text() + "\n[connectors.broken]\nkind = 7\n")
    await home.until(lambda: home.app.links.trouble)
    assert "old" in home.desk.connections
