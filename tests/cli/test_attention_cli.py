"""Several cards from the terminal, each shown in full; the operator's time as text and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from soloist.app import App
from soloist.cli.main import app as command
from soloist.engine.store import proposals, tasks
from soloist.kernel.ids import derived
from soloist.kernel.proposal import NewProposal


def piled(root: Path, *names: str) -> list[str]:
    """Cards of mails that wait, by the names of those they go to."""
    app, cards = App(root), []
    facts = app.desk.facts("mail", "mail.send")
    for name in names:
        payload = {"to": [f"{name}@okafor-ceramics.example"], "subject": "Shop", "body": f"Dear {name}"}
        new = NewProposal(derived("cli", name), "mail", "mail.send", payload, "A test.", "agent:intake", title=name)
        app.store.write_now(lambda tx, n=new: app.desk.approvals.propose(tx, n, facts, actor="intake@1"))
        card = app.store.read_now(lambda conn, i=new.id: tasks.open_for(conn, i))
        cards.append(str((card or {})["id"]))
    app.close()
    return cards


def test_several_cards_are_approved_and_an_unknown_one_stops_no_other(tmp_path: Path) -> None:
    first, second = piled(tmp_path / "h", "ada", "jo")
    done = CliRunner().invoke(command, ["approve", first, "ffffffff", second, "--yes", "--home", str(tmp_path / "h")])
    assert done.exit_code == 1
    assert all(text in done.output for text in ("Dear ada", "Dear jo", "There is no card ffffffff"))
    app = App(tmp_path / "h")
    states = [app.store.read_now(lambda c, n=n: proposals.get(c, derived("cli", n)))["state"] for n in ("ada", "jo")]
    app.close()
    assert states == ["approved", "approved"]


def test_one_new_body_is_for_one_card(tmp_path: Path) -> None:
    (tmp_path / "body.txt").write_text("No.")
    words = ["approve", "a", "b", "--body", str(tmp_path / "body.txt"), "--home", str(tmp_path / "h")]
    assert CliRunner().invoke(command, words).exit_code == 2


def test_the_operators_time_is_printed_and_counted(tmp_path: Path) -> None:
    piled(tmp_path / "h", "ada")
    home = ["--home", str(tmp_path / "h")]
    assert "Over 30 days: decisions 0" in CliRunner().invoke(command, ["attention", *home]).output
    found = json.loads(CliRunner().invoke(command, ["attention", "--json", *home]).stdout)
    assert (found["week"]["cards"], found["rules"]["minutes_per_day"]) == (1, 30)
    assert len(found["now"]) + len(found["later"]) == 1
