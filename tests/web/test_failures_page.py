"""The board of failures as a page and on the command line: one line a fault, decided on the page, nothing unescaped."""

import asyncio
import json

from typer.testing import CliRunner

from soloist.cli.main import app as command
from soloist.engine.store import runs
from soloist.flows.troubles import Troubles
from soloist.insight import failures
from soloist.kernel.errors import NotFound


def broken(app) -> None:
    """A run that met a fault whose words came from outside."""

    def begin(tx) -> None:
        tx.start("followup:1", "followup", "message <b>1</b>", subject="1")

    app.store.write_now(begin)
    app.store.write_now(lambda tx: runs.begin(tx, "followup:1"))
    try:
        raise NotFound("There is no message <script>1</script>.")
    except NotFound as error:
        asyncio.run(Troubles(app.store).finished("followup:1", error))


def test_a_fault_stands_on_the_board_once_and_can_be_left(app, real_console):
    assert "Everything works" in real_console.get("/failures").text
    broken(app)
    text = real_console.get("/failures").text
    assert "Followup did not finish" in text
    assert "&lt;script&gt;1&lt;/script&gt;" in text
    assert "Traceback" in text
    (row,) = app.store.read_now(failures.rows)
    assert real_console.post(f"/failures/{row['id']}", data={"option": "leave"}).status_code == 303
    assert "Over" in real_console.get("/failures").text
    assert real_console.post(f"/failures/{row['id']}", data={"option": "leave"}).status_code == 409


def test_the_command_prints_what_does_not_work(app):
    said = CliRunner().invoke(command, ["failures", "--home", str(app.home.root), "--json"])
    assert json.loads(said.stdout) == []
