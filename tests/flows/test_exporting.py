"""Everything out in open formats and into an empty home again; bad input first."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App
from soloist.engine import stopping
from soloist.engine.sandbox import packages
from soloist.engine.store import assets, records, runs, tasks
from soloist.flows import exporting, house_copy
from soloist.kernel.errors import BadInput, Conflict
from tests.engine.sandbox import parcels

ADA = {"name": "Ada Okafor", "emails": ["ada@okafor-ceramics.example"], "phones": ["+49 40 1234"], "tags": ["=1+1"]}


def fill(app: App) -> None:
    """A home with a record of two versions, a small and a large file, a card and a run under way."""
    large = b"x" * 100_000
    path = assets.write_file(app.home.assets, large)

    def work(tx: Any) -> None:
        ada = records.create(tx, "person", "Ada Okafor", ADA, why="test", actor="operator")
        records.write(tx, ada, 1, {"role": "owner"}, why="test", actor="operator")
        records.link(tx, "email", "ada@okafor-ceramics.example", ada, rule="test", evidence={"n": 1.5, "none": None})
        assets.keep(tx, b"small", "text/plain", "")
        assets.keep(tx, large, "message/rfc822", path)
        options = [{"name": "seen", "label": "Seen", "consequence": "Closed."}, tasks.LATER]
        tasks.open_card(tx, "card-1", "task", "Look", subject="x", subject_kind="thing", options=options)
        tx.start("run-1", "brief", "x")

    app.store.write_now(work)
    app.store.write_now(lambda tx: runs.begin(tx, "run-1"))
    app.keyring.put("mail-password", "hunter2 is the password")
    (app.home.root / "house-book.md").write_text("# House book\n", encoding="utf-8")
    package = parcels.good(LICENSE="Anybody may.\n")
    packages.keep(app.home.root, packages.review(package), package)


@pytest.fixture
def out(app: App, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Exports the filled home under a name."""
    fill(app)
    folder = tmp_path_factory.mktemp("out")

    def write(name: str) -> Path:
        exporting.write(app.store, app.home, app.vault, folder / name)
        return folder / name

    return write


def opened(root: Path) -> App:
    app = App(root)
    app.store.writer.send = lambda *_: None
    return app


# ----- bad input


def test_a_damaged_file_is_named_and_nothing_is_left(out: Callable[[str], Path]):
    path = out("all")
    (path / "tables/records.jsonl").write_text("{}\n", encoding="utf-8")
    root = path.parent / "home"
    with pytest.raises(BadInput, match=r"tables/records.jsonl is not as it was written"):
        house_copy.take_in(path, root)
    assert not root.exists()


def test_a_missing_file_is_named(out: Callable[[str], Path]):
    path = out("all")
    (path / "home/house-book.md").unlink()
    with pytest.raises(BadInput, match=r"home/house-book.md is missing"):
        house_copy.take_in(path, path.parent / "home")


def test_a_newer_export_says_which_version_to_install(out: Callable[[str], Path]):
    path = out("all")
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, "schema": "0099", "version": "9.1"}))
    with pytest.raises(BadInput, match=r"newer Soloist \(9.1, schema 0099\)"):
        house_copy.take_in(path, path.parent / "home")


@pytest.mark.parametrize("text", ["", "[]", '{"format": "soloist export 1"}', '{"format": "other", "files": {}}'])
def test_a_manifest_that_is_none_is_refused(out: Callable[[str], Path], text: str):
    path = out("all")
    (path / "manifest.json").write_text(text)
    with pytest.raises(BadInput, match="no export of Soloist"):
        house_copy.take_in(path, path.parent / "home")


def test_a_file_outside_of_itself_is_refused(out: Callable[[str], Path]):
    path = out("all")
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["files"]["home/../../evil.toml"] = {"sha256": "0" * 64, "size": 0}
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadInput, match="outside of itself"):
        house_copy.take_in(path, path.parent / "home")


def test_a_home_with_something_in_it_is_left_alone(out: Callable[[str], Path], app: App):
    with pytest.raises(Conflict, match="is not empty"):
        house_copy.take_in(out("all.zip"), app.home.root)


def test_an_export_writes_over_nothing(out: Callable[[str], Path]):
    for name in ("all", "all.zip"):
        out(name)
        with pytest.raises(Conflict, match="Nothing was written"):
            out(name)


