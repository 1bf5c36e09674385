"""The printed Caddyfile with a real Caddy in front of a real server: what strangers reach, and whose address counts."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.driving import SOLOIST, Served, environment, token, until
from tests.acceptance.ports import free_port

pytestmark = pytest.mark.servers

PUBLIC, CONSOLE = "shop.example", "desk.example"
PASSWORD = "a calm desk at the window"
SETTINGS = f"[server]\npublic_host = '{PUBLIC}'\ntls = true\n[forms.contact]\nper_hour = 3\n"
GLOBAL = """{{
	admin off
	skip_install_trust
	http_port {http}
	https_port {https}
	default_bind 127.0.0.1
	storage file_system {folder}
}}
"""


class Front:
    """Caddy on free ports of loopback, and clients that take the two names for this machine."""

    def __init__(self, folder: Path, behind: int) -> None:
        self.http, self.port = free_port(), free_port()
        words = ("service", "caddy", "--host", PUBLIC, "--console", CONSOLE, "--port", str(behind), "--local")
        shipped = subprocess.run([*SOLOIST, *words], env=environment(), capture_output=True, text=True, check=True)
        own = GLOBAL.format(http=self.http, https=self.port, folder=folder / "data")
        (folder / "Caddyfile").write_text(own + shipped.stdout)
        env = environment(HOME=str(folder), XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder))
        command = ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
        self.log = folder / "caddy.log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env)
        root = folder / "data" / "pki" / "authorities" / "local" / "root.crt"
        until(lambda: root.exists() or self.process.poll() is not None, what="Caddy's own authority")
        assert self.process.poll() is None, self.log.read_text()
        self.tls = ssl.create_default_context(cafile=str(root))
        until(lambda: self.answers(), what="Caddy")

    def answers(self) -> bool:
        try:
            return self.ask(PUBLIC, "/none").status_code == 404
        except httpx.TransportError:
            return False

    def client(self, source: str = "127.0.0.1") -> httpx.Client:
        """A browser at an address of this machine; it trusts Caddy's authority and nobody else's."""
        way = httpx.HTTPTransport(verify=self.tls, local_address=source)
        return httpx.Client(transport=way, timeout=120)

    def ask(
        self, name: str, path: str, *, method: str = "GET", source: str = "127.0.0.1", **given: object
    ) -> httpx.Response:
        """One request to a host name that stands for this machine."""
        headers = {"Host": self.host(name), **given.pop("headers", {})}  # type: ignore[dict-item]  # given as a dict
        with self.client(source) as client:
            return client.request(
                method,
                f"https://127.0.0.1:{self.port}{path}",
                headers=headers,
                extensions={"sni_hostname": name},
                **given,  # type: ignore[arg-type]  # what httpx takes
            )

    def host(self, name: str) -> str:
        return f"{name}:{self.port}"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("caddy")
    served = Served(folder / "home")
    served.home.mkdir()
    (served.home / "soloist.toml").write_text(SETTINGS)
    try:
        served.start(SOLOIST_CONSOLE=CONSOLE)
        made = Front(folder, served.port)
        yield made
        made.process.terminate()
        made.process.wait(120)
    finally:
        served.kill()


@pytest.mark.parametrize("path", ["/f/contact", "/f/-/app.css"])
def test_strangers_reach_the_form(front: Front, path: str) -> None:
    answer = front.ask(PUBLIC, path)
    assert answer.status_code == 200
    assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000"]


@pytest.mark.parametrize(
    "path", ["/", "/signin", "/api/v1/cards", "/welcome/x", "/readyz", "/static/app.css", "/f/../signin", "/F/contact"]
)
def test_strangers_reach_nothing_else(front: Front, path: str) -> None:
    assert front.ask(PUBLIC, path).status_code == 404


def test_the_hooks_are_reached_and_sealed(front: Front) -> None:
    assert front.ask(PUBLIC, "/hooks/none", method="POST", content=b"{}").status_code == 404
    assert "No webhook" in front.ask(PUBLIC, "/hooks/none", method="POST", content=b"{}").text


def test_an_unknown_name_reaches_nothing(front: Front) -> None:
    with pytest.raises(httpx.TransportError):
        front.ask("other.example", "/f/contact")


def test_http_is_sent_to_https(front: Front) -> None:
    answer = httpx.get(f"http://127.0.0.1:{front.http}/f/contact", headers={"Host": PUBLIC}, timeout=120)
    assert answer.status_code == 308
    assert answer.headers["location"].startswith(f"https://{PUBLIC}")


def test_a_body_over_the_limit_is_refused(front: Front) -> None:
    try:
        answer = front.ask(PUBLIC, "/f/contact", method="POST", content=b"message=" + b"x" * 3_000_000)
    except (httpx.NetworkError, httpx.RemoteProtocolError):
        return  # it hung up while the rest was still being sent
    assert answer.status_code in (413, 502)  # said before, or by hanging up behind the proxy


def sent(front: Front, source: str, **headers: str) -> int:
    """The status of one submission of the form."""
    form = {"name": "Nora", "email": "nora@feld.example", "message": "Hello"}
    return front.ask(PUBLIC, "/f/contact", method="POST", source=source, data=form, headers=headers).status_code


def test_the_address_of_the_stranger_is_counted_not_the_one_they_claim(front: Front) -> None:
    spoofed = [sent(front, "127.0.0.2", **{"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(4)]
    assert spoofed == [422, 422, 422, 429]
    forwarded = {"Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9", "X-Forwarded-For": "127.0.0.1"}
    assert sent(front, "127.0.0.2", **forwarded) == 429
    assert sent(front, "127.0.0.3") == 422


def test_the_console_asks_to_sign_in_and_its_cookie_is_for_tls_only(front: Front, tmp_path: Path) -> None:
    assert front.ask(CONSOLE, "/").headers["location"].startswith("/signin")
    home = front.log.parent / "home"
    words = [*SOLOIST, "open", "--home", str(home)]
    link = subprocess.run(words, env=environment(), capture_output=True, text=True, check=True).stdout
    path = "/welcome/" + link.partition("/welcome/")[2].split()[0]
    origin = {"Origin": f"https://{front.host(CONSOLE)}", "Sec-Fetch-Site": "same-origin"}
    answer = front.ask(CONSOLE, path, method="POST", data={"password": PASSWORD}, headers=origin)
    assert answer.status_code == 303, answer.text
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-soloist=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    inside = front.ask(CONSOLE, "/", headers={"Cookie": cookie.partition(";")[0]})
    assert inside.status_code == 200
    assert inside.headers.get_list("strict-transport-security") == ["max-age=31536000"]
    assert front.ask(PUBLIC, "/", headers={"Cookie": cookie.partition(";")[0]}).status_code == 404


def test_the_api_takes_a_token_under_the_console_name_only(front: Front) -> None:
    key = {"Authorization": f"Bearer {token(front.log.parent / 'home')}"}
    assert front.ask(CONSOLE, "/api/v1/cards", headers=key).status_code == 200
    assert front.ask(CONSOLE, "/api/v1/cards").status_code == 401
    assert front.ask(PUBLIC, "/api/v1/cards", headers=key).status_code == 404


def test_a_form_from_another_site_is_refused_behind_the_proxy(front: Front) -> None:
    answer = front.ask(
        CONSOLE, "/signin", method="POST", data={"password": PASSWORD}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
