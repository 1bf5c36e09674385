"""Declared operations of real services: forms, GraphQL, ids, sign-ins, look-ups in lists and ways back."""

import base64
import json
from typing import Any

import pytest

from soloist.config import ConnectorPart, parse
from soloist.kernel.errors import BadConfig
from soloist.plugins.connectors.http import CONNECTOR, HttpConnector
from soloist.sdk import (
    Absent,
    CannotTell,
    Ctx,
    Done,
    Found,
    HttpAnswer,
    MaybeSent,
    Outcome,
    Plan,
    Receipt,
    Refused,
    Unknown,
)
from soloist.sdk.testing import FakeHttp

KEY = "k2f7q0a9example"
AT = "2026-11-21T09:30:00+00:00"
CHARGE = {
    "method": "POST",
    "path": "/charges",
    "class": "A",
    "key_header": "Idempotency-Key",
    "risk": "financial",
    "encoding": "form",
    "body": {"amount": "{payload.amount}", "currency": "eur", "metadata": {"effect": "{key}"}},
    "ref": "id",
    "undo": {
        "method": "POST",
        "path": "/refunds",
        "body": {"charge": "{ref}", "metadata": {"effect": "{undo_key}"}},
        "kind": "offset",
    },
}
SEARCHED = {
    "method": "POST",
    "path": "/notes",
    "class": "B",
    "body": {"text": "{payload.text}", "external_id": "{key}"},
    "find": {
        "path": "/notes",
        "query": {"external_id": "{key}"},
        "found": "body.data.exists(d, d.external_id == key)",
        "absent": "status == 200 && body.data.size() == 0 && !body.has_more",
        "ref": "body.data.filter(d, d.external_id == key)[0].id",
    },
    "undo": {"method": "DELETE", "path": "/notes/{ref}"},
}
GRAPHQL = {
    "method": "POST",
    "path": "/graphql",
    "class": "C",
    "body": {"query": "mutation($t: String!) { add(text: $t) { id } }", "variables": {"t": "{payload.text}"}},
    "done": "!has(body.errors) && has(body.data.add)",
    "refused": "has(body.errors)",
    "ref": "data.add.id",
}
PLAIN = {"method": "POST", "path": "/hook"}


def answer(value: Any, status: int = 200, **headers: str) -> HttpAnswer:
    return HttpAnswer(status, {"content-type": "application/json", **headers}, json.dumps(value).encode())


def ctx(operation: Any, reply: Any, **more: Any) -> Ctx:
    given = {"kind": "http", "base_url": "https://shop.example/v1", "operations": {"do": operation}, **more}
    settings = ConnectorPart.model_validate(given).model_dump(mode="json", by_alias=True)
    http = FakeHttp(reply if callable(reply) else lambda *_: reply)
    return Ctx("shop", settings, http=http, secrets={"shop": "sk_live_1", "client": "cs_1"})


def plan(at: Ctx, **payload: Any) -> Plan:
    return CONNECTOR.prepare(at, "do", payload or {"amount": 4900, "text": "Hello"}, KEY, AT)


async def done(at: Ctx) -> Outcome:
    return await CONNECTOR.execute(at, plan(at))


async def test_a_form_with_the_key_in_header_and_metadata() -> None:
    at = ctx(CHARGE, answer({"id": "ch_1"}))
    assert isinstance(await done(at), Done)
    _, _, headers, body = at.http.sent[0]
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["Idempotency-Key"] == KEY
    assert body == f"amount=4900&currency=eur&metadata%5Beffect%5D={KEY}".encode()


async def test_a_refund_has_a_key_of_its_own() -> None:
    at = ctx(CHARGE, answer({"id": "re_1"}))
    back = CONNECTOR.undo(at, plan(at), Receipt("ch_1"))
    assert back is not None
    assert isinstance(await CONNECTOR.execute(at, back), Done)
    _, url, headers, body = at.http.sent[0]
    assert (url, headers["Idempotency-Key"]) == ("https://shop.example/v1/refunds", f"{KEY}.undo")
    assert body == f"charge=ch_1&metadata%5Beffect%5D={KEY}.undo".encode()
    assert (back.operation.effect_class, back.operation.undo) == ("A", "none")


def test_kinds_and_risks_follow_from_what_is_declared() -> None:
    def facts(operation: Any) -> tuple[str, str, str]:
        made = CONNECTOR.operations(ctx(operation, None))["do"]
        return made.effect_class, made.risk, made.undo

    assert facts(CHARGE) == ("A", "financial", "offset")
    assert facts(SEARCHED) == ("B", "reversible", "exact")
    assert facts(GRAPHQL) == ("C", "irreversible", "none")
    assert facts(PLAIN) == ("C", "irreversible", "none")
    assert facts({**PLAIN, "risk": "reversible", "undo": SEARCHED["undo"]}) == ("C", "irreversible", "exact")
    assert facts({**SEARCHED, "undo": {**SEARCHED["undo"], "kind": "offset"}})[1:] == ("irreversible", "offset")


