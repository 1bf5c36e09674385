"""What doctor says: of clocks, disks and proxies, of connections that hang or break, of what needs a public address."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from soloist import config
from soloist.app import App
from soloist.cli import machine, reach
from soloist.engine.store import streams
from soloist.engine.waking import JUMPED, WOKE
from soloist.sdk import Health

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A home whose journal is written at NOW."""
    opened = App(tmp_path, clock=lambda: NOW)
    yield opened
    opened.close()


def note(app: App, kind: str, **payload: object) -> None:
    app.store.write_now(lambda tx: tx.append(kind, payload=payload))


def half(name: str, kind: str, answer: Callable[[], Any]) -> Any:
    async def check() -> Any:
        found = answer()
        return await found if asyncio.iscoroutine(found) else found

    return SimpleNamespace(name=name, kind=kind, check=check, streams=dict)


def house(settings: str = "", *halves: Any) -> Any:
    """As much of an App as the checks of the outside ask for."""
    parsed = config.parse(tomllib.loads(settings))
    desk = SimpleNamespace(connections={half.name: half for half in halves})
    return SimpleNamespace(settings=parsed, desk=desk, home=config.Home(Path("/srv/home")))


def test_a_clock_that_went_back_is_told_with_what_to_type(app: App) -> None:
    note(app, "sample.event")
    (found,) = machine.clock(app, NOW - timedelta(hours=3))
    assert (found["ok"], found["serious"]) == (False, True)
    assert "3 h behind the newest event" in found["what"]
    assert "timedatectl set-ntp true" in found["fix"]


def test_a_clock_from_the_past_is_told(app: App) -> None:
    (found,) = machine.clock(app, datetime(1970, 1, 1, tzinfo=UTC))
    assert "1970-01-01" in found["what"]
    assert not found["ok"]


def test_a_jump_and_a_sleep_of_this_week_are_told_and_older_ones_are_not(app: App) -> None:
    note(app, JUMPED, seconds=-3600)
    note(app, WOKE, slept_seconds=8 * 3600)
    jumped, woke = machine.clock(app, NOW + timedelta(days=1))
    assert (jumped["ok"], "set back by 60 min" in jumped["what"]) == (False, True)
    assert (woke["ok"], "after 8 h" in woke["what"]) == (True, True)
    (later,) = machine.clock(app, NOW + timedelta(days=30))
    assert later["ok"]


def test_a_connection_that_hangs_is_given_up_and_the_others_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "CHECK_WITHIN", 0.05)

    def breaks() -> Health:
        raise RuntimeError("the adapter has a fault")

    halves = (
        half("slow", "mail", lambda: asyncio.sleep(60)),
        half("broken", "http", breaks),
        half("post", "mail", lambda: Health("auth", "The password was refused.")),
        half("fine", "maildir", lambda: Health("ok")),
    )
    found = asyncio.run(reach.connections(house("", *halves)))
    assert [(one["ok"], one["fix"]) for one in found] == [
        (False, "soloist connect test slow"),
        (False, "check connectors.broken in soloist.toml, then soloist doctor"),
        (False, "soloist connect mail"),
        (True, "check the folder under [mail] in soloist.toml"),
    ]
    assert "the adapter has a fault" in found[1]["what"]


def test_a_clock_that_differs_from_the_server_is_told() -> None:
    found = asyncio.run(reach.connections(house("", half("post", "mail", lambda: Health("ok", skew=400.0)))))
    assert [one["ok"] for one in found] == [True, False]
    assert "differs by 400 s from the server of post" in found[1]["what"]


HOOK = "[connectors.shop]\nkind = 'http'\nbase_url = 'https://api.example'\nwebhook_secret = 's'\n"


@pytest.mark.parametrize(
    ("settings", "ok", "words"),
    [
        ("", True, "only this machine reaches /f/contact"),
        (HOOK, False, "only this machine reaches /f/contact, /hooks/shop"),
        ("[server]\npublic_host = 'shop.example'\n", False, "server.tls is off"),
        ("[server]\npublic_host = 'shop.example'\ntls = true\n", True, "https://shop.example"),
    ],
)
def test_what_needs_a_public_address_is_told(settings: str, ok: bool, words: str) -> None:
    pulled, found = reach.public(house(settings))
    assert "because it is pulled" in pulled["what"]
    assert (found["ok"], words in found["what"]) == (ok, True)
    assert ok or found["fix"]


@pytest.mark.parametrize(("url", "ok"), [("http://mara:s3cret@proxy.example:8080", True), ("socks5://proxy", False)])
def test_the_proxy_is_named_without_its_password(url: str, ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", url)
    (found,) = machine.proxy()
    assert found["ok"] is ok
    assert "s3cret" not in found["what"] + found["fix"]


def test_large_logs_and_a_full_disk_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "soloist.log").write_bytes(b"x" * 3000)
    monkeypatch.setattr(machine, "MUCH_LOG", 2000)
    monkeypatch.setattr(machine, "LOW_DISK", 1 << 60)
    assert (machine.logs(tmp_path)["ok"], machine.disk(tmp_path / "none")["ok"]) == (False, False)


def test_a_time_zone_that_was_never_set_is_told(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    found = machine.zone(app, NOW)
    monkeypatch.undo()
    time.tzset()
    assert not found["ok"]
    assert "Europe/Berlin" in found["fix"]


def test_a_source_in_trouble_is_told_with_its_stream(app: App) -> None:

    app.store.write_now(lambda tx: streams.put(tx, "drop", "files", trouble="The folder is gone."))
    (found,) = reach.sources(app)
    assert found["what"] == "drop/files could not be read: The folder is gone."
    assert found["fix"] == "soloist connect test drop"


def test_the_report_as_a_whole(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "soloist"]
    made = [*words, "token", "create", "--scope", "read", "--home", str(tmp_path / "h")]
    subprocess.run(made, check=True, capture_output=True)
    report = [*words, "doctor", "--home", str(tmp_path / "h"), "--json"]
    done = subprocess.run(report, capture_output=True, text=True, env={**os.environ, "TZ": "UTC"})
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert all(one["fix"] for one in found if not one["ok"])
    said = "\n".join(one["what"] for one in found)
    for words_of in ("SQLite", "MB free", "time zone", "logs take", "the clock says", "public address", "service"):
        assert words_of in said
