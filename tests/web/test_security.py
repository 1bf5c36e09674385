"""The wall: nothing passes without a session or token, another site's request does nothing."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from soloist.config import Server
from soloist.kernel.access import SESSION_IDLE, SESSION_MOST, parse_scopes, secret_hash
from soloist.kernel.errors import BadConfig, BadInput, NotAllowed
from soloist.web.security import (
    MAX_BODY,
    SecurityMiddleware,
    check_bind,
    csrf_token,
    open_to_all,
    principal,
    require,
    safe_next,
)

_spec = importlib.util.spec_from_file_location("memory_access", Path(__file__).parent / "memory_access.py")
memory_access = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(memory_access)

NOW = 1_800_000_000.0
TOKEN = "solo_" + "a" * 43
SESSION = "mara-session"
CSRF = csrf_token(SESSION)


async def show(request: Request):
    return PlainTextResponse(f"{request.url.path} {(await request.body()).decode()}")


def build(server=None, **more):
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/api/v1/runs")
    async def runs(who=Depends(require("read"))):
        return {"actor": who.actor}

    @app.post("/api/v1/proposals")
    async def proposals(request: Request):
        return {"actor": principal(request).actor}

    @app.exception_handler(NotAllowed)
    async def refused(request, error):
        return PlainTextResponse(error.detail, 403)

    app.add_route("/{rest:path}", show, methods=["GET", "POST", "PUT"])
    access = memory_access.MemoryAccess()
    access.add_session(SESSION, NOW - 30)
    access.add_token(TOKEN, "read", "propose")
    return SecurityMiddleware(app, access, server or Server(), clock=lambda: NOW, **more)


@pytest.fixture
def wall():
    return build()


def client(wall, url="http://localhost:8787", signed_in=False, **more):
    found = TestClient(wall, base_url=url, follow_redirects=False, **more)
    if signed_in:
        found.cookies.set("soloist", SESSION)
    return found


@pytest.mark.parametrize(
    ("path", "open_"),
    [
        ("/healthz", True),
        ("/readyz", True),
        ("/signin", True),
        ("/welcome/x", True),
        ("/static/app.css", True),
        ("/f/contact", True),
        ("/hooks/shop", True),
        ("/d/x", True),
        ("/d", False),
        ("/", False),
        ("/signout", False),
        ("/metrics", False),
        ("/api/v1/openapi.json", False),
        ("/f", False),
        ("/forms", False),
        ("/healthz/", False),
        ("/Static/app.css", False),
        ("//f/contact", False),
        ("/collect", False),
    ],
)
def test_only_these_paths_are_open(path, open_):
    assert open_to_all(path) is open_


@pytest.mark.parametrize("path", ["/", "/inbox?x=1", "/settings", "/signout", "/f", "/nowhere"])
def test_a_page_without_a_session_leads_to_the_sign_in_page(wall, path):
    answer = client(wall).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/signin?next=/")


@pytest.mark.parametrize("path", ["/api/v1/runs", "/api/v1/nowhere", "/metrics", "/mcp", "/v1/chat/completions"])
@pytest.mark.parametrize("header", ["", "Bearer", f"Bearer {TOKEN}x", "Bearer solo_" + "b" * 43, f"Basic {TOKEN}"])
def test_a_program_without_a_good_token_gets_a_problem_document(wall, path, header):
    answer = client(wall).get(path, headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_works_on_the_api_and_nowhere_else(wall):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert client(wall).get("/api/v1/runs", headers=headers).json() == {"actor": "token:laptop"}
    assert client(wall).post("/api/v1/proposals", headers=headers).json() == {"actor": "token:laptop"}
    assert client(wall).get("/settings", headers=headers).status_code == 303


def test_a_token_that_ended_or_was_revoked_is_unknown(wall):
    tokens = wall.access.tokens
    headers = {"Authorization": f"Bearer {TOKEN}"}
    live = tokens[secret_hash(TOKEN)]
    for dead in (replace(live, expires_at=NOW), replace(live, revoked=True)):
        tokens[secret_hash(TOKEN)] = dead
        assert client(wall).get("/api/v1/runs", headers=headers).status_code == 401


def test_a_scope_that_was_not_given_is_named(wall):
    wall.access.add_token(TOKEN, "approve")
    answer = client(wall).get("/api/v1/runs", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.text) == (403, "This needs the scope read; this token holds: approve.")
    wall.access.add_token(TOKEN, "admin")
    assert client(wall).get("/api/v1/runs", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_scopes_are_read_by_name_or_refused():
    assert parse_scopes(["read", " Approve "]) == {"read", "approve"}
    for wrong in (["write"], []):
        with pytest.raises(BadInput, match="scope"):
            parse_scopes(wrong)


def test_a_session_opens_pages_and_reading_the_api(wall):
    mara = client(wall, signed_in=True)
    assert mara.get("/settings").text == "/settings "
    assert mara.get("/api/v1/runs").json() == {"actor": "operator"}


@pytest.mark.parametrize(
    "change",
    [{"seen_at": NOW - SESSION_IDLE - 1}, {"created_at": NOW - SESSION_MOST - 1}, {"revoked": True}],
)
def test_a_session_ends_by_idling_age_or_revocation(wall, change):
    sessions = wall.access.sessions
    sessions[secret_hash(SESSION)] = replace(sessions[secret_hash(SESSION)], **change)
    assert client(wall, signed_in=True).get("/settings").status_code == 303


def test_use_is_noted_at_most_once_a_minute(wall):
    mara = client(wall, signed_in=True)
    mara.get("/")
    assert wall.access.touched == []
    sessions = wall.access.sessions
    sessions[secret_hash(SESSION)] = replace(sessions[secret_hash(SESSION)], seen_at=NOW - 61)
    mara.get("/")
    mara.get("/")
    assert wall.access.touched == [NOW]


def test_a_form_needs_the_sessions_token_and_reaches_the_route_whole(wall):
    mara = client(wall, signed_in=True)
    assert mara.post("/stop", data={"on": "1"}).status_code == 403
    assert mara.post("/stop", data={"on": "1", "csrf": csrf_token("other")}).status_code == 403
    assert mara.post("/stop", data={"on": "1", "csrf": CSRF}).text == f"/stop on=1&csrf={CSRF}"
    assert mara.post("/stop", content=b"x" * 70_000, headers={"X-CSRF": CSRF}).text.endswith("x" * 70_000)


def test_a_form_with_a_file_carries_its_token_too(wall):
    files = {"mail": ("ada.eml", b"Subject: hello")}
    mara = client(wall, signed_in=True)
    assert "Subject: hello" in mara.post("/import", data={"csrf": CSRF}, files=files).text
    assert mara.post("/import", files=files).status_code == 403
    assert mara.post("/import", content=b"--", headers={"Content-Type": "multipart/form-data"}).status_code == 403


def test_the_api_takes_the_token_of_the_console_in_a_header_only(wall):
    mara = client(wall, signed_in=True)
    assert mara.post("/api/v1/proposals", data={"csrf": CSRF}).status_code == 403
    assert mara.post("/api/v1/proposals", headers={"X-CSRF": CSRF}).json() == {"actor": "operator"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://quick-offers.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "https://localhost:8787"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8787"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    ],
)
def test_another_sites_request_does_nothing(wall, headers):
    mara = client(wall, signed_in=True)
    assert mara.post("/stop", data={"csrf": CSRF}, headers=headers).status_code == 403
    assert client(wall).post("/signin", headers=headers).status_code == 403
    assert client(wall).post("/f/contact", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost:8787"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_our_own_forms_pass_as_browsers_send_them(wall, headers):
    assert client(wall, signed_in=True).post("/stop", data={"csrf": CSRF}, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "host", ["quick-offers.example", "localhost.quick-offers.example", "", "a@localhost", "[::1", "10.0.0.7"]
)
def test_a_rebound_or_broken_host_name_is_refused(wall, host):
    for path in ("/", "/api/v1/runs", "/f/contact", "/healthz"):
        assert client(wall, signed_in=True).get(path, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8787", "127.0.0.1:9", "[::1]:8787", "LOCALHOST", "localhost."])
def test_the_names_of_this_machine_are_known(wall, host):
    assert client(wall).get("/healthz", headers={"Host": host}).status_code == 200


def test_the_public_name_reaches_forms_and_hooks_only():
    wall = build(Server(public_host="hello.studio-linde.example", tls=True))
    public = client(wall, "https://hello.studio-linde.example")
    public.cookies.set("__Host-soloist", SESSION)
    for path in ("/f/contact", "/hooks/shop"):
        assert public.get(path).status_code == 200
    for path in ("/", "/signin", "/welcome/x", "/static/app.css", "/api/v1/runs", "/healthz", "/metrics"):
        answer = public.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
        assert (answer.status_code, answer.text) == (404, "There is nothing here.")


def test_over_tls_only_the_host_cookie_counts():
    wall = build(Server(tls=True), hosts=["console.linde.test"])
    mara = client(wall, "https://console.linde.test", signed_in=True)
    assert mara.get("/settings").status_code == 303
    mara.cookies.set("__Host-soloist", SESSION)
    answer = mara.get("/settings")
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("path", ["/", "/settings", "/f/contact", "/api/v1/runs", "/healthz", "/nowhere"])
@pytest.mark.parametrize("host", ["localhost:8787", "quick-offers.example"])
def test_every_answer_carries_the_headers(wall, path, host):
    headers = client(wall, signed_in=True).get(path, headers={"Host": host}).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_a_body_over_the_limit_is_refused_before_it_is_read(wall):
    headers = {"Content-Length": str(MAX_BODY + 1)}
    assert client(wall).post("/f/contact", content=b"x", headers=headers).status_code == 413
    assert client(wall).post("/f/contact", content=b"x", headers={"Content-Length": "-1"}).status_code == 413


def test_a_fetch_of_a_signed_out_page_is_told_where_to_go(wall):
    answer = client(wall).get("/activity", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/signin")


def test_there_are_no_web_sockets(wall):
    with pytest.raises(WebSocketDisconnect) as caught, client(wall).websocket_connect("/live"):
        pass
    assert caught.value.code == 1008


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\nb", "/signout"]
)
def test_after_signing_in_nobody_is_led_away(target):
    assert safe_next(target) == "/"
    assert safe_next("/cards/1?x=2") == "/cards/1?x=2"


def test_other_machines_are_let_in_only_behind_tls_and_a_password():
    for host in ("127.0.0.1", "localhost", "::1", "127.0.0.2"):
        check_bind(host, Server(), has_password=False)
    check_bind("0.0.0.0", Server(tls=True), has_password=True)
    for host in ("0.0.0.0", "192.168.1.5", "::", "mara.local"):
        with pytest.raises(BadConfig, match=r"server\.tls = true and set a password.*Nothing was started"):
            check_bind(host, Server(), has_password=False)
    with pytest.raises(BadConfig, match="set a password"):
        check_bind("0.0.0.0", Server(tls=True), has_password=False)
    with pytest.raises(BadConfig, match="TLS proxy"):
        check_bind("0.0.0.0", Server(), has_password=True)
