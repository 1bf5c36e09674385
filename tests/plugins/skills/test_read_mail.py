"""Ordinary mail: fields, the text a person sees, attachments by pointer; not what is broken or hostile."""

from __future__ import annotations

import base64
import hashlib
from email.message import EmailMessage

import pytest

from soloist.kernel.errors import BadInput
from soloist.kernel.message import ParsedMail
from soloist.plugins.skills.read_mail import read_mail, read_part


def read(raw: bytes | str | EmailMessage, **limits: int) -> ParsedMail:
    """The mail as the skill reads it."""
    data = raw.encode() if isinstance(raw, str) else raw if isinstance(raw, bytes) else bytes(raw)
    return ParsedMail.model_validate(read_mail.call(dict(limits), data))


def enquiry(text: str = "We need a new website.") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Ada Okafor <ada@okafor-ceramics.example>"
    mail["To"] = "Mara Linde <mara@studio-linde.example>"
    mail["Subject"] = "Website for Okafor Ceramics"
    mail["Date"] = "Mon, 05 Oct 2026 09:30:00 +0200"
    mail["Message-ID"] = "<one@okafor-ceramics.example>"
    mail.set_content(text)
    return mail


def test_fields_of_a_plain_mail() -> None:
    mail = read(enquiry())
    assert mail.sender is not None
    assert (mail.sender.name, mail.sender.address) == ("Ada Okafor", "ada@okafor-ceramics.example")
    assert [a.address for a in mail.to] == ["mara@studio-linde.example"]
    assert mail.subject == "Website for Okafor Ceramics"
    assert mail.date == "2026-10-05T09:30:00+02:00"
    assert mail.message_id == "one@okafor-ceramics.example"
    assert mail.text == "We need a new website."
    assert (mail.automatic, mail.defects, mail.attachments, mail.truncated) == (None, [], [], False)


def test_encoded_words_are_joined_even_inside_a_character() -> None:
    mail = read(
        "From: =?utf-8?q?J=C3=B6rg?= <j@x.example>\nSubject: =?utf-8?b?R3LD?= =?utf-8?b?vMOfZQ==?= aus Hamburg\n\nx"
    )
    assert mail.subject == "Grüße aus Hamburg"
    assert mail.sender is not None
    assert mail.sender.name == "Jörg"


def test_raw_utf8_in_headers_is_read() -> None:
    assert read("From: a@x.example\nSubject: Säying Hello\n\nx").subject == "Säying Hello"


def test_thread_ids_have_no_brackets_and_keep_root_and_latest() -> None:
    many = " ".join(f"<r{n}@x.example>" for n in range(80))
    mail = read(f"From: a@x.example\nIn-Reply-To: <r79@x.example>\nReferences: {many}\n\nx")
    assert mail.in_reply_to == "r79@x.example"
    assert len(mail.references) == 50
    assert (mail.references[0], mail.references[-1]) == ("r0@x.example", "r79@x.example")


def test_groups_are_flattened() -> None:
    mail = read("From: a@x.example\nTo: Clients: ada@okafor-ceramics.example, jonas@brandt-physio.example;\n\nx")
    assert [a.address for a in mail.to] == ["ada@okafor-ceramics.example", "jonas@brandt-physio.example"]


def test_plain_text_is_preferred_and_its_html_twin_is_no_attachment() -> None:
    mail = enquiry("plain words")
    mail.add_alternative("<p>rich words</p>", subtype="html")
    found = read(mail)
    assert (found.text, found.attachments) == ("plain words", [])


def test_html_is_read_when_the_plain_part_is_empty() -> None:
    mail = enquiry("\n")
    mail.add_alternative("<p>rich words</p>", subtype="html")
    assert read(mail).text == "rich words"


def test_flowed_text_is_unfolded_within_its_quote_depth() -> None:
    body = "> quoted \n> words\nmy own \nwords\n-- \nAda\n From"
    raw = f"From: a@x.example\nContent-Type: text/plain; format=flowed\n\n{body}"
    assert read(raw).text == "> quoted words\nmy own words\n-- \nAda\nFrom"