def test_a_way_back_that_cannot_be_found_is_of_class_c() -> None:
    at = ctx({**SEARCHED, "undo": {"method": "POST", "path": "/credit", "kind": "offset"}}, None)
    assert CONNECTOR.undo(at, plan(at), Receipt("n_1")).operation.effect_class == "C"


LISTS = {
    "found": ({"data": [{"id": "n_1", "external_id": KEY}], "has_more": False}, Found(Receipt("n_1"))),
    "another's": ({"data": [{"id": "n_2", "external_id": "x"}], "has_more": False}, CannotTell),
    "empty": ({"data": [], "has_more": False}, Absent),
    "empty with more": ({"data": [], "has_more": True}, CannotTell),
    "another shape": ({"items": []}, CannotTell),
}


@pytest.mark.parametrize("how", LISTS)
async def test_a_write_is_looked_up_in_a_list(how: str) -> None:
    body, wanted = LISTS[how]
    at = ctx(SEARCHED, answer(body))
    seen = await CONNECTOR.find(at, plan(at))
    assert at.http.sent[0][1] == f"https://shop.example/v1/notes?external_id={KEY}"
    if isinstance(wanted, Found):
        assert isinstance(seen, Found)
        assert seen.receipt.provider_ref == "n_1"
    else:
        assert isinstance(seen, wanted)


async def test_the_look_up_of_an_undo_asks_for_the_first_key() -> None:
    at = ctx(SEARCHED, answer(LISTS["found"][0]))
    back = CONNECTOR.undo(at, plan(at), Receipt("n_1"))
    assert isinstance(await CONNECTOR.find(at, back), Absent)


GRAPHQL_ANSWERS = {
    "done": (answer({"data": {"add": {"id": "n_1"}}}), Done),
    "errors": (answer({"errors": [{"message": "no"}]}), Refused),
    "neither": (answer({"data": {}}), Unknown),
    "html": (HttpAnswer(200, {"content-type": "text/html"}, b"<html>"), Unknown),
    "500": (answer({}, 500), Unknown),
}


@pytest.mark.parametrize("how", GRAPHQL_ANSWERS)
async def test_200_alone_is_not_done_where_an_expression_says_more(how: str) -> None:
    given, wanted = GRAPHQL_ANSWERS[how]
    outcome = await done(ctx(GRAPHQL, given))
    assert isinstance(outcome, wanted)
    if isinstance(outcome, Done):
        assert outcome.receipt.provider_ref == "n_1"


async def test_a_409_may_be_declared_as_done() -> None:
    operation = {**SEARCHED, "done": "status in [200, 409]", "ref": "id"}
    assert isinstance(await done(ctx(operation, answer({"id": "n_1"}, 409))), Done)


REFS = {
    "location": ("location", answer({}, 201, location="https://shop.example/v1/notes/n_1/?x=1"), "n_1"),
    "header": ("header.X-Id", answer({}, 201, **{"x-id": "h_1"}), "h_1"),
    "place": ("data.0.id", answer({"data": [{"id": 7}]}), "7"),
}


@pytest.mark.parametrize("how", REFS)
async def test_the_providers_id_is_where_it_was_declared(how: str) -> None:
    place, given, ref = REFS[how]
    outcome = await done(ctx({**SEARCHED, "ref": place}, given))
    assert isinstance(outcome, Done)
    assert outcome.receipt.provider_ref == ref


async def test_an_answer_without_the_declared_id_is_unknown() -> None:
    assert isinstance(await done(ctx(CHARGE, answer({"object": "charge"}))), Unknown)


SIGN_INS = {
    "bearer": ({"kind": "bearer", "secret": "shop"}, "Authorization", "Bearer sk_live_1"),
    "header": ({"kind": "header", "secret": "shop", "header": "X-Key"}, "X-Key", "sk_live_1"),
    "basic": (
        {"kind": "basic", "secret": "shop", "username": "mara"},
        "Authorization",
        f"Basic {base64.b64encode(b'mara:sk_live_1').decode()}",
    ),
}


@pytest.mark.parametrize("how", SIGN_INS)
async def test_a_sign_in_is_sent_and_shown_nowhere(how: str) -> None:
    auth, name, value = SIGN_INS[how]
    at = ctx(PLAIN, lambda *_: answer({"you sent": value}, 422), auth=auth)
    prepared = plan(at)
    outcome = await CONNECTOR.execute(at, prepared)
    assert at.http.sent[0][2][name] == value
    assert value.removeprefix("Basic ").removeprefix("Bearer ") not in f"{prepared}{outcome}"


