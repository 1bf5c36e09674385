"""Rendering of mail: deterministic bytes, readable by any parser, and no way to smuggle a header in."""

from email import message_from_bytes
from email.policy import default

import pytest

from soloist.sdk.mail import Rendered, render

KEY = "k2f7q0a9example"
AT = "2026-11-21T09:30:00.123456+00:00"
MARA = {"name": "Mara Linde", "address": "mara@studio-linde.example"}


def mail(**payload: object) -> Rendered:
    given = {"to": ["ada@okafor-ceramics.example"], "subject": "Your website", "body": "Hello Ada,\n\nyes.\n"}
    return render({**given, **payload}, KEY, AT, sender=MARA, domain="studio-linde.example")


def parsed(rendered: Rendered):
    return message_from_bytes(rendered.message, policy=default)


def text_of(message) -> str:
    return message.get_content().replace("\r\n", "\n")


def test_the_same_input_gives_the_same_bytes() -> None:
    assert mail().message == mail().message


def test_a_mail_reads_as_it_was_written() -> None:
    message = parsed(mail())
    assert str(message["From"]) == "Mara Linde <mara@studio-linde.example>"
    assert message["To"].addresses[0].addr_spec == "ada@okafor-ceramics.example"
    assert message["Subject"] == "Your website"
    assert message["Message-ID"] == f"<{KEY}@studio-linde.example>"
    assert message["Date"].datetime.isoformat() == "2026-11-21T09:30:00+00:00"
    assert text_of(message) == "Hello Ada,\n\nyes.\n"


@pytest.mark.parametrize(
    "text",
    [
        "Größe & Preis – 2 000 €",
        "日本語の件名" * 20,
        "=?utf-8?q?trick?=",
        "x" * 300,
        "short words " * 25,
        "",
        '"quoted" \\ text',
    ],
)
def test_any_subject_survives(text: str) -> None:
    rendered = mail(subject=text)
    assert parsed(rendered)["Subject"] == text.strip()
    assert max(map(len, rendered.message.split(b"\r\n"))) < 200


@pytest.mark.parametrize(
    "text", ["ü" * 3000, "a" * 5000, ".\n..\n.", "From me\r\nand\ryou", "tab\t and nul \0.", "trailing  \n"]
)
def test_any_body_survives(text: str) -> None:
    rendered = mail(body=text)
    content = text_of(parsed(rendered))
    wanted = text.replace("\r\n", "\n").replace("\r", "\n")
    assert content.removesuffix("\n") == wanted.removesuffix("\n")
    assert rendered.message.isascii()
    assert max(map(len, rendered.message.split(b"\r\n"))) <= 78


@pytest.mark.parametrize("name", ["Jürgen Größe", 'Ada "Clay" Okafor', "Okafor, Ada", "=?x?=", "李" * 40, "a\\b"])
def test_any_display_name_survives(name: str) -> None:
    text = f"{name} <ada@okafor-ceramics.example>" if '"' not in name else "ada@okafor-ceramics.example"
    found = parsed(mail(to=[text]))["To"].addresses[0]
    assert found.addr_spec == "ada@okafor-ceramics.example"
    # Python's parser puts a blank between two encoded words of a name, which RFC 2047 does not
    assert found.display_name.replace(" ", "") in {name.replace(" ", ""), ""}


@pytest.mark.parametrize("field", ["subject", "to", "cc", "from", "envelope_to", "all_to"])
@pytest.mark.parametrize("newline", ["\r\nBcc: x@quick-offers.example", "\n", "\r", "\0", "\u2028"])
def test_a_line_break_in_a_header_names_the_field(field: str, newline: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}: "):
        mail(**{field: f"ada@okafor-ceramics.example{newline}"})


@pytest.mark.parametrize(
    "address",
    ["", "ada", "@b.example", "ada@", "a b@c.example", "a@b@c.example", "<a@b.example> <c@d.example>", "a@-b.example",
     "a,b@c.example", "a@b.example,c@d.example", "ä@b.example", "a@b..example", "\ud800@b.example"],
)  # fmt: skip
def test_what_is_not_one_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"^to: "):
        mail(to=[address])


def test_an_international_domain_leaves_in_ascii() -> None:
    assert mail(to="ada@bücher.example").recipients == ("ada@xn--bcher-kva.example",)


@pytest.mark.parametrize("field", ["bcc", "Bcc", "attachments", "html"])
def test_a_field_that_would_be_left_out_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}: not a field"):
        mail(**{field: "x"})


def test_mail_leaves_from_the_operators_address_only() -> None:
    with pytest.raises(ValueError, match="^from: mail leaves from mara@studio-linde.example only"):
        mail(**{"from": "ceo@okafor-ceramics.example"})
    assert parsed(mail(**{"from": "Linde <mara@studio-linde.example>"}))["From"].addresses[0].display_name == "Linde"


def test_threading_headers_are_kept_and_broken_ids_left_out() -> None:
    ids = ["<1@a.example>", "junk", "<2 3>", "<" + "x" * 200 + "@a.example>"]
    message = parsed(mail(in_reply_to="<1@a.example>", references=ids))
    assert message["In-Reply-To"] == "<1@a.example>"
    assert message["References"].split() == [ids[0], ids[3]]


def test_ids_kept_without_brackets_get_them():
    message = parsed(mail(in_reply_to="1@a.example", references=["0@a.example", "1@a.example"]))
    assert message["In-Reply-To"] == "<1@a.example>"
    assert message["References"].split() == ["<0@a.example>", "<1@a.example>"]


@pytest.mark.parametrize("field", ["in_reply_to", "references"])
def test_a_broken_id_of_a_stranger_adds_no_header(field: str) -> None:
    rendered = mail(**{field: "<1@a.example>\r\nBcc: x@quick-offers.example\r\n<2\r\n@b.example>\ud800"})
    message = parsed(rendered)
    assert "Bcc" not in message
    assert message["In-Reply-To" if field == "in_reply_to" else "References"] == "<1@a.example>"


def test_cc_gets_the_mail_once_when_it_is_split() -> None:
    people = ["ada@okafor-ceramics.example", "jonas@brandt-physio.example"]
    first = mail(to=people[:1], all_to=people, cc="mara@studio-linde.example")
    second = mail(to=people[1:], all_to=people, cc="mara@studio-linde.example")
    assert first.recipients == (people[0], "mara@studio-linde.example")
    assert second.recipients == (people[1],)
    assert first.message == second.message


def test_the_envelope_can_be_named() -> None:
    assert mail(envelope_to=["jonas@brandt-physio.example"]).recipients == ("jonas@brandt-physio.example",)


@pytest.mark.parametrize("payload", [{"to": []}, {"to": 5}, {"subject": 5}, {"body": None}, {"subject": "x" * 401}])
def test_wrong_shapes_name_the_field(payload: dict) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(payload))}: "):
        mail(**payload)


@pytest.mark.parametrize("key", ["short", "a/b/c/d/e", "../../etc/passwd", "k" * 129, "ümlaut-key"])
def test_a_key_that_cannot_be_a_name_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="^key: "):
        render({"to": "a@b.example", "subject": "", "body": ""}, key, AT, sender=MARA, domain="b.example")


def test_no_bcc_and_no_automatic_mark_is_written() -> None:
    assert not {"bcc", "auto-submitted", "x-mailer"} & {name.lower() for name in parsed(mail())}
