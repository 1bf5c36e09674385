"""Sign-in: the right password, the one-time link, growing delays, and nothing that outlives a sign-out."""

import importlib.util
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from soloist.config import Server
from soloist.kernel.access import secret_hash
from soloist.kernel.errors import BadInput
from soloist.web.auth import SignIn, hash_password, password_matches
from soloist.web.security import SecurityMiddleware, csrf_token

_spec = importlib.util.spec_from_file_location("memory_access", Path(__file__).parent / "memory_access.py")
memory_access = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(memory_access)

PASSWORD = "a grey cat on the Elbe"
HASHED = hash_password(PASSWORD)
NOW = 1_800_000_000.0


@pytest.fixture
def slept():
    return []


@pytest.fixture
def access():
    found = memory_access.MemoryAccess()
    found.password = HASHED
    return found


@pytest.fixture
def browser(access, slept):
    async def sleep(seconds):
        slept.append(seconds)

    async def inbox(request):
        return PlainTextResponse("inbox of " + request.state.who)

    signin = SignIn(access, business="Studio Linde", clock=lambda: NOW, sleep=sleep)
    app = Starlette(routes=[Route("/", inbox), *signin.routes()])
    wall = SecurityMiddleware(app, access, Server(), clock=lambda: NOW)
    return TestClient(wall, base_url="http://localhost:8787", follow_redirects=False)


def sign_in(browser, password=PASSWORD, headers=None, **more):
    return browser.post("/signin", data={"password": password, **more}, headers=headers)


def test_the_right_password_opens_the_inbox(browser, slept):
    answer = sign_in(browser, next="/cards/7")
    assert (answer.status_code, answer.headers["location"]) == (303, "/cards/7")
    assert browser.get("/").text == "inbox of operator"
    assert slept == []


def test_the_cookie_is_for_this_site_and_never_for_scripts(browser, access):
    cookie = sign_in(browser).headers["set-cookie"]
    assert cookie.startswith("soloist=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert browser.cookies["soloist"] not in str(access.sessions)
    assert secret_hash(browser.cookies["soloist"]) in access.sessions


def test_over_tls_the_cookie_is_bound_to_the_host(browser):
    browser.base_url = "https://localhost:8787"
    cookie = sign_in(browser).headers["set-cookie"]
    assert cookie.startswith("__Host-soloist=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


def test_every_sign_in_gets_a_new_session(browser):
    chosen = sign_in(browser, headers={"Cookie": "soloist=chosen-by-someone-else"}).cookies["soloist"]
    assert chosen != "chosen-by-someone-else"
    assert chosen != sign_in(browser).cookies["soloist"]


def test_a_wrong_password_is_answered_later_each_time_and_then_not_at_all(browser, access, slept):
    for _ in range(5):
        assert "This is not the password." in sign_in(browser, "wrong wrong wrong").text
    assert slept == [0.5, 1.0, 2.0, 4.0, 8.0]
    answer = sign_in(browser)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 901
    assert access.sessions == {}


def test_whoever_is_signed_in_stays_signed_in_while_others_guess(browser):
    sign_in(browser)
    for _ in range(6):
        sign_in(browser, "wrong wrong wrong")
    assert browser.get("/").status_code == 200


def test_a_right_password_clears_the_count(browser):
    for _ in range(4):
        sign_in(browser, "wrong wrong wrong")
    assert sign_in(browser).status_code == 303
    assert sign_in(browser, "wrong wrong wrong").status_code == 401


def test_without_a_password_nothing_signs_in(browser, access):
    access.password = ""
    for guess in ("", "None", PASSWORD):
        answer = sign_in(browser, guess)
        assert (answer.status_code, "one-time link" in answer.text) == (401, True)


def test_signing_out_ends_the_session_and_needs_the_form_token(browser):
    sign_in(browser)
    kept = browser.cookies["soloist"]
    assert browser.post("/signout").status_code == 403
    assert browser.post("/signout", data={"csrf": csrf_token(kept)}).headers["location"] == "/signin"
    browser.cookies.set("soloist", kept)
    assert browser.get("/").status_code == 303


def test_the_link_leads_to_a_password_and_works_once(browser, access):
    access.add_link("abc")
    assert "Set your password" in browser.get("/welcome/abc").text
    assert browser.get("/welcome/abc").status_code == 200
    answer = browser.post("/welcome/abc", data={"password": "another grey cat"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert password_matches(access.password, "another grey cat")
    assert browser.get("/").status_code == 200
    assert browser.get("/welcome/abc").status_code == 410
    assert browser.post("/welcome/abc", data={"password": "a third grey cat"}).status_code == 410


def test_a_new_password_ends_every_other_session(browser, access):
    sign_in(browser)
    old = browser.cookies["soloist"]
    access.add_link("abc")
    browser.post("/welcome/abc", data={"password": "another grey cat"})
    browser.cookies.clear()
    browser.cookies.set("soloist", old)
    assert browser.get("/").status_code == 303


def test_a_short_password_is_refused_and_the_link_still_works(browser, access):
    access.add_link("abc")
    answer = browser.post("/welcome/abc", data={"password": "short"})
    assert (answer.status_code, "Use at least 10 characters" in answer.text) == (422, True)
    assert browser.post("/welcome/abc", data={"password": "long enough now"}).status_code == 303


@pytest.mark.parametrize("more", [{"expires_at": NOW - 1}, {"used": True}])
def test_an_old_or_used_link_opens_nothing(browser, access, more):
    access.add_link("abc", **more)
    assert browser.get("/welcome/abc").status_code == 410
    assert browser.post("/welcome/abc", data={"password": "long enough now"}).status_code == 410
    assert browser.get("/welcome/unknown").status_code == 410
    assert access.password == HASHED


def test_the_link_of_a_sample_home_signs_in_at_once_and_once(browser, access):
    access.add_link("demo", sets_password=False)
    assert browser.post("/welcome/demo", data={"password": "long enough now"}).status_code == 410
    assert browser.get("/welcome/demo").headers["location"] == "/"
    assert browser.get("/").text == "inbox of operator"
    assert browser.get("/welcome/demo").status_code == 410


def test_odd_bodies_and_methods_are_plain_refusals(browser):
    assert browser.post("/signin", content=b"password=" + b"x" * 20_000).status_code == 401
    assert browser.post("/signin", content=b"password=%ff\xff").status_code == 401
    assert browser.put("/signin").text == browser.get("/welcome/a/b").text == "There is nothing here."


def test_passwords_are_argon2id_and_compared_by_their_words():
    assert HASHED.startswith("$argon2id$")
    assert password_matches(HASHED, PASSWORD)
    assert not password_matches(HASHED, PASSWORD + " ")
    assert not password_matches("", "")
    assert not password_matches("not a hash", PASSWORD)
    for wrong in ("short", "x" * 1001):
        with pytest.raises(BadInput, match="password"):
            hash_password(wrong)