TOKEN = {"kind": "client_credentials", "secret": "shop", "client_id": "me", "token_url": "https://id.example/token"}


class TokenShop:
    """Gives tokens one after the other and takes only the newest."""

    def __init__(self, token: Any = None) -> None:
        self.given, self.token = 0, token

    def __call__(self, _method: str, url: str, _body: Any) -> HttpAnswer:
        if "id.example" not in url:
            return answer({"id": "1"})
        self.given += 1
        if isinstance(self.token, Exception):
            raise self.token
        return self.token or answer({"access_token": f"t{self.given}", "expires_in": 3600})


async def test_a_token_is_fetched_once_and_used_until_its_end() -> None:
    shop, connector = TokenShop(), HttpConnector()
    at = ctx(PLAIN, shop, auth=TOKEN)
    for _ in range(2):
        assert isinstance(await connector.execute(at, plan(at)), Done)
    assert shop.given == 1
    assert at.http.sent[0][3] == b"grant_type=client_credentials&client_id=me&client_secret=sk_live_1"
    assert at.http.sent[2][2]["Authorization"] == "Bearer t1"


async def test_a_token_that_is_no_longer_taken_is_fetched_anew() -> None:
    shop, connector = TokenShop(), HttpConnector()
    at = ctx(PLAIN, lambda *args: answer({}, 401) if "id.example" not in args[1] else shop(*args), auth=TOKEN)
    outcome = await connector.execute(at, plan(at))
    assert isinstance(outcome, Refused)
    assert (outcome.auth, outcome.retry_after) == (False, 1.0)
    await connector.execute(at, plan(at))
    assert shop.given == 2


BAD_TOKENS = {
    "refused": (answer({"error": "invalid_client"}, 401), True),
    "down": (answer({}, 503), False),
    "html": (HttpAnswer(200, {}, b"<html>"), False),
    "cut": (MaybeSent("cut"), False),
}


@pytest.mark.parametrize("how", BAD_TOKENS)
async def test_without_a_token_nothing_is_sent(how: str) -> None:
    token, auth = BAD_TOKENS[how]
    at = ctx(PLAIN, TokenShop(token), auth=TOKEN)
    outcome = await HttpConnector().execute(at, plan(at))
    assert isinstance(outcome, Refused)
    assert outcome.auth is auth
    assert all("id.example" in url for _, url, _, _ in at.http.sent)
    assert "sk_live_1" not in f"{outcome}"


async def test_a_rotated_refresh_token_is_kept() -> None:
    kept: list[tuple[str, str]] = []
    token = answer({"access_token": "t1", "refresh_token": "r2"})
    auth = {**TOKEN, "kind": "refresh_token", "client_secret": "client"}
    at = ctx(PLAIN, TokenShop(token), auth=auth)
    renewing = Ctx(at.name, at.settings, http=at.http, secrets=at.secrets, renew=lambda *pair: kept.append(pair))
    assert isinstance(await HttpConnector().execute(renewing, plan(at)), Done)
    assert kept == [("shop", "r2")]


WRONG = {
    "class A without a key": {"method": "POST", "path": "/x", "class": "A"},
    "class B without find": {"method": "POST", "path": "/x", "class": "B"},
    "a page that is no address": {**PLAIN, "page": "javascript:alert(1)"},
    "a class there is not": {**PLAIN, "class": "D"},
    "a risk there is not": {**PLAIN, "risk": "none"},
}


@pytest.mark.parametrize("how", WRONG)
def test_a_wrong_declaration_is_refused_by_name(how: str) -> None:
    with pytest.raises(BadConfig, match=r"connectors\.shop\.operations\.do"):
        parse(
            {
                "connectors": {
                    "shop": {"kind": "http", "base_url": "https://a.example", "operations": {"do": WRONG[how]}}
                }
            }
        )


def test_what_a_way_back_needs_is_asked_when_it_is_proposed() -> None:
    back = {"method": "POST", "path": "/credit", "body": {"invoice": "{payload.invoice}"}}
    with pytest.raises(ValueError, match=r"^payload\.invoice: "):
        plan(ctx({**PLAIN, "undo": back}, None))
    with pytest.raises(ValueError, match=r"^find\.ref: "):
        plan(ctx({**SEARCHED, "find": {**SEARCHED["find"], "ref": "status == 200"}}, None))


@pytest.mark.parametrize("place", ["done", "refused"])
def test_a_wrong_expression_is_found_when_preparing(place: str) -> None:
    with pytest.raises(ValueError, match=f"^{place}: "):
        plan(ctx({**PLAIN, place: "stat == 200"}, None))
