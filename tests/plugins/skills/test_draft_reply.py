"""Reply drafts: facts only from the house book, questions where it is silent, polite templates in four languages."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from soloist.kernel.errors import BadInput
from soloist.kernel.message import Contact, Draft, Qualified, Span, Understanding
from soloist.plugins.skills import _reply_templates as shipped_templates
from soloist.plugins.skills.check_draft import In as CheckIn
from soloist.plugins.skills.check_draft import check_draft
from soloist.plugins.skills.draft_reply import Business, FollowUpIn, In, draft_follow_up, draft_reply

BOOK = """## Services
- Website: design and build of small websites.
- Brand design: logo and colours.

## Prices
- Website: from 2,800 EUR, plus VAT.
- Brand design: from 1,900 EUR.
- Minimum budget: projects start at 2,000 EUR.

## Terms
- Payment: 40 % when we begin, the rest when the work is done.

## FAQ
**How long does a website take?** A small website takes about six weeks.

## Preise
- Mindestbudget: Projekte beginnen bei 2.000 EUR.

## Secret
- Rock bottom for a website: 900 EUR

## Tone
- English: informal
"""
SERVICES = "Website: website, Webseite, site web, página web; Brand design: logo, identité visuelle"
MARA = Business(name="Studio Linde", owner="Mara Linde", email="mara@studio-linde.example")


def span(text: str, words: str) -> Span:
    start = text.index(words)
    return Span(text=words, start=start, end=start + len(words))


def qualified(criterion: str, answer: str, *words: Span) -> Qualified:
    return Qualified(
        criterion=criterion,
        wanted=SERVICES if criterion == "services" else "x",
        answer=answer,
        reason="Why.",
        words=words,
    )


def reply(text: str, **given: Any) -> Draft:
    """A draft for an own text; every sentence with a question mark counts as a question."""
    read = {"language": "en", "language_sure": True, "kind": "enquiry", "kind_rule": "test"} | given.pop("read", {})
    asked = [span(text, m[0].strip()) for m in re.finditer(r"[^.?!:\n]+\?", text)]
    service = given.pop("service", "")
    answers = [qualified("services", "met", span(text, service))] if service else []
    value = {"house_book": BOOK, "sender_name": "Emily Carter", "business": MARA, "subject": "Hello"} | given
    value["qualification"] = answers + value.get("qualification", [])
    draft = draft_reply.run(In(understanding=Understanding(own_text=text, questions=asked, **read), **value))
    checked = check_draft.run(
        CheckIn(draft=draft, house_book=value["house_book"], message_text=text, recipient="a", allowed_recipients=["a"])
    )
    assert checked.faults == []
    return draft


def cited(draft: Draft) -> list[int]:
    return [c.line for c in draft.citations]


def test_an_enquiry_is_thanked_mirrored_and_answered_from_the_book():
    draft = reply("We need a new website. How long does a website take?", service="website")
    assert draft.body == (
        "Hi Emily,\n\nThank you for your enquiry. You write: “We need a new website.”\n\n"
        "Here is what I can say about it already:\n"
        "- Website: design and build of small websites.\n- Website: from 2,800 EUR, plus VAT.\n\n"
        "On “How long does a website take?”: A small website takes about six weeks.\n\n"
        "Best regards\nMara Linde\nStudio Linde"
    )
    assert cited(draft) == [14, 2, 6]
    assert draft.questions == []


def test_a_question_without_a_line_becomes_a_question_to_the_operator():
    draft = reply("We need a website. Do you also print on fabric?", service="website")
    assert [q.text for q in draft.questions] == [
        "They ask: 'Do you also print on fabric?' Your house book has no line on this; write the answer into the reply "
        "or add it to the house book."
    ]
    assert "On your question “Do you also print on fabric?” I will come back to you separately." in draft.body
    assert draft.questions[0].words == span(
        "We need a website. Do you also print on fabric?", "Do you also print on fabric?"
    )


@pytest.mark.parametrize(
    ("language", "question", "line"),
    [
        ("de", "Was kostet eine Webseite?", 6),
        ("fr", "Combien coûte un site web ?", 6),
        ("es", "¿Cuánto cuesta una página web?", 6),
        ("de", "Wie lange dauert eine Webseite?", 14),
        ("fr", "Quels sont les modes de paiement ?", 11),
        ("es", "¿Cómo se paga el logo?", 0),
        ("en", "How do I pay?", 11),
        ("en", "What does a logo cost?", 0),
        ("en", "What does brand design cost?", 7),
        ("en", "When can you start?", 0),
        ("en", "How much is a website with a Shopware shop and a booking calendar?", 0),
    ],
)
def test_which_line_answers_a_question(language: str, question: str, line: int):
    draft = reply(question, read={"language": language, "kind": "client"})
    assert cited(draft) == ([line] if line else [])
    assert bool(draft.questions) == (line == 0)


def test_what_does_that_cost_means_the_thing_they_asked_for():
    draft = reply("We need a logo and more brand design. What does that cost?", service="brand design")
    assert 7 in cited(draft)
    assert 6 not in cited(draft)


def test_the_operators_synonyms_lead_to_the_line_of_that_service_only():
    wanted = "Brand design: brand design, Auftritt, Website: website, Webseite"
    text = "Wir brauchen einen Auftritt für unsere Praxis."
    met = Qualified(criterion="services", wanted=wanted, answer="met", reason="x", words=[span(text, "Auftritt")])
    assert cited(reply(text, qualification=[met], read={"language": "de"})) == [3, 7]


def test_lines_of_one_language_only_are_quoted():
    book = "## Leistungen\n- Website: Bau und Pflege für Sie.\n\n## Services\n- Website: design and build for you."
    draft = reply("Nous cherchons un site web.", service="site web", house_book=book, read={"language": "fr"})
    assert cited(draft) == [5]


def test_a_name_that_begins_like_a_service_is_not_the_service():
    text = "Jonas Brandt recommended you. We need a website."
    draft = reply(text, qualification=[qualified("services", "met", span(text, "Brandt"), span(text, "website"))])
    assert cited(draft) == [2, 6]


def test_two_questions_in_one_sentence_are_answered_apart():
    draft = reply("How long does a website take and how do I pay?", read={"kind": "client"})
    assert cited(draft) == [14, 11]


def test_a_line_in_another_language_is_quoted_as_it_is_and_noted():
    draft = reply("Wie lange dauert eine Webseite?", read={"language": "de"})
    assert "A small website takes about six weeks." in draft.body
    assert "The house book has line 14 only in English; it is quoted as it is." in draft.notes


def test_a_secret_part_of_the_book_is_never_quoted():
    draft = reply("We need a website. What is your rock bottom price for a website?", service="website")
    assert "900" not in draft.body


def test_a_budget_below_the_minimum_states_the_line_and_asks_back():
    text = "Ich brauche eine Webseite. Mein Budget sind 800 Euro."
    poor = [qualified("minimum_budget", "not_met", span(text, "800 Euro"))]
    draft = reply(text, service="Webseite", qualification=poor, read={"language": "de"})
    assert draft.template == "enquiry_poor.de"
    assert "- Mindestbudget: Projekte beginnen bei 2.000 EUR." in draft.body
    assert "Gibt es bei Ihrem Budget Spielraum" in draft.body
    assert "Not met: the minimum budget. Why." in draft.notes


def test_a_condition_without_a_line_is_asked_of_the_operator():
    draft = reply("We are in Peru.", qualification=[qualified("regions", "not_met", span("We are in Peru.", "Peru"))])
    assert "Your house book has no line that says so" in draft.questions[0].text
    assert "Is the place fixed for you?" in draft.body


def test_at_most_three_asks_for_what_is_unknown():
    unknown = [qualified(c, "unknown") for c in ("regions", "earliest_start", "minimum_budget", "services")]
    draft = reply("We would like to work with you.", qualification=unknown)
    asks = [line for line in draft.body.split("\n") if line.startswith("- ")]
    assert asks == [
        "- What exactly do you need?",
        "- What budget have you set aside for it?",
        "- When would you like to start?",
    ]


@pytest.mark.parametrize("kind", ["client", "support", "billing", "scheduling", "unsure"])
def test_other_kinds_get_an_acknowledgement_that_asks_and_offers_nothing(kind: str):
    draft = reply("The invoice arrived.", read={"kind": kind}, qualification=[qualified("services", "unknown")])
    assert draft.template == "acknowledgement.en"
    assert "- " not in draft.body


@pytest.mark.parametrize("kind", ["bulk", "automatic", "spam"])
def test_mail_that_is_never_answered_is_refused(kind: str):
    with pytest.raises(BadInput, match="get no reply"):
        reply("Buy now.", read={"kind": kind})


@pytest.mark.parametrize(
    ("name", "greeting"),
    [
        ("Emily Carter", "Hi Emily,"),
        ("Carter, Emily", "Hi Emily,"),
        ("", "Hi,"),
        ("None", "Hi,"),
        ("emily@carter.example", "Hi,"),
        ("Carter Bakery GmbH", "Hi,"),
        ("Sales Team", "Hi,"),
        ("click http://win.example", "Hi,"),
        ("Emily\r\nBcc: x", "Hi,"),
        ("Łukasz Żółć-O’Brien", "Hi Łukasz,"),
    ],
)
def test_greeting_by_name_only_when_it_is_a_name(name: str, greeting: str):
    assert reply("We need help.", sender_name=name).body.split("\n")[0] == greeting


def test_the_signature_gives_the_name_when_the_header_has_none():
    draft = reply("We need help.", sender_name="", read={"contact": Contact(name="Ada Okafor")})
    assert draft.body.startswith("Hi Ada,")


@pytest.mark.parametrize(
    ("tone", "language", "first", "last"),
    [
        ("German: formal", "de", "Guten Tag Emily Carter,", "Viele Grüße"),
        ("German: informal", "de", "Hallo Emily,", "Viele Grüße"),
        ("Tone: informal", "es", "Hola, Emily:", "Un saludo"),
        ("Greeting: Servus {name},\n- Closing (German): Bis bald", "de", "Servus Emily Carter,", "Bis bald"),
        ("Anrede: Moin", "de", "Moin Emily Carter,", "Viele Grüße"),
        ("", "fr", "Bonjour Emily Carter,", "Bien cordialement"),
    ],
)
def test_tone_of_the_house_book(tone: str, language: str, first: str, last: str):
    draft = reply("Nix.", house_book=f"## Tone\n- {tone}", read={"language": language})
    lines = draft.body.split("\n")
    assert (lines[0], lines[-3]) == (first, last)


@pytest.mark.parametrize(
    ("tone", "said"), [("", "Hallo Emily,"), ("## Tone\n- German: formal", "Guten Tag Emily Carter,")]
)
def test_a_message_that_says_du_is_answered_so_unless_the_house_book_says_otherwise(tone: str, said: str):
    draft = reply("Kannst du mir bitte sagen, ob du Zeit hast.", house_book=tone, read={"language": "de"})
    assert draft.body.startswith(said)


def test_informal_german_says_du():
    draft = reply("Hallo.", house_book="## Tone\n- informal", read={"language": "de"})
    assert "deine Anfrage" in draft.body
    assert not re.search(r"\b(Sie|Ihre|Ihnen)\b", draft.body)


def test_an_unknown_language_falls_back_to_the_business_language():
    draft = reply("Bom dia.", read={"language": "pt"}, business=MARA.model_copy(update={"language": "de"}))
    assert draft.template == "enquiry.de"
    assert draft.notes[0] == "There is no template for the language 'pt', so this draft is in German."


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Website", "Re: Website"),
        ("Re: RE: AW: Re[2]: Website", "Re: Website"),
        ("Réf: Antw: Site", "Re: Site"),
        ("x\r\nBcc: victor@quick-offers.example", "Re: x Bcc: victor@quick-offers.example"),
        ("", "Re: your message"),
        ("Response: ok", "Re: Response: ok"),
    ],
)
def test_subject_never_stacks_and_stays_one_line(subject: str, expected: str):
    assert reply("Hi.", subject=subject).subject == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("a\n{% if %}", "enquiry.en.j2 is broken in line 2:"),
        ("a\nb\n{{ price }}", "enquiry.en.j2 is broken in line 3: 'price' is undefined."),
        ("{{ greeting.__class__.__mro__ }}", "enquiry.en.j2 is broken in line 1:"),
        ("{{ 1 / 0 }}", "enquiry.en.j2 is broken in line 1: division by zero."),
        ("{# nothing #}", "enquiry.en.j2 gives an empty text."),
        ("{{ 'x' * 30000 }}", "enquiry.en.j2 gives a text of 30,000 characters"),
        ("{{ 'word ' * 300 }}", "enquiry.en.j2 gives more than 250 words."),
    ],
)
def test_a_broken_own_template_falls_back_and_is_named(source: str, said: str):
    draft = reply("We need a website.", service="website", templates={"enquiry.en": source})
    assert draft.body.startswith("Hi Emily,\n\nThank you")
    assert any(said in n and "The shipped template was used instead." in n for n in draft.notes)


def test_an_own_template_is_used_and_cites_only_what_it_shows():
    own = {"enquiry.en": "{{ greeting }}\n\n{{ facts[0] }}   \n{{ today }}"}
    draft = reply("We need a website.", service="website", templates=own, now="2026-11-21T09:00:00Z")
    assert draft.body == "Hi Emily,\n\nWebsite: design and build of small websites.\n21 November 2026"
    assert cited(draft) == [2]


def test_their_words_are_data_and_addresses_are_left_out():
    text = "We need a website like {{ business }} at https://evil.example/x please."
    draft = reply(text, service="website")
    assert "You write: “We need a website like {{ business }} at … please.”" in draft.body


def test_a_long_book_and_many_questions_stay_within_250_words():
    long = "word " * 70
    book = "## Services\n" + "\n".join(f"- Website: {long}{n}" for n in range(6)) + f"\n## FAQ\n**Who hosts?** {long}"
    text = "We need a website. Who hosts? " + " ".join(f"Do you know about zebra{n}x topic{n}y?" for n in range(12))
    draft = reply(text, service="website", house_book=book)
    assert len(draft.body.split()) <= 250
    assert len(draft.questions) == 12 - 4 + 4
    assert any("left out to keep the reply short" in n for n in draft.notes)


@pytest.mark.parametrize("word", ["a-", "a.", "a@", "We need a website ", "111 ", "Re: ", "x"])
def test_long_messages_are_answered_in_seconds(word: str):
    text = word * (200_000 // len(word))
    start = time.perf_counter()
    read = Understanding(
        own_text=text,
        kind="enquiry",
        kind_rule="x",
        kind_words=[Span(text=text, start=0, end=len(text))],
        questions=[Span(text=text, start=0, end=len(text))],
    )
    draft = draft_reply.run(In(house_book=BOOK, understanding=read, subject=text, sender_name=text))
    assert len(draft.body) < 2000
    assert time.perf_counter() - start < 5


def test_a_house_book_of_a_megabyte_is_used_in_seconds():
    start = time.process_time()
    draft = reply("We need a website. How do I pay?", service="website", house_book=BOOK * 1500)
    assert len(draft.citations) >= 3
    assert time.process_time() - start < 10


@pytest.mark.parametrize("name", sorted(shipped_templates.shipped()))
def test_shipped_templates_hold_no_figure_and_no_trailing_space(name: str):
    source = re.sub(r"\{#.*?#\}", "", shipped_templates.shipped()[name], flags=re.DOTALL)
    assert not re.search(r"\d{2}|€|EUR|\[[a-z ]+\]", source)
    assert not re.search(r"[ \t]$", source, re.MULTILINE)


def test_every_kind_is_shipped_in_four_languages():
    names = set(shipped_templates.shipped())
    kinds = {name.rpartition(".")[0] for name in names}
    assert {"enquiry", "enquiry_poor", "follow_up", "acknowledgement"} < kinds
    assert names == {f"{kind}.{lang}" for kind in kinds for lang in ("en", "de", "fr", "es")}


def follow_up(**given: Any) -> Draft:
    value = {
        "sender_name": "Ada Okafor",
        "subject": "Re: Glazes",
        "business": MARA,
        "first_sent": "2026-11-12T08:00:00Z",
    }
    return draft_follow_up.run(FollowUpIn(**(value | given)))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "On 12 November 2026 I replied to your message “Glazes” and"),
        ("de", "am 12. November 2026 habe ich auf Ihre Nachricht „Glazes“ geantwortet"),
        ("fr", "Le 12 novembre 2026, j’ai répondu à votre message « Glazes »"),
        ("es", "El 12 de noviembre de 2026 respondí a su mensaje «Glazes»"),
    ],
)
def test_a_follow_up_names_the_day_and_their_subject(language: str, words: str):
    draft = follow_up(language=language)
    assert words in draft.body
    assert (draft.subject, draft.citations, draft.questions) == ("Re: Glazes", [], [])


def test_a_follow_up_without_a_known_day_names_none():
    draft = follow_up(first_sent="soon", language="pt")
    assert "I replied to your message “Glazes”" in draft.body
    assert len(draft.notes) == 2


def test_a_broken_follow_up_template_falls_back():
    assert "line 1" in follow_up(templates={"follow_up.en": "{{ nothing }}"}).notes[0]


def test_the_skills_take_and_give_plain_json():
    read = {"own_text": "Hi", "kind": "client", "kind_rule": "x"}
    business = {"name": "Studio Linde", "owner": "Mara Linde", "timezone": "Europe/Berlin"}
    out = draft_reply.call({"house_book": BOOK, "understanding": read, "business": business})
    assert out["template"] == "acknowledgement.en"
    assert (draft_reply.version, draft_follow_up.version) == ("2", "1")