def test_an_attachment_is_a_pointer_with_a_hash_and_can_be_read_by_it() -> None:
    mail = enquiry()
    mail.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Übersicht.pdf")
    found = read(mail).attachments[0]
    assert (found.name, found.mime, found.size, found.part) == ("Übersicht.pdf", "application/pdf", 8, 2)
    assert found.sha256 == hashlib.sha256(b"%PDF-1.7").hexdigest()
    part = read_part.call({"part": found.part}, bytes(mail))
    assert base64.b64decode(part["base64"]) == b"%PDF-1.7"


def test_a_forwarded_mail_is_one_attachment_named_by_its_subject() -> None:
    mail = enquiry("see below")
    mail.add_attachment(enquiry("inner"))
    found = read(mail)
    assert found.text == "see below"
    assert [(a.name, a.mime) for a in found.attachments] == [("Website for Okafor Ceramics.eml", "message/rfc822")]


def test_a_mail_that_is_only_a_forwarded_one_shows_the_inner_text() -> None:
    inner = bytes(enquiry("inner words")).decode()
    found = read(f"From: a@x.example\nContent-Type: message/rfc822\n\n{inner}")
    assert found.text == "inner words"
    assert "attached mail" in found.defects[0]


def test_a_forwarded_mail_can_be_read_by_its_pointer() -> None:
    mail = enquiry("see below")
    mail.add_attachment(enquiry("inner words"))
    pointer = read(mail).attachments[0]
    part = base64.b64decode(read_part.call({"part": pointer.part}, bytes(mail))["base64"])
    assert (len(part), read(part).text) == (pointer.size, "inner words")


def test_a_forwarded_mail_that_was_encoded_against_the_rules_is_read() -> None:
    inner = base64.encodebytes(bytes(enquiry("inner words"))).decode()
    found = read(f"From: a@x.example\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{inner}")
    assert found.text == "inner words"
    assert found.attachments[0].name == "Website for Okafor Ceramics.eml"


def test_a_blank_before_the_colon_is_allowed() -> None:
    assert read("From : a@x.example\nSubject\t: Website\n\nx : y").subject == "Website"


def test_a_delivery_report_is_one_attachment() -> None:
    status = "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; jonas@brandt-physio.example\nStatus: 5.1.1\n"
    kind = "Content-Type: multipart/report; report-type=delivery-status; boundary=b"
    found = read(f"{kind}\n\n--b\n\nNot delivered\n--b\nContent-Type: message/delivery-status\n\n{status}\n--b--")
    assert [(a.mime, a.part) for a in found.attachments] == [("message/delivery-status", 2)]
    assert found.text == "Not delivered"


def test_a_zip_is_pointed_at_and_not_opened() -> None:
    mail = enquiry()
    mail.add_attachment(b"PK\x03\x04" + b"\0" * 50, maintype="application", subtype="zip", filename="a.zip")
    found = read(mail)
    assert [(a.name, a.size) for a in found.attachments] == [("a.zip", 54)]
    assert found.defects == []


@pytest.mark.parametrize("part", [0, 9])
def test_a_part_that_holds_nothing_is_refused_by_name(part: int) -> None:
    mail = enquiry()
    mail.add_attachment(b"x", maintype="image", subtype="png", filename="a.png")
    with pytest.raises(BadInput, match=f"art {part}"):
        read_part.call({"part": part}, bytes(mail))


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("iso-8859-1", b"Caf\xe9 \x80", "Café €"),
        ("gb2312", "网站".encode("gb18030"), "网站"),
        ("ISO-2022-JP", "見積り".encode("iso2022_jp"), "見積り"),
        ("utf-16", "Grüße".encode("utf-16"), "Grüße"),
        ("", "Größe".encode(), "Größe"),
        ("us-ascii", b"Gr\xf6\xdfe", "Größe"),
        ("utf-8", b"Gr\xf6\xdfe", "Größe"),
    ],
)
def test_charsets(charset: str, data: bytes, text: str) -> None:
    kind = f"Content-Type: text/plain; charset={charset}\n" if charset else ""
    assert read(f"From: a@x.example\n{kind}\n".encode() + data).text == text
