"""Writing a mailbox into the operator's soloist.toml: whatever was in it stays as it was."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from soloist.flows import connect_file
from soloist.kernel.errors import BadConfig, NotFound

BOX = {"kind": "mail", "address": "a@b.example", "username": "a", "imap_host": "i.example", "smtp_host": "s.example"}
DOTTED = 'connectors.shop.kind = "http"\nconnectors.shop.base_url = "https://x.example"\n'
FILES = [
    "",
    "# only a comment\n",
    '[business]\nname = "Linde"  # a note\n\n[connectors.shop]\nkind = "http"\nbase_url = "https://x.example"\n',
    "[mail]\nhold = '1m'\n\n# rules\n[[policy.rules]]\nname = 'r'\nwhen = 'true'\nthen = 'ask'\n",
    '[connectors]\n[connectors.shop]\nkind = "http"\nbase_url = "https://x.example"\n[forms.contact]\ntitle = "T"\n',
    '[business]\r\nname = "Linde"\r\n',
]


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "soloist.toml"


@pytest.mark.parametrize("text", FILES)
def test_in_and_out_again_leaves_the_same_settings(toml, text):
    toml.write_bytes(text.encode())
    written = connect_file.with_connector(toml, "mailbox", BOX)
    assert tomllib.loads(written)["connectors"]["mailbox"] == BOX
    assert all(line in written.splitlines() for line in text.splitlines() if "#" in line)
    connect_file.write(toml, written)
    assert tomllib.loads(connect_file.without_connector(toml, "mailbox")) == tomllib.loads(text)


def test_writing_again_keeps_what_the_operator_set_and_drops_what_is_no_longer_true(toml):
    connect_file.write(toml, connect_file.with_connector(toml, "mailbox", {**BOX, "ca_file": "/x"}))
    toml.write_text(toml.read_text() + 'back_fill = "30d"  # a month is enough\n')
    text = connect_file.with_connector(toml, "mailbox", {**BOX, "username": "b"}, managed=("ca_file", "username"))
    assert tomllib.loads(text)["connectors"]["mailbox"] == {**BOX, "username": "b", "back_fill": "30d"}
    assert "# a month is enough" in text


def test_a_link_to_the_file_stays_a_link_and_its_mode_stays(toml, tmp_path):
    real = tmp_path / "elsewhere.toml"
    real.write_text("# mine\n")
    real.chmod(0o600)
    toml.symlink_to(real)
    connect_file.write(toml, "# new\n")
    assert toml.is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("# new\n", 0o600)
    assert (tmp_path / "elsewhere.toml.bak").read_text() == "# mine\n"


def test_removing_the_mailbox_that_sends_takes_it_out_of_mail(toml):
    toml.write_text('[mail]\nout = "mailbox"\n' + connect_file.with_connector(toml, "mailbox", BOX))
    assert "out" not in tomllib.loads(connect_file.without_connector(toml, "mailbox"))["mail"]
    with pytest.raises(NotFound):
        connect_file.without_connector(toml, "other")


@pytest.mark.parametrize(
    "text", ["[business\n", "connectors = { shop = 1 }\n", DOTTED, "[business]\nnmae = 'x'\n", "\udcff"]
)
def test_a_file_that_cannot_be_used_is_refused(toml, text):
    toml.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadConfig):
        connect_file.with_connector(toml, "mailbox", BOX)
