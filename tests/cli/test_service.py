"""``soloist service``: the files it writes are what systemd and launchd read, also for awkward paths."""

from __future__ import annotations

import os
import plistlib
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest

from soloist.cli import service as commands
from soloist.cli.units import Wish, launchd_plist, quoted, systemd_unit, task_line
from soloist.kernel.errors import BadInput

AWKWARD = 'My 100% "real" $HOME'
# what systemd 252 (Debian 12) knows of what we write; a word outside this list is a typing mistake
KNOWN = {
    "Unit": {"Description", "After", "Wants", "StartLimitIntervalSec"},
    "Install": {"WantedBy"},
    "Service": {
        "Type", "ExecStart", "Environment", "EnvironmentFile", "Restart", "RestartSec", "RestartPreventExitStatus",
        "KillSignal", "KillMode", "TimeoutStopSec", "UMask", "User", "NoNewPrivileges", "LockPersonality",
        "RestrictRealtime", "RestrictSUIDSGID", "RestrictAddressFamilies", "SystemCallArchitectures", "PrivateTmp",
        "PrivateDevices", "ProtectClock", "ProtectHostname", "ProtectControlGroups", "ProtectKernelLogs",
        "ProtectKernelModules", "ProtectKernelTunables", "RestrictNamespaces", "CapabilityBoundingSet",
        "ProtectSystem", "ProtectHome", "ReadWritePaths",
    },
}  # fmt: skip


def soloist(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "soloist", "service", *words]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **env}, timeout=60)


def wish(home: Path, **more: object) -> Wish:
    given = {"program": (sys.executable, "-m", "soloist"), "home": home, **more}
    return Wish(**given)  # type: ignore[arg-type]  # the fields are named by the tests


