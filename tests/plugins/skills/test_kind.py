from __future__ import annotations

import pytest

from soloist.plugins.skills.kind import kind

ENQUIRY = "We need a new website, could you send us a quote?"


def told(**given):
    return kind.call(given)["kind"]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("bounce", "automatic"),
        ("auto_reply", "automatic"),
        ("no_reply", "automatic"),
        ("list", "bulk"),
        ("bulk", "bulk"),
    ],
)
def test_headers_win_over_words(how, expected):
    assert told(own_text=ENQUIRY, automatic={"kind": how, "why": "header"}) == expected


def test_words_are_verbatim_and_subject_is_in_the_rule():
    answer = kind.call({"own_text": "Dear Mara", "subject": "Asking for a quote"})
    assert answer["kind"] == "enquiry"
    assert answer["words"] == []
    assert "Asking for a quote" in answer["rule"]


def test_same_words_from_a_client_and_from_a_stranger():
    text = "I have the photos for you."
    assert told(own_text=text, known_client=True) == "client"
    assert told(own_text=text) == "unsure"


def test_an_attached_invoice_is_billing():
    assert told(own_text="Please see attached.", invoice_attached=True) == "billing"


def test_a_tie_goes_to_the_operator():
    text = "The shop is down. Please send the invoice."
    assert told(own_text=text, known_client=True) == "unsure"


def test_a_pitch_worded_like_an_enquiry_is_not_an_enquiry():
    text = "Do you need a quote for your website? We offer white label web development and free SEO audits."
    assert told(own_text=text, subject="Website enquiry") in {"spam", "unsure"}


def test_a_reply_to_our_newsletter_is_not_bulk():
    assert told(own_text=ENQUIRY, subject="Re: Newsletter no. 4") == "enquiry"
