"""The pages over a fake Door: what is shown, what is escaped, what a decision carries."""

import re
from hashlib import sha256

import pytest

from soloist.web.render import STATIC, environment

PAGES = ["/", "/?card=c1", "/?card=c1&mode=edit", "/cards/c4", "/activity", "/records", "/records/person/p1", "/runs"]
PAGES += ["/runs/r2", "/why/c1", "/settings", "/settings/forms/contact"]
SEEN = {"was.subject": "Re: New online shop for spring", "was.text": "as shown"}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_obeys_the_policy_for_scripts_and_styles(console, path):
    answer = console.get(path)
    assert answer.status_code == 200
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]+src=)|javascript:", answer.text)
    assert not re.search(r"""(src|href|action)=["'](https?:)?//""", answer.text)


@pytest.mark.parametrize("path", PAGES)
def test_every_form_that_posts_carries_the_session_token(console, path):
    forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", console.get(path).text, re.S)
    assert forms
    assert all('name="csrf"' in form for form in forms)


def test_the_inbox_counts_and_opens_the_first(console):
    text = console.get("/").text
    assert "5 things need you" in text
    assert "It is not known whether the charge" in text


def test_nothing_waiting_says_so_and_what_is_next(empty_console):
    text = empty_console.get("/").text
    assert "Nothing needs you" in text
    assert "follow-up to Jonas Brandt" in text


def test_outside_text_has_no_link_and_shows_what_is_hidden(console):
    text = console.get("/cards/c4").text
    assert 'href="https://quick-offers' not in text
    assert "U+202E" in text
    assert "is displayed as" in text


def test_outside_markup_is_shown_as_text(console, fake):
    from dataclasses import replace

    fake.sheets["c1"] = replace(fake.sheets["c1"], title="<script>alert(1)</script>")
    assert "<script>alert" not in console.get("/?card=c1").text


def test_an_unedited_approval_carries_no_edits(console, fake):
    sheet = fake.sheets["c1"]
    shown = {f"was.{f.name}": f.value.replace("\n", "\r\n") for f in sheet.draft}
    answer = console.post("/cards/c1/decision", data={"option": "approve", "payload_hash": sheet.payload_hash, **shown})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?done=c1")
    assert fake.decided[0][1].edits == {}


def test_an_edit_is_carried_with_plain_line_ends(console, fake):
    form = {"option": "approve", "payload_hash": fake.sheets["c1"].payload_hash, "edit.text": "Dear\r\nAda", **SEEN}
    console.post("/cards/c1/decision", data=form)
    assert fake.decided[0][1].edits == {"text": "Dear\nAda"}


def test_a_fixed_field_cannot_be_edited(console, fake):
    form = {
        "option": "approve",
        "payload_hash": fake.sheets["c1"].payload_hash,
        "edit.to": "victor@quick-offers.example",
    }
    console.post("/cards/c1/decision", data=form)
    assert fake.decided[0][1].edits == {}


def test_an_edit_can_be_compared_before_it_is_approved(console, fake):
    form = {"option": "compare", "payload_hash": "x", "edit.subject": "Re: Your online shop", **SEEN}
    text = console.post("/cards/c1/decision", data=form).text
    assert "<ins>" in text
    assert "Approve edit" in text
    assert fake.decided == []


def test_a_stale_hash_approves_nothing_and_shows_what_changed(console, fake):
    form = {"option": "approve", "payload_hash": "old", **SEEN}
    answer = console.post("/cards/c1/decision", data=form)
    assert answer.status_code == 409
    assert "nothing was approved" in answer.text
    assert "<del>as shown</del>" in answer.text
    assert fake.decided == []


def test_a_stale_hash_keeps_the_edit(console):
    form = {"option": "approve", "payload_hash": "old", "edit.text": "my careful words", **SEEN}
    assert "my careful words</textarea>" in console.post("/cards/c1/decision", data=form).text


def test_an_approval_can_be_taken_back_from_the_toast(console, fake):
    console.post("/cards/c1/decision", data={"option": "approve", "payload_hash": fake.sheets["c1"].payload_hash})
    assert 'action="/cards/c1/undo"' in console.get("/?done=c1").text
    console.post("/cards/c1/undo")
    assert "Taken back. Nothing was sent." in console.get("/?done=c1").text


def test_the_stop_is_shown_on_every_page(console):
    console.post("/stop", data={"on": "1"})
    assert "Everything outbound is stopped" in console.get("/activity").text


def test_a_missing_card_is_a_plain_page(console):
    answer = console.get("/cards/none")
    assert answer.status_code == 404
    assert "There is no card with this id." in answer.text


def test_a_page_weighs_less_than_150_kilobytes(console):
    text = console.get("/?card=c1").text
    files = set(re.findall(r"/static/([\w./-]+)", text)) | {"vendor/inter-latin-wght.woff2"}
    sizes = [int(console.get(f"/static/{name}").headers["content-length"]) for name in files]
    assert len(text) + sum(sizes) < 150_000


def test_vendored_files_are_the_ones_that_were_reviewed():
    for line in (STATIC / "vendor/HASHES").read_text().splitlines():
        digest, name = line.split()
        assert sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest


def test_every_icon_that_a_template_names_is_in_the_sprite():
    sprite = (STATIC / "icons.svg").read_text()
    named = {
        n
        for t in environment().list_templates()
        for n in re.findall(r'icon\("([\w-]+)"', (STATIC.parent / "templates" / t).read_text())
    }
    assert {n for n in named if f'id="{n}"' not in sprite} == set()


@pytest.mark.parametrize(
    ("template", "context"),
    [
        ("signin.html", {"error": "", "next": "/"}),
        ("welcome.html", {"error": "Too short.", "token": "t"}),
        (
            "form.html",
            {
                "name": "contact",
                "title": "Contact",
                "intro": "",
                "button": "Send",
                "errors": {},
                "values": {},
                "trap": "website",
                "ticket": "contact.1.a.b",
                "done": "",
            },
        ),
    ],
)
def test_pages_before_sign_in_render(template, context):
    text = environment().get_template(template).render(business="Studio Linde", csrf="c", **context)
    assert "<form" in text


def test_a_file_named_by_its_hash_is_kept_by_the_browser(console):
    address = re.search(r'href="(/static/app.css[^"]+)"', console.get("/").text)
    assert address is not None
    assert "immutable" in console.get(address[1]).headers["cache-control"]
    assert "cache-control" not in console.get("/static/app.css").headers


def test_settings_lead_to_every_page_that_no_menu_shows(console):
    text = console.get("/settings").text
    wanted = ("corrections", "replay", "telemetry", "packages", "confidence", "intents", "bills", "rules", "playbooks")
    assert [name for name in wanted if f'href="/{name}"' not in text] == []
