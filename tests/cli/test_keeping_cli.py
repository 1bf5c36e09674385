"""Commands about what is kept: a named instant, letting go with a dry run first, erasing by name."""

import json

from typer.testing import CliRunner

from soloist.cli.main import app as command
from soloist.engine.store import records


def call(app, *words):
    """A command on the home of a test."""
    return CliRunner().invoke(command, [*words, "--home", str(app.home.root)])


def test_an_instant_is_named_and_compared(app):
    app.store.write_now(lambda tx: records.create(tx, "idea", "x", {"name": "x"}, why="x"))
    made = json.loads(call(app, "snapshot", "create", "before the trip", "--json").stdout)
    assert made["counts"]["records"] == 1
    assert "before the trip" in call(app, "snapshot", "list").stdout
    assert "unchanged" in call(app, "snapshot", "verify", made["id"]).stdout
    refused = call(app, "snapshot", "create", "x", "--as-of", "2001-01-01")
    assert refused.exit_code == 1
    assert "nothing is known of 2001-01-01" in refused.stderr


def test_letting_go_is_tried_first(app):
    said = call(app, "memory", "gc")
    assert (said.exit_code, said.stdout.strip()) == (0, "Nothing would leave.")
    assert "Nothing has had its time." in call(app, "memory", "gc", "--yes").stdout
    assert "Version 1" in call(app, "memory", "retention", "memory.session=120").stdout
    wrong = call(app, "memory", "retention", "memory.session=soon")
    assert wrong.exit_code == 1
    assert "days from 0" in wrong.stderr


def test_a_person_is_erased_with_a_dry_run_and_the_name(app):
    ada = {"name": "Ada Quartzmire", "emails": ["ada@quartzmire.example"]}
    ident = app.store.write_now(lambda tx: records.create(tx, "person", "Ada Quartzmire", ada, why="x"))
    seen = call(app, "erase", "Ada Quartzmire", "--dry-run")
    assert "looked for: ada@quartzmire.example (address)" in seen.stdout
    assert call(app, "erase", ident).exit_code == 2
    assert app.store.read_now(lambda conn: records.get(conn, ident))["title"] == "Ada Quartzmire"
    done = call(app, "erase", ident, "--yes")
    assert (done.exit_code, "0 found" in done.stdout) == (0, True)
    assert call(app, "erase", "Ada Quartzmire", "--yes").exit_code == 1