def sections(text: str) -> dict[str, list[tuple[str, str]]]:
    """The sections of a unit file with every line of them, read strictly."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in filter(None, text.splitlines()):
        if line.startswith("["):
            rows = found.setdefault(line.strip("[]"), [])
        else:
            key, sign, value = line.partition("=")
            assert sign, line
            rows.append((key, value))
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    root = tmp_path / AWKWARD
    root.mkdir()
    (root / "soloist.toml").write_text("[business]\nname = 'Studio Linde'\n")
    return root


@pytest.mark.parametrize("system", [False, True])
def test_every_word_of_the_unit_is_known_to_systemd(home: Path, system: bool) -> None:
    text = systemd_unit(wish(home, system=system, account="mara" if system else ""), 252)
    found = sections(text)
    assert found.keys() == KNOWN.keys()
    assert [key for name, rows in found.items() for key, _ in rows if key not in KNOWN[name]] == []
    reader = RawConfigParser(strict=False, comment_prefixes=(), inline_comment_prefixes=None)
    reader.read_string(text)
    assert reader["Service"]["restart"] == "on-failure"


@pytest.mark.servers
@pytest.mark.parametrize("system", [False, True])
def test_systemd_itself_finds_no_fault_in_the_unit(home: Path, tmp_path: Path, system: bool) -> None:
    unit = tmp_path / "soloist.service"
    unit.write_text(systemd_unit(wish(home, system=system, environment={"A": 'b c"%n'}), 252))
    words = ["systemd-analyze", "--system" if system else "--user", "verify", str(unit)]
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(words, capture_output=True, text=True, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("KillMode=", "KilMode="))
    assert "KilMode" in subprocess.run(words, capture_output=True, text=True, env=env).stderr


def test_awkward_paths_reach_the_program_unchanged() -> None:
    assert quoted('a b"c\\d%e') == '"a b\\"c\\\\d%%e"'
    rows = dict(sections(systemd_unit(wish(Path("/srv") / AWKWARD), 252))["Service"])
    assert '"/srv/My 100%% \\"real\\" $$HOME"' in rows["ExecStart"]
    assert rows["EnvironmentFile"] == '-/srv/My 100%% "real" $HOME/service.env'


def test_a_path_with_a_line_break_is_refused() -> None:
    with pytest.raises(BadInput, match="control character"):
        wish(Path("/srv/a\nExecStart=/bin/false"))


def test_only_the_home_and_the_named_folders_can_be_written(home: Path) -> None:
    rows = sections(systemd_unit(wish(home, system=True, writes=(Path("/var/mail/in"),)), 252))["Service"]
    assert ("ProtectSystem", "strict") in rows
    assert [value for key, value in rows if key == "ReadWritePaths"] == [quoted(str(home)), '"/var/mail/in"']


def test_growing_pauses_only_where_systemd_knows_them(home: Path) -> None:
    assert "RestartSteps=6\nRestartMaxDelaySec=300\n" in systemd_unit(wish(home), 254)
    assert "RestartSteps" not in systemd_unit(wish(home), 252)


def test_the_plist_says_the_same_after_reading_it_back(home: Path) -> None:
    found = plistlib.loads(launchd_plist(wish(home, port=9000, environment={"SOLOIST_CONSOLE": "desk.example"})))
    assert found["ProgramArguments"][-6:] == ["up", "--home", str(home), "--port", "9000", "--no-open"]
    assert found["KeepAlive"] == {"SuccessfulExit": False}
    assert found["RunAtLoad"] is True
    assert found["StandardErrorPath"] == str(home / "logs" / "launchd.log")
    assert found["EnvironmentVariables"]["SOLOIST_CONSOLE"] == "desk.example"


def test_the_line_for_windows_keeps_the_words_together() -> None:
    line = task_line(wish(Path("C:/My home"), program=("C:/soloist.exe",)))
    assert line.startswith("schtasks /Create /SC ONLOGON /TN soloist /TR ")
    assert '\\"C:/My home\\"' in line


def test_install_shows_the_plan_and_wants_a_yes(home: Path, tmp_path: Path) -> None:
    done = soloist("install", "--home", str(home), XDG_CONFIG_HOME=str(tmp_path / "config"))
    assert done.returncode == 1
    assert f"write   {tmp_path}/config/systemd/user/soloist.service" in done.stdout
    assert "systemctl --user enable --now soloist.service" in done.stdout
    assert "--yes" in done.stderr
    assert not (tmp_path / "config").exists()


def test_a_dry_run_prints_the_file_and_no_password(home: Path, tmp_path: Path) -> None:
    words = ("install", "--home", str(home), "--dry-run", "--database", "postgresql://mara:s3cret@db/x")
    done = soloist(*words, XDG_CONFIG_HOME=str(tmp_path / "config"))
    assert done.returncode == 0, done.stderr
    assert "ExecStart=" in done.stdout
    assert "s3cret" not in done.stdout
    assert not (home / "service.env").exists()


def test_without_a_manager_the_file_is_written_and_the_rest_is_said(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(commands, "BOOTED", tmp_path / "none")
    commands.install(home, database="postgresql://mara:s3cret@db/x", yes=True)
    unit = tmp_path / "systemd" / "user" / "soloist.service"
    assert "s3cret" not in unit.read_text()
    assert 'SOLOIST_DATABASE="postgresql://mara:s3cret@db/x"' in (home / "service.env").read_text()
    assert (home / "service.env").stat().st_mode & 0o777 == 0o600
    assert "Where it runs, type:\n  systemctl --user daemon-reload" in capsys.readouterr().out
    commands.uninstall(yes=True)
    assert not unit.exists()
    assert (home / "soloist.toml").exists()


def test_with_a_manager_it_is_told_what_to_do(home: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "systemctl").write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/told"\n')
    (tools / "systemctl").chmod(0o755)
    script = (
        "import sys; from pathlib import Path; from soloist.cli import service; service.BOOTED = Path('/');"
        "service.service(sys.argv[1:])"
    )
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "XDG_CONFIG_HOME": str(tmp_path / "config")}
    words = [sys.executable, "-c", script, "install", "--home", str(home), "--yes", "--name", "second"]
    done = subprocess.run(words, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "told").read_text() == "--version\n--user daemon-reload\n--user enable --now second.service\n"
    assert "loginctl enable-linger" in done.stdout


def test_a_missing_home_and_a_bad_name_are_said_plainly(tmp_path: Path) -> None:
    missing = soloist("install", "--home", str(tmp_path / "none"), "--yes")
    assert (missing.returncode, "soloist init --home" in missing.stderr) == (1, True)
    named = soloist("show", "--home", str(tmp_path), "--name", "../x")
    assert (named.returncode, "--name" in named.stderr) == (1, True)


def test_status_says_where_the_file_would_be(tmp_path: Path) -> None:
    done = soloist("status", XDG_CONFIG_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path}/systemd/user/soloist.service (not there" in done.stdout


def test_the_page_shows_the_caddyfile_that_is_printed() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "put-it-on-the-internet.md").read_text("utf-8")
    printed = soloist("caddy", "--host", "shop.example", "--console", "desk.example").stdout
    assert f"```\n{printed}```\n" in page


@pytest.mark.parametrize("names", [("shop", "desk.example"), ("shop.example", "shop.example"), ("a.b", "https://x.y")])
def test_names_that_cannot_be_host_names_are_refused(names: tuple[str, str]) -> None:
    done = soloist("caddy", "--host", names[0], "--console", names[1])
    assert (done.returncode, done.stdout) == (1, "")
    assert "name" in done.stderr


@pytest.mark.parametrize(
    ("settings", "name", "said"),
    [
        ("", "desk.example", "server.tls = true"),
        ("[server]\ntls = true\npublic_host = 'desk.example'\n", "desk.example", "a name of its own"),
        ("[server]\ntls = true\n", "https://desk.example", "a host name like desk.example"),
        ("[server]\ntls = true\n", "127.0.0.1", "a host name like desk.example"),
    ],
)
def test_a_console_name_without_tls_or_of_its_own_is_refused(
    tmp_path: Path, settings: str, name: str, said: str
) -> None:
    (tmp_path / "soloist.toml").write_text(settings)
    command = [sys.executable, "-m", "soloist", "up", "--home", str(tmp_path), "--port", "0", "--console", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
