"""The vault: what is sealed opens for its own row only, and key files that others may read are refused."""

import base64
import html
import json
import stat
from pathlib import Path
from urllib.parse import quote

import pytest

from soloist.app import App
from soloist.engine.vault import Vault, kept_out, mask, verify
from soloist.kernel.errors import BadConfig, BadInput, NotAllowed
from tests.engine.store import databases


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "keys")


def test_a_sealed_secret_opens_again(vault: Vault) -> None:
    assert vault.open("secret:shop", vault.seal("secret:shop", "sk_live_ÄÖ1")) == "sk_live_ÄÖ1"


def test_the_same_secret_is_sealed_differently_each_time(vault: Vault) -> None:
    assert vault.seal("a", "same") != vault.seal("a", "same")


def test_a_blob_moved_to_another_row_stays_shut(vault: Vault) -> None:
    blob = vault.seal("secret:shop", "sk_live")
    with pytest.raises(NotAllowed, match="secret:bank cannot be opened"):
        vault.open("secret:bank", blob)


def test_every_changed_byte_is_noticed(vault: Vault) -> None:
    blob = vault.seal("a", "x")
    for place in range(len(blob)):
        altered = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
        with pytest.raises(NotAllowed):
            vault.open("a", altered)


def test_a_cut_blob_stays_shut(vault: Vault) -> None:
    blob = vault.seal("a", "x")
    for length in (0, 1, 2, 40, len(blob) - 1):
        with pytest.raises(NotAllowed):
            vault.open("a", blob[:length])


def test_another_homes_key_does_not_open(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="put back the key file"):
        Vault(tmp_path / "other").open("a", vault.seal("a", "x"))


def test_key_files_are_readable_by_their_owner_only(vault: Vault, tmp_path: Path) -> None:
    vault.seal("a", "x"), vault.sign(b"x"), vault.install_key()
    files = sorted((tmp_path / "keys").iterdir())
    assert [f.name for f in files] == ["install.key", "journal.key", "master.key"]
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}


def test_a_key_that_others_can_read_is_refused_with_the_command(vault: Vault, tmp_path: Path) -> None:
    blob = vault.seal("a", "x")
    (tmp_path / "keys/master.key").chmod(0o640)
    with pytest.raises(BadConfig, match=r"mode 0640.*chmod 600 .*master\.key"):
        vault.open("a", blob)


def test_a_damaged_key_file_is_not_replaced(vault: Vault, tmp_path: Path) -> None:
    vault.install_key()
    (tmp_path / "keys/install.key").write_bytes(b"short")
    with pytest.raises(BadConfig, match="5 bytes instead of 32"):
        vault.install_key()
    assert (tmp_path / "keys/install.key").read_bytes() == b"short"


def test_a_link_in_place_of_a_key_is_refused(vault: Vault, tmp_path: Path) -> None:
    vault.install_key()
    (tmp_path / "keys/master.key").symlink_to(tmp_path / "keys/install.key")
    with pytest.raises(BadConfig):
        vault.seal("a", "x")


def test_the_install_key_stays_the_same(vault: Vault, tmp_path: Path) -> None:
    assert vault.install_key() == Vault(tmp_path / "keys").install_key()


def test_a_checkpoint_signature_verifies_here_and_elsewhere(vault: Vault) -> None:
    signature = vault.sign(b"head 41")
    assert vault.verify(b"head 41", signature)
    assert verify(vault.public_key(), b"head 41", signature)
    assert not vault.verify(b"head 42", signature)
    assert not vault.verify(b"head 41", b"short")


def test_mask_hides_every_spelling() -> None:
    secret = "s3cr=t/key+1"
    text = f"{secret} s3cr%3Dt%2Fkey%2B1 {base64.b64encode(secret.encode()).decode()} {secret.encode().hex()}"
    assert mask(text, [secret]) == "[secret] [secret] [secret] [secret]"


def test_mask_leaves_other_text_alone() -> None:
    assert mask("nothing to hide", ["", "other"]) == "nothing to hide"


SECRET = 'Zk9+canary/"<7&q'
RAW = SECRET.encode()
FORMS = [
    SECRET,
    quote(SECRET, safe=""),
    quote(SECRET, safe="").replace("%2B", "%2b").replace("%3C", "%3c"),
    "".join(f"%{byte:02X}" for byte in RAW),
    json.dumps(SECRET),
    html.escape(SECRET),
    base64.b64encode(RAW).decode(),
    base64.urlsafe_b64encode(RAW).decode(),
    *(base64.b64encode(b"x" * n + RAW + b"tail").decode() for n in range(1, 4)),
    RAW.hex(),
    RAW.hex(":").upper(),
    SECRET[::-1],
]


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_kept_out_in_every_form_wherever_it_stands(form: str) -> None:
    found = kept_out({"a": ["Here\nit is: " + form + ".", 7]}, [SECRET])
    assert "[secret]" in found["a"][0]
    assert form not in found["a"][0]


def test_a_short_secret_goes_as_a_word_and_stays_as_letters() -> None:
    assert kept_out("Say k9x2\nk9x2, not ak9x2b or blank9x2", ["k9x2"]) == (
        "Say [secret]\n[secret], not ak9x2b or blank9x2"
    )
    assert kept_out(json.dumps("is\nk9x2"), ["k9x2"]) == json.dumps("is\n[secret]")
    assert kept_out("abc", ["abc"]) == "abc"


def test_a_clean_value_stays_the_same_object() -> None:
    value = {"a": ("one", [2])}
    assert kept_out(value, [SECRET]) is value


def test_a_secret_that_could_not_be_kept_out_is_refused(tmp_path: Path) -> None:
    app = App(databases.home(tmp_path))
    with pytest.raises(BadInput, match="at least 4 characters, and this one has 3; nothing was stored"):
        app.keyring.put("pin", "123")
    assert app.keyring.names() == []
    app.close()
