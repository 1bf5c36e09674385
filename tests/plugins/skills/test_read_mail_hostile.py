"""Mail made to break a reader: each kind gives a valid result with its fault told, in little time; none is stored."""

from __future__ import annotations

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soloist.kernel.message import ParsedMail
from soloist.plugins.skills.read_mail import read_mail, read_part

HEAD = b"From: Victor Kane <victor@quick-offers.example>\r\nSubject: x\r\nMessage-ID: <m@quick-offers.example>\r\n"
HTML = HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n"
MANY = 60_000


def read(raw: bytes, **limits: int) -> ParsedMail:
    """The mail as read, after its JSON has proved to be clean UTF-8."""
    out = read_mail.call(dict(limits), raw)
    json.dumps(out, ensure_ascii=False).encode("utf-8")
    return ParsedMail.model_validate(out)


FRAGMENTS = [
    b"Content-Type: multipart/mixed; boundary=b\n",
    b"\n--b\n",
    b"\n--b--\n",
    b"\n\n",
    b"=?utf-8?q?",
    b"?=",
    b"<a ",
    b"&#",
]
FRAGMENTS += [
    b"Content-Type: text/html; charset=",
    b"Content-Transfer-Encoding: base64\n",
    b"message/rfc822",
    b"From: ",
    b"<>",
    b'"',
]


@given(st.lists(st.one_of(st.binary(max_size=20), st.sampled_from(FRAGMENTS)), max_size=40).map(b"".join))
def test_anything_is_read(raw: bytes) -> None:
    mail = read(raw)
    assert not [defect for defect in mail.defects if "taken apart" in defect]


def nested_multiparts(levels: int = 400) -> bytes:
    inner = b"Content-Type: text/plain\r\n\r\nx"
    for n in range(levels):
        inner = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n%s\r\n--b%d--\r\n" % (n, n, inner, n)
    return HEAD + inner


BOMBS = {
    "nested multiparts": nested_multiparts(),
    "many parts": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 50_000 + b"--b--",
    "nested mails": HEAD + (b"Content-Type: message/rfc822\r\n\r\n" + HEAD) * 300,
    "nested mails over and over": b"Content-Type: message/rfc822\r\n\r\n" * 20_000,
    "lines in nested parts": nested_multiparts(60) + b"a\n" * 500_000,
    "reports": HEAD + b"Content-Type: message/delivery-status\r\n\r\n" + b"A: b\r\n\r\n" * 100_000,
    "parts by carriage returns": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\rx\r" * 50_000,
    "long header": HEAD + b"X-L: " + b"a" * (2 << 20) + b"\r\n\r\nx",
    "many headers": HEAD + b"X: y\r\n" * 100_000 + b"\r\nx",
    "endless fold": HEAD + b"X: y\r\n" + b" \r\n" * MANY,
    "references": HEAD + b"References: " + b" <r@x>" * 50_000 + b"\r\n\r\nx",
    "encoded words": b"Subject: " + b"=?utf-8?b?YQ==?= " * 20_000 + b"\r\n\r\nx",
    "open words": b"Subject: " + b"=?u?q?" * MANY + b"\r\n\r\nx",
    "open comments": b"From: " + b"(" * MANY + b"\r\n\r\nx",
    "open quotes": b"To: " + b'"a' * MANY + b"\r\n\r\nx",
    "at signs": b"To: " + b"@" * MANY + b"\r\n\r\nx",
    "long date": b"Date: " + b"1" * MANY + b"\r\n\r\nx",
    "parameters": HEAD + b'Content-Type: text/plain; a="' + b";" * MANY + b"\r\n\r\nx",
    "parameters of parts": HEAD
    + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + (b'--b\r\nContent-Type: multipart/mixed; a="' + b";" * MANY + b"\r\n\r\nx\r\n") * 50,
    "digits of a parameter": HEAD + b"Content-Type: multipart/mixed; boundary*" + b"9" * 6000 + b"=b\r\n\r\nx",
    "long boundary": HEAD
    + b'Content-Type: multipart/mixed; boundary="'
    + b"-" * 3000
    + b'"\r\n\r\n'
    + b"-" * 1_000_000,
    "flowed": HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"a \n" * MANY,
    "base64": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"A" * 400_001,
    "uuencode": HEAD + b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\n" + b"\xff\n" * MANY,
    "redos": HEAD + b"\r\n" + b"a" * 60_000 + b"!" + b"@" * 30_000 + b" " * 60_000,
    "NUL bytes": b"\0" * 100_000,
    "carriage returns": b"\r" * 100_000,
    "no text at all": b"\xff" * 100_000,
    "open tags": HTML + b"<a " * MANY,
    "open attributes": HTML + b'<a x="' * MANY,
    "open comments in HTML": HTML + b"<!--" * MANY,
    "open declarations": HTML + b"<!" * MANY,
    "open scripts": HTML + b"<script>" + b"</script" * MANY,
    "open quotes in HTML": HTML + b"<blockquote>" * MANY,
    "links": HTML + b'<a href="https://quick-offers.example/">' * MANY,
    "open tags behind an open quote": HTML + b'<a x="' + b"<p >" * MANY,
    "sections in HTML": HTML + b"<![x[" * MANY + b"]>",
    "long entity": HTML + b"&#" + b"9" * MANY + b";",
    "long style": HTML + b'<div style="' + b"display " * MANY + b'">x',
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_read_in_little_time(name: str) -> None:
    started = time.process_time()
    mail = read(BOMBS[name])
    assert time.process_time() - started < 4.0
    assert not [defect for defect in mail.defects if "taken apart" in defect]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nested multiparts", "nested deeper than 30"),
        ("many parts", "more than 200 parts"),
        ("nested mails", "nested deeper than 30"),
        ("lines in nested parts", "lines; the rest was not read"),
        ("reports", "may divide parts"),
        ("long header", "longer than 65536 bytes"),
        ("many headers", "more than 1000 header lines"),
    ],
)
def test_a_limit_that_struck_is_told(name: str, told: str) -> None:
    mail = read(BOMBS[name])
    assert mail.truncated
    assert any(told in defect for defect in mail.defects), mail.defects


