"""What a bounce says is read from the report, from the free forms of mail servers and from the returned mail."""

from __future__ import annotations

import pytest

from soloist.plugins.skills.bounce import bounce

HEAD = "From: MAILER-DAEMON@mx.example\r\nTo: mara@studio-linde.example\r\nSubject: Undelivered Mail\r\n"
REPORT = """Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Your mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; ada@okafor-ceramics.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {words}

--b
Content-Type: message/rfc822

Message-ID: <sl-1@studio-linde.example>
To: ada@okafor-ceramics.example

Hello
--b--
"""
RETURNED = (
    "\n------ This is a copy of the message, including all the headers. ------\n\n"
    "Message-ID: <sl-2@studio-linde.example>\nTo: ada@okafor-ceramics.example\n"
)
ADDRESS = "ada@okafor-ceramics.example"
UNKNOWN = "550 5.1.1 User unknown"


def told(body: str) -> dict:
    return bounce.call({}, (HEAD + body).replace("\r\n", "\n").replace("\n", "\r\n").encode())


def test_a_report_names_recipient_status_reason_and_original():
    found = told(REPORT.format(action="failed", status="5.1.1", words=UNKNOWN))
    (one,) = found["recipients"]
    assert one == {"address": ADDRESS, "action": "failed", "status": "5.1.1", "reason": UNKNOWN}
    assert (found["original_message_id"], found["permanent"]) == ("sl-1@studio-linde.example", True)


def test_a_delay_is_not_final():
    found = told(REPORT.format(action="delayed", status="4.4.1", words="connection timed out"))
    assert (found["recipients"][0]["action"], found["permanent"]) == ("delayed", False)


def test_who_was_reached_is_not_told():
    assert told(REPORT.format(action="relayed", status="2.0.0", words="250 ok"))["recipients"] == []


def test_the_words_of_the_server_say_more_than_a_bare_status():
    found = told(REPORT.format(action="failed", status="5.0.0", words="552 5.2.2 mailbox full"))
    assert found["recipients"][0]["status"] == "5.2.2"


@pytest.mark.parametrize(
    "notice",
    [
        f"<{ADDRESS}>: host mx.example said: {UNKNOWN}",
        f"I wasn't able to deliver your message to the following addresses.\n\n<{ADDRESS}>:\n{UNKNOWN}",
        f"The following address(es) failed:\n\n  {ADDRESS}\n    SMTP error from remote mail server: {UNKNOWN}",
        f"There was an error delivering your mail to <{ADDRESS}>.\n\n\t{UNKNOWN}",
        f"  ----- Transcript of session follows -----\n550 <{ADDRESS}>... 5.1.1 User unknown",
        f"Ihre Nachricht konnte nicht zugestellt werden.\n\nEmpfänger: {ADDRESS}\nGrund: {UNKNOWN}",
        f"Votre message n'a pas pu être remis au destinataire suivant :\n\n<{ADDRESS}> : {UNKNOWN}",
    ],
)
def test_free_forms(notice):
    found = told("Content-Type: text/plain; charset=utf-8\n\n" + notice + "\n" + RETURNED)
    (one,) = found["recipients"]
    assert (one["address"], one["status"], found["permanent"]) == (ADDRESS, "5.1.1", True)
    assert "User unknown" in one["reason"]
    assert found["original_message_id"] == "sl-2@studio-linde.example"


def test_several_recipients_keep_their_own_reasons():
    notice = f"<{ADDRESS}>: {UNKNOWN}\n\n<jonas@brandt-physio.example>: 552 5.2.2 Mailbox full\n"
    found = told("\n" + notice + RETURNED)["recipients"]
    assert [(one["address"][:3], one["status"]) for one in found] == [("ada", "5.1.1"), ("jon", "5.2.2")]


def test_words_alone_give_a_status():
    found = told(f"\nYour mail could not be delivered to {ADDRESS}: the mailbox is full.\n")
    assert found["recipients"][0]["status"] == "5.2.2"


def test_an_answer_from_somebody_away_is_no_bounce():
    away = f"From: {ADDRESS}\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nBack on 1 December.\n"
    assert bounce.call({}, away.encode()) == {"recipients": [], "original_message_id": "", "permanent": False}


@pytest.mark.parametrize("raw", [b"", b"\xff\x00", b"Content-Type: multipart/report\n\n", b"From: <\n\n@@@@"])
def test_broken_mail_names_nobody(raw):
    assert bounce.call({}, raw)["recipients"] == []