def test_a_cut_zip_is_refused(out: Callable[[str], Path]):
    path = out("all.zip")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BadInput, match="neither a folder nor a zip"):
        house_copy.take_in(path, path.parent / "home")


def test_rows_that_were_changed_with_their_hash_do_not_verify(out: Callable[[str], Path]):
    path = out("all")
    events = path / "tables/events.jsonl"
    events.write_text(events.read_text().replace("test", "best"), encoding="utf-8")
    manifest = json.loads((path / "manifest.json").read_text())
    digest = hashlib.sha256(events.read_bytes()).hexdigest()
    manifest["files"]["tables/events.jsonl"]["sha256"] = digest
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadInput, match="The journal of this export does not hold"):
        house_copy.take_in(path, path.parent / "home")
    assert not (path.parent / "home").exists()


# ----- out


def test_no_secret_and_no_key_goes_out(out: Callable[[str], Path], app: App):
    path = out("all")
    held = b"".join(file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file())
    for secret in (b"hunter2", app.vault.install_key(), app.vault.install_key().hex().encode()):
        assert secret not in held
    assert not [name for name in path.rglob("*") if name.stem in ("secrets", "tokens", "sessions", "operators")]


def test_the_same_home_twice_is_the_same_but_for_its_instant(out: Callable[[str], Path]):
    first, second = zipfile.ZipFile(out("a.zip")), zipfile.ZipFile(out("b.zip"))
    assert first.namelist() == second.namelist()
    assert all(first.read(name) == second.read(name) for name in first.namelist() if name != "manifest.json")


def test_other_programs_can_read_it(out: Callable[[str], Path]):
    path = out("all") / "usable"
    assert b"FN:Ada Okafor\r\n" in (path / "contacts.vcf").read_bytes()
    table = (path / "person.csv").read_bytes()
    assert table.startswith(b"\xef\xbb\xbfid,title,state,name,")
    assert b"'=1+1" in table
    assert b",'=1+1," in table
    assert (path / "calendar.ics").read_bytes().endswith(b"END:VCALENDAR\r\n")


# ----- in again


def test_out_in_out_is_byte_for_byte_the_same(out: Callable[[str], Path]):
    first = out("all")
    root, second = first.parent / "home", first.parent / "again"
    house_copy.take_in(first, root)
    app = opened(root)
    exporting.write(app.store, app.home, app.vault, second)
    assert app.verify_journal().faults == []
    app.close()
    package = packages.review(parcels.good(LICENSE="Anybody may.\n"))
    assert packages.changed(packages.folder_of(root, "postcodes", package.hash), package.files) == []
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    different = [str(name) for name in names if (first / name).read_bytes() != (second / name).read_bytes()]
    assert different == ["manifest.json"]
    old, new = (json.loads((path / "manifest.json").read_text()) for path in (first, second))
    assert {key for key in old if old[key] != new[key]} <= {"at"}


async def test_cards_wait_on_and_what_was_under_way_is_asked_for_again(out: Callable[[str], Path]):
    root = out("all.zip").parent / "home"
    house_copy.take_in(root.parent / "all.zip", root)
    app = opened(root)
    assert house_copy.arrived(app.desk)
    assert not house_copy.arrived(app.desk)
    assert app.store.read_now(runs.pending_runs) == ["run-1"]
    assert app.store.read_now(lambda conn: stopping.cut(conn, stopping.SAFE))["archive"] == "an export"
    done = await app.desk.decide_card("card-1", "seen", digest="", who="operator", via="test")
    assert done["state"] == "closed"
    assert app.store.read_now(lambda conn: assets.load(conn, app.home.assets, assets.sha256(b"x" * 100_000)))
    app.close()


def test_a_signature_of_the_former_home_still_counts_and_no_other(out: Callable[[str], Path]):
    root = out("all").parent / "home"
    house_copy.take_in(root.parent / "all", root)
    app = opened(root)
    app.store.write_now(lambda tx: tx.append("test.more"))
    assert app.verify_journal().faults == []
    (root / "keys/former-journal.pub").unlink()
    faults = app.verify_journal().faults
    app.close()
    assert "The signature over event" in faults[0]