def test_what_the_parser_gives_up_on_is_shown_as_text() -> None:
    mail = read(BOMBS["digits of a parameter"])
    assert (mail.text, mail.sender is not None) == ("x", True)
    assert "cannot be told apart" in mail.defects[0]


def test_too_many_lines_that_may_divide_parts_are_told() -> None:
    mail = read(HEAD + b"\r\nHello Mara\r\n" + b"--\r\n" * 30_000)
    assert (mail.truncated, mail.text[:10]) == (True, "Hello Mara")
    assert "may divide parts" in mail.defects[0]


def test_text_over_the_limit_is_cut_and_told() -> None:
    mail = read(HEAD + b"\r\n" + b"word " * 1000, max_text=100)
    assert (len(mail.text) <= 100, mail.truncated) == (True, True)


@pytest.mark.parametrize(
    "charset",
    [
        "no-such",
        "zlib",
        "rot13",
        "punycode",
        "idna",
        "unicode_escape",
        "undefined",
        "a\0b",
        "utf-7",
        "utf-16",
        '"',
        "x" * 999,
    ],
)
def test_odd_charsets_lose_nothing_readable(charset: str) -> None:
    kind = f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode()
    assert read(HEAD + kind + b"Hello \\ud800 \xed\xa0\x80 \xff\xfe").text
    assert read_part.call({"part": 0}, HEAD + kind + b"x")["mime"] == "text/plain"


def test_lone_surrogates_and_control_characters_do_not_get_through() -> None:
    mail = read(HEAD + b"Content-Type: text/plain; charset=utf-7\r\n\r\na+2AA-b\0c\x1b[31m")
    assert "\ud800" not in mail.text
    assert not set("\0\x1b") & set(mail.text)


def test_a_decoded_word_starts_no_other_header() -> None:
    raw = HEAD + b"Reply-To: =?utf-8?q?a=40b=2Etest=0D=0ABcc=3A_x=40collector=2Etest?= <a@b.example>\r\n\r\nx"
    mail = read(raw)
    assert mail.reply_to is not None
    assert (mail.reply_to.address, "\n" in mail.reply_to.name) == ("a@b.example", False)
    assert read(b"From: =?utf-8?q?a=40b=2Etest?=\r\n\r\nx").sender is None


def test_a_second_sender_is_told() -> None:
    mail = read(b"From: Mara Linde <mara@studio-linde.example>\r\n" + HEAD + b"\r\nx")
    assert "2 From lines" in mail.defects[0]
    assert "victor@quick-offers.example" in mail.defects[0]


def test_a_stray_carriage_return_hides_no_header() -> None:
    assert read(b"X: a\rb\r\n" + HEAD + b"\r\nx").subject == "x"


def test_an_unusable_type_is_read_as_text() -> None:
    mail = read(HEAD + "Content-Type: multipartä/mixed; boundary=b\r\n\r\nHello Mara".encode())
    assert (mail.text, mail.attachments) == ("Hello Mara", [])


def test_a_name_that_poses_as_an_address_is_told() -> None:
    mail = read(b'From: "ada@okafor-ceramics.example" <victor@quick-offers.example>\r\n\r\nx')
    assert "looks like another address" in mail.defects[0]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\\\x\\\\run.exe", "run.exe"),
        ("\u202efdp.exe", "fdp.exe"),
        ("a\tb\x00.pdf", "a b.pdf"),
        ("..", "part-0.pdf"),
        ("n" * 400 + ".pdf", "n" * 100 + "n" * 46 + ".pdf"),
    ],
)
def test_file_names_are_made_safe(written: str, shown: str) -> None:
    raw = f'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="{written}"\r\n\r\nx'
    assert read(HEAD + raw.encode()).attachments[0].name == shown


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"From ", b"Subject: x", b"no header at all\nbut text"])
def test_what_is_hardly_a_mail_is_still_read(raw: bytes) -> None:
    mail = read(raw)
    assert mail.sender is None
    assert any("From line" in defect for defect in mail.defects)


@pytest.mark.parametrize("date", ["<HR>", "Mon, 99 Foo 2026", "1 Jan 999999999999 00:00:00 +9999999999", "0 0 0 0"])
def test_a_date_that_is_none_is_told(date: str) -> None:
    mail = read(HEAD + f"Date: {date}\r\n\r\nx".encode())
    assert mail.date == ""
    assert any("date" in defect for defect in mail.defects)


@pytest.mark.parametrize("body", [b"QUJD*RE", b"Q", b"====", b"QUJD\n=\nREVG"])
def test_broken_base64_gives_what_can_be_had(body: bytes) -> None:
    part = read_part.call({"part": 0}, HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + body)
    base64.b64decode(part["base64"])


def test_a_multipart_without_its_boundary_is_read_as_text() -> None:
    mail = read(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\nHello Mara")
    assert mail.text == "Hello Mara"
    assert "cannot be told apart" in mail.defects[0]


def test_a_mail_cut_in_the_middle_keeps_what_is_there() -> None:
    mail = read(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello Mara")
    assert mail.text == "Hello Mara"
    assert "no end mark" in mail.defects[0]
