from __future__ import annotations

import pytest

from soloist.plugins.skills.qualify import qualify
from soloist.plugins.skills.understand import understand

NOW = "2026-11-21T10:00:00+00:00"
SITES = "Website: web site, Webseite, site internet, página web, Logo: logotipo"


def ask(text, name, wanted):
    seen = understand.call({"text": text, "now": NOW})
    criteria = [{"name": name, "wanted": wanted}]
    given = {"text": seen["own_text"], "understanding": seen, "criteria": criteria, "now": NOW}
    (answer,) = qualify.call(given)["answers"]
    return answer["answer"], [words["text"] for words in answer["words"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("We want a new website.", ["website"]),
        ("Wir brauchen eine neue Firmenwebseite.", ["Firmenwebseite"]),
        ("Nous voulons refaire nos sites internet.", ["sites internet"]),
        ("Queremos dos páginas web y un logotipo.", ["páginas web", "logotipo"]),
    ],
)
def test_services_in_four_languages(text, words):
    assert ask(text, "services", SITES) == ("met", words)


@pytest.mark.parametrize("text", ["We want a brochure.", "We don't need a logo.", "Wir brauchen kein Logo.", ""])
def test_service_not_named_is_unknown(text):
    assert ask(text, "services", SITES) == ("unknown", [])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Our budget is 3.000 EUR.", ("met", ["3.000 EUR"])),
        ("Our budget is 900 EUR.", ("not_met", ["900 EUR"])),
        ("Our budget is 1.500-2.500 EUR.", ("unknown", ["1.500-2.500 EUR"])),
        ("Our budget is $9,000.", ("unknown", ["$9,000"])),
        ("We have no idea of cost.", ("unknown", [])),
    ],
)
def test_minimum_budget(text, answer):
    assert ask(text, "minimum_budget", "2000 EUR") == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("We are a bakery in Hamburg.", ("met", ["Hamburg"])),
        ("Wir sitzen in Österreich.", ("met", ["Österreich"])),
        ("Call me on +49 40 1234567.", ("met", ["+49 40 1234567"])),
        ("Somos de Valencia, en España.", ("not_met", ["España"])),
        ("Call me on 040 1234567.", ("unknown", [])),
        ("Hello", ("unknown", [])),
    ],
)
def test_regions(text, answer):
    assert ask(text, "regions", "Hamburg, DE, Austria") == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The site should be live by mid March.", ("met", ["mid March"])),
        ("We need the logo in two weeks.", ("not_met", ["in two weeks"])),
        ("We need the logo asap.", ("not_met", ["asap"])),
        ("Could we have a call next Tuesday?", ("unknown", [])),
        ("Copy by 1 December 2026, launch in March.", ("unknown", ["1 December 2026", "in March"])),
    ],
)
def test_earliest_start(text, answer):
    assert ask(text, "earliest_start", "2027-01-15") == answer


@pytest.mark.parametrize(("name", "wanted"), [("minimum_budget", "a lot"), ("earliest_start", "soon")])
def test_unreadable_criterion_is_unknown(name, wanted):
    assert ask("Our budget is 3.000 EUR, start in March.", name, wanted) == ("unknown", [])
