"""Which mail is never answered by itself; just as important, which mail of a person is not taken for a machine's."""

from __future__ import annotations

import pytest

from soloist.plugins.skills.read_mail import read_mail


def kind(headers: str, text: str = "Hello") -> str | None:
    """The kind of automatic mail, None for a person's."""
    sender = "" if "From:" in headers else "From: Ada <ada@okafor-ceramics.example>\n"
    found = read_mail.call({}, f"{sender}{headers}\n\n{text}".encode())["automatic"]
    return found["kind"] if found else None


REPORT = "Content-Type: multipart/report; report-type={}; boundary=b"


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ("Auto-Submitted: auto-replied", "auto_reply"),
        ("Auto-Submitted: auto-generated (x)", "auto_reply"),
        ("X-Autoreply: yes", "auto_reply"),
        ("X-Autorespond: away", "auto_reply"),
        ("X-Auto-Response-Suppress: All", "auto_reply"),
        ("Precedence: auto_reply", "auto_reply"),
        ("Return-Path: <>", "auto_reply"),
        ("Subject: Automatic reply: Your invoice", "auto_reply"),
        ("Subject: Abwesenheitsnotiz", "auto_reply"),
        ("Subject: =?utf-8?q?R=C3=A9ponse?= automatique : devis", "auto_reply"),
        (REPORT.format("disposition-notification"), "auto_reply"),
        (REPORT.format("delivery-status"), "bounce"),
        ("From: Mail Delivery System <MAILER-DAEMON@mx.example>", "bounce"),
        ("From: MAILER-DAEMON", "bounce"),
        ("X-Failed-Recipients: jonas@brandt-physio.example", "bounce"),
        ("From: postmaster@x.example\nSubject: Undeliverable: Offer", "bounce"),
        ("Return-Path: <>\nSubject: Unzustellbar: Angebot", "bounce"),
        ("Return-Path: <>\nSubject: Non remis : devis\nAuto-Submitted: auto-replied", "bounce"),
        ("List-Id: <makers.example>\nAuto-Submitted: no", "list"),
        ("List-Post: <mailto:l@x.example>", "list"),
        ("Precedence: list", "list"),
        ("List-Unsubscribe: <https://x.example/u>", "bulk"),
        ("Precedence: bulk", "bulk"),
        ("From: Online#3.b5-9w0@newsletter.shop.example", "bulk"),
        ("From: no-reply@shop.example", "no_reply"),
        ("From: notifications@shop.example", "no_reply"),
        ("From: shop-DoNotReply@shop.example", "no_reply"),
        ("From: bounces+12=a@shop.example", "no_reply"),
    ],
)
def test_machines(headers: str, wanted: str) -> None:
    assert kind(headers) == wanted


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ("Subject: Website", "Hello"),
        ("Auto-Submitted: no", "Hello"),
        ("Return-Path: <ada@okafor-ceramics.example>", "Hello"),
        ("Subject: Delivery failed", "My parcel could not be delivered, it cost 450 EUR. Can you help?"),
        (
            "Subject: Re: Undelivered Mail Returned to Sender\nIn-Reply-To: <a@b.example>",
            "550 5.1.1 user unknown, why?",
        ),
        ("Subject: Fwd: Returned mail", "What does this mean? User unknown"),
        ("Subject: Out of office signage for our studio", "We need a sign."),
        ("Subject: Notification design", "Can you draw 40 icons?"),
        ("Subject: Automatic gates", "Hello"),
        ("From: postmaster@brandt-physio.example\nSubject: New mailboxes", "Hi Mara, we moved our mail to you."),
        ("From: Norbert Reply <norbert.reply@x.example>", "Hello"),
        ("From: noreply@forms.example\nReply-To: Ada <ada@okafor-ceramics.example>", "Sent by your contact form"),
        ("Content-Type: text/calendar; method=REPLY", "BEGIN:VCALENDAR"),
    ],
)
def test_people(headers: str, text: str) -> None:
    assert kind(headers, text) is None
