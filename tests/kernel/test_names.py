"""Ids that sort by time, keys of people, names of events, and what a message must carry."""

from __future__ import annotations

import os
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soloist.kernel import identity, inbound
from soloist.kernel.errors import BadInput
from soloist.kernel.event import Event, body_text, check_from_outside
from soloist.kernel.identity import Key
from soloist.kernel.ids import derived, uuid7
from soloist.kernel.proposal import NewProposal, agent_proposal_id, amount, api_proposal_id, edited, recipients

MESSAGE = {"from": "ada@okafor-ceramics.example", "text": "Could you redo our shop?"}


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_uuid7_carries_time_version_and_variant(milliseconds: int, randomness: bytes) -> None:
    ident = uuid.UUID(uuid7(milliseconds, randomness))
    assert str(ident) == uuid7(milliseconds, randomness)
    assert (ident.version, ident.variant, ident.int >> 80) == (7, uuid.RFC_4122, milliseconds)


@given(st.lists(st.integers(0, 2**48 - 1), unique=True, min_size=2))
def test_uuid7_sorts_by_time(moments: list[int]) -> None:
    idents = [uuid7(moment, os.urandom(10)) for moment in sorted(moments)]
    assert idents == sorted(idents)


def test_uuid7_of_one_millisecond_differ() -> None:
    assert len({uuid7(1, os.urandom(10)) for _ in range(1000)}) == 1000


def test_derived_ids_stay_the_same_for_ever() -> None:
    named = uuid.uuid5(uuid.UUID("6f1b1c1e-50f0-5e10-9a57-736f6c6f6973"), "a\x1f1")
    assert derived("a", 1) == derived("a", "1") == str(named)
    assert derived("ab", "c") != derived("a", "bc")
    assert agent_proposal_id("run", "draft", 0) != agent_proposal_id("run", "draft", 1)
    assert api_proposal_id("n8n", "1") != api_proposal_id("make", "1")


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("Ada@Okafor-Ceramics.EXAMPLE", "ada@okafor-ceramics.example"),
        (" ada+shop@okafor-ceramics.example ", "ada@okafor-ceramics.example"),
        ("a.d.a+x@gmail.com", "ada@gmail.com"),
        ("a.d.a@googlemail.com", "ada@gmail.com"),
        ("a.d.a@okafor.example", "a.d.a@okafor.example"),
        ("+tag@x.example", "+tag@x.example"),
        ("ada@MÜNCHEN.example", "ada@xn--mnchen-3ya.example"),
        ("ada@xn--mnchen-3ya.example", "ada@xn--mnchen-3ya.example"),
        ('"ada"@x.example.', "ada@x.example"),
        ("nonsense", "@nonsense"),
        ("a@..", "a@"),
    ],
)
def test_addresses_of_one_mailbox(address: str, same: str) -> None:
    assert identity.normal_address(address) == same


@pytest.mark.parametrize(
    "address", ["info@x.example", "Rechnung@x.example", "support+7@x.example", "no-reply@x.example"]
)
def test_function_address_identifies_nobody(address: str) -> None:
    assert identity.is_role(address)
    assert identity.keys(address, ["+49401234"]) == [Key("phone", "+49401234")]


@pytest.mark.parametrize("address", ["ada@x.example", "infoada@x.example", "mara@studio-linde.example"])
def test_person_is_no_function(address: str) -> None:
    assert not identity.is_role(address)


