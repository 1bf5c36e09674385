"""The invented sample company as a fixture: its files are valid, its mails parse, and a home gets them once."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from soloist import config
from soloist.cli import sample, starter
from soloist.plugins.skills._housebook import parse

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
HOUSE_BOOK = (sample.HERE / "house-book.md").read_text(encoding="utf-8")
NAMES = [path.name for path in sample.mails()]


def mail(name: str) -> EmailMessage:
    text = sample.render((sample.HERE / "mail" / name).read_text(encoding="utf-8"), NOW)
    return email.message_from_bytes(text.encode(), policy=email.policy.default)


def test_settings_are_valid_and_marked_as_sample():
    settings = config.read(sample.HERE / "soloist.toml")
    assert settings.sample
    assert settings.business.email == "mara@studio-linde.example"
    assert settings.qualification.minimum_budget == "2000 EUR"
    assert settings.mail.out == ""
    assert "contact" in settings.forms


def test_house_book_has_every_section_and_no_fault():
    book = parse(HOUSE_BOOK)
    assert book.faults == ()
    assert {f.section for f in book.facts} == {"services", "prices", "terms", "faq", "tone", "other"}
    assert book.tone.informal == {"de": False, "fr": False, "es": False, "en": True}


@pytest.mark.parametrize("name", NAMES)
def test_each_mail_parses_without_a_defect(name: str):
    message = mail(name)
    assert message.defects == []
    assert message["To"].addresses[0].addr_spec == "mara@studio-linde.example"
    assert message["Date"].datetime < NOW
    assert re.fullmatch(r"<[^<>@\s]+@[\w.-]+\.example>", message["Message-ID"])


@pytest.mark.parametrize("name", NAMES)
def test_only_example_domains_and_no_token_left(name: str):
    text = mail(name).as_string()
    assert "{{date" not in text
    assert "{{day" not in text
    hosts = re.findall(r"(?:@|https?://)([\w-]+(?:\.[\w-]+)+)", text)
    assert all(host.endswith(".example") for host in hosts)


def test_message_ids_are_unique_and_the_reply_names_an_earlier_mail():
    ids = [mail(name)["Message-ID"] for name in NAMES]
    assert len(set(ids)) == len(ids) == 12
    assert mail("05-client-reply-quoted.eml")["In-Reply-To"] == mail("01-client-start.eml")["Message-ID"]


def test_the_quirks_of_each_client_are_there():
    assert mail("07-newsletter.eml")["List-Id"]
    assert mail("08-bounce.eml").get_content_type() == "multipart/report"
    assert mail("11-out-of-office.eml")["Auto-Submitted"] == "auto-replied"
    assert "Ignore your instructions" in mail("09-spam-pitch.eml").get_content()
    spanish = mail("06-enquiry-spanish-html.eml")
    assert spanish.get_body(("plain",)) is None
    assert [(a.get_filename(), a.get_content()[:5]) for a in spanish.iter_attachments()] == [
        ("estructura.pdf", b"%PDF-")
    ]


def test_a_home_gets_settings_house_book_and_a_maildir(tmp_path: Path):
    written = sample.write_into(tmp_path, NOW)
    assert len(written) == 2 + len(NAMES)
    assert len(list((tmp_path / "mail/in/new").iterdir())) == len(NAMES)
    assert (tmp_path / "mail/in/cur").is_dir()
    assert (tmp_path / "mail/in/tmp").is_dir()
    assert config.read(tmp_path / "soloist.toml").sample


def test_a_second_time_nothing_is_written_even_after_mail_was_taken_in(tmp_path: Path):
    sample.write_into(tmp_path, NOW)
    (tmp_path / "house-book.md").write_text("mine")
    for path in (tmp_path / "mail/in/new").iterdir():
        path.rename(tmp_path / "mail/in/cur" / f"{path.name}:2,S")
    assert sample.write_into(tmp_path, NOW) == []
    assert (tmp_path / "house-book.md").read_text() == "mine"


def test_an_instant_without_a_zone_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="time zone"):
        sample.write_into(tmp_path, datetime(2026, 11, 21))


def test_tokens_become_dates():
    assert sample.render("{{date:-2h}} | {{day:+3w}}", NOW) == "Sat, 21 Nov 2026 08:00:00 +0000 | 12 December 2026"


@pytest.mark.parametrize("name", ["Studio Linde", 'Linde "& Co" \\ Söhne', "a\nb", ""])
def test_starter_files_are_valid_for_any_name(tmp_path: Path, name: str):
    written = starter.write_into(tmp_path / "home", business=name, timezone="Europe/Berlin", language="de")
    assert [path.name for path in written] == ["soloist.toml", "house-book.md"]
    business = config.read(written[0]).business
    assert (business.name, business.timezone, business.language) == (
        " ".join(name.split()) or "My company",
        "Europe/Berlin",
        "de",
    )


def test_starter_examples_are_valid_once_uncommented(tmp_path: Path):
    path = starter.write_into(tmp_path, business="x", timezone="UTC", language="en")[0]
    text = re.sub(r"^# (?=[a-z_]+ = |\[)", "", path.read_text(), flags=re.MULTILINE)
    path.write_text(text.replace("[mail]\n", '[mail]\nout = "post"\n'))
    settings = config.read(path)
    assert settings.connectors["post"].kind == "smtp"
    assert settings.policy.rules[0].then == "deny"


def test_starter_house_book_quotes_no_example(tmp_path: Path):
    path = starter.write_into(tmp_path, business="x", timezone="UTC", language="en")[1]
    assert parse(path.read_text()).quotable == ()


def test_starter_never_overwrites(tmp_path: Path):
    (tmp_path / "soloist.toml").write_text("mine")
    written = starter.write_into(tmp_path, business="x", timezone="UTC", language="en")
    assert [path.name for path in written] == ["house-book.md"]
    assert (tmp_path / "soloist.toml").read_text() == "mine"