def test_keys_strongest_first() -> None:
    found = identity.keys("Ada+x@x.example", ["+1", "+2"], "shop", "cus_7")
    assert found == [Key("source:shop", "cus_7"), Key("email", "ada@x.example"), Key("phone", "+1"), Key("phone", "+2")]


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("ada@okafor-ceramics.example", "okafor-ceramics.example"),
        ("ada@GMAIL.com", ""),
        ("ada@web.de.", ""),
        ("ada@localhost", ""),
        ("ada@intranet", ""),
        ("ada@bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_shared_domains_are_no_company(address: str, domain: str) -> None:
    assert identity.company_domain(address) == domain


@given(st.text(max_size=40))
def test_any_text_is_an_address_of_itself(text: str) -> None:
    """Hostile senders come this way: no exception, and the same mailbox when it is read again."""
    once = identity.normal_address(text)
    identity.company_domain(text)
    identity.is_role(text)
    assert once == identity.normal_address(text)


@pytest.mark.parametrize("name", ["form", "n8n:orders", "a/b-c.d_e", "A" * 100])
def test_names_from_outside(name: str) -> None:
    check_from_outside(name, "m 1 / ü", name)


@pytest.mark.parametrize(
    "name", ["", " form", "a b", "a\n", ".a", "ü", "a" * 101, "soloist", "Soloist.fake", "soloist-x"]
)
@pytest.mark.parametrize("field", ["source", "kind"])
def test_names_that_are_refused(name: str, field: str) -> None:
    given = {"source": "form", "external_id": "m1", "kind": "a.b", field: name}
    with pytest.raises(BadInput) as caught:
        check_from_outside(**given)
    assert caught.value.field == field


@pytest.mark.parametrize("external", ["", "x" * 501, "a\nb", "a\x00b", "\u202e"])
def test_external_ids_that_are_refused(external: str) -> None:
    with pytest.raises(BadInput, match="external_id"):
        check_from_outside("form", external, "a.b")


@pytest.mark.parametrize("payload", [{"a": float("nan")}, {"a": "\ud800"}, {"a": b""}, {("a",): 1}])
def test_body_that_is_not_json_is_refused(payload: Any) -> None:
    with pytest.raises(BadInput):
        body_text(payload)


def test_body_is_the_same_for_the_same_payload() -> None:
    one, other = ({"b": "ü", "a": [1, {"d": 1, "c": 2}]}, {"a": [1, {"c": 2, "d": 1}], "b": "ü"})
    event = Event("i", "s", "x", "k", one, "outside", "at")
    assert event.body() == body_text(other).encode() == '{"a":[1,{"c":2,"d":1}],"b":"ü"}'.encode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": ""}, "payload.text"),
        ({"text": " \n"}, "payload.text"),
        ({"text": 5}, "payload.text"),
        ({"text": "x" * 200_001}, "payload.text"),
        ({"from": ""}, "payload.from"),
        ({"from": "nobody"}, "payload.from"),
        ({"from": "a@b, c@d"}, "payload.from"),
        ({"from": "Ada <ada@x.example>"}, "payload.from"),
        ({"from": ["ada@x.example"]}, "payload.from"),
        ({"subject": 1}, "payload.subject"),
        ({"phone": None}, "payload.phone"),
    ],
)
@pytest.mark.parametrize("kind", sorted(inbound.KINDS))
def test_message_that_cannot_be_answered_is_refused(kind: str, change: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        inbound.check(kind, {**MESSAGE, **change})
    assert caught.value.field == field


def test_other_kinds_carry_what_they_like() -> None:
    inbound.check("shop.order", {"text": 5})
    inbound.check(inbound.FORM, MESSAGE)


def test_form_becomes_a_message_and_loses_nothing() -> None:
    mail = inbound.as_mail({**MESSAGE, "name": "Ada", "budget": "3,500 EUR", "phone": "040 1234", "subject": "Shop"})
    assert mail.text == "Could you redo our shop?\n\nBudget: 3,500 EUR\nPhone: 040 1234"
    assert (mail.sender.name, mail.sender.address, mail.subject) == ("Ada", "ada@okafor-ceramics.example", "Shop")


@pytest.mark.parametrize("subject", ["Re: Logo", "AW: Re:  LOGO ", "Fwd: RE[2]: logo", "WG: logo"])
def test_subject_without_its_marks(subject: str) -> None:
    assert inbound.plain_subject(subject) == "logo"


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"to": ["a@x", "b@x"], "cc": "c@x"}, ["a@x", "b@x", "c@x"]),
        ({"to": "a@x"}, ["a@x"]),
        ({"to": {"a": 1}, "cc": None}, []),
        ({}, []),
    ],
)
def test_recipients(payload: dict[str, Any], found: list[str]) -> None:
    assert recipients(payload) == found


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"amount": 120000, "currency": "eur"}, (120000, "EUR")),
        ({"amount": True, "currency": "EUR"}, (0, "EUR")),
        ({"amount": 12.5}, (0, "")),
        ({"amount": "12", "currency": 5}, (0, "")),
        ({"amount": None}, (0, "")),
    ],
)
def test_amount(payload: dict[str, Any], found: tuple[int, str]) -> None:
    assert amount(payload) == found


def test_edit_changes_only_what_is_there() -> None:
    payload = {"to": ["ada@x.example"], "text": "Hello"}
    assert edited(payload, {"text": "Hello Ada"}) == {"to": ["ada@x.example"], "text": "Hello Ada"}
    assert payload["text"] == "Hello"
    with pytest.raises(BadInput, match=r"edits\.bcc: this proposal has no such field; it has: text, to") as caught:
        edited(payload, {"bcc": ["victor@quick-offers.example"]})
    assert caught.value.field == "edits.bcc"


def test_hash_of_a_proposal_is_of_its_bytes() -> None:
    def proposal(**payload: Any) -> NewProposal:
        return NewProposal("p", "mail", "mail.send", payload, "because", "agent")

    assert proposal(to="a", n=1).hash == proposal(n=1, to="a").hash != proposal(to="b", n=1).hash
