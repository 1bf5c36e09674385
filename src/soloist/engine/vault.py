"""Vault: secrets sealed at rest, the checkpoint signature and the installation key; it stores no sealed row itself.

The key files live in the home's ``keys`` folder, one file each, readable by their owner only and never part of a
backup. Every secret has its own data key, wrapped by the master key and bound to the id of its row.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import stat
import urllib.parse
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from soloist.kernel.errors import BadConfig, NotAllowed

_VERSION = b"S1"
_NONCE = 12
_KEY = 32
_TAG = 16
_WRAPPED = _NONCE + _KEY + _TAG
MASK = "[secret]"
LEAST = 4
"""Characters of the shortest secret that can be kept: a shorter one would be found in every other word."""
WHOLE = 6
"""Characters from which a secret is also looked for inside of words, and in further spellings."""
FORMER = "former-journal.pub"
MOST_OPENED = 1000
"""Secrets that a process remembers to have opened, so that no line of its log holds one."""
_OPENED: dict[str, None] = {}
KEYS = ("master.key", "install.key", "journal.key", "backup.key")
"""Every key file: what seals secrets, what provider keys are made from, what signs, what encrypts backups."""


class Vault:
    """Keys of one home; files are made on first use with mode 0600 and refused when others may read them."""

    def __init__(self, keys: Path) -> None:
        """``keys`` is the folder that holds the files named in ``KEYS``."""
        self._keys = keys

    def seal(self, row_id: str, text: str) -> bytes:
        """Encrypt under a fresh data key; the result opens only for the same ``row_id``."""
        data_key = AESGCM.generate_key(bit_length=256)
        row = row_id.encode()
        wrapped = _encrypt(self._read("master.key"), data_key, b"key:" + row)
        return _VERSION + wrapped + _encrypt(data_key, text.encode(), b"text:" + row)

    def open(self, row_id: str, blob: bytes) -> str:
        """The sealed text; NotAllowed when the blob was altered, moved to another row or sealed by another key."""
        row, start = row_id.encode(), len(_VERSION)
        try:
            if blob[:start] != _VERSION:
                raise InvalidTag
            data_key = _decrypt(self._read("master.key"), blob[start : start + _WRAPPED], b"key:" + row)
            text = _decrypt(data_key, blob[start + _WRAPPED :], b"text:" + row).decode()
        except (InvalidTag, ValueError) as error:
            raise NotAllowed(
                f"The secret {row_id} cannot be opened: it was changed, or keys/master.key is not the key that sealed "
                "it. Nothing was used. Enter the secret again, or put back the key file of this home."
            ) from error
        _OPENED[text] = None
        for oldest in list(_OPENED)[:-MOST_OPENED]:
            _OPENED.pop(oldest, None)
        return text

    def sign(self, data: bytes) -> bytes:
        """Ed25519 signature (64 bytes) of a journal checkpoint."""
        return self._signer().sign(data)

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether this home's journal key made the signature, or that of the home it was taken over from."""
        return any(verify(key, data, signature) for key in (self.public_key(), *self.former()))

    def former(self) -> list[bytes]:
        """The public halves of the keys of the homes this one came from by an export."""
        try:
            lines = (self._keys / FORMER).read_text(encoding="ascii").split()
        except FileNotFoundError:
            return []
        return [bytes.fromhex(line) for line in lines]

    def add_former(self, keys: Iterable[bytes]) -> None:
        """Trust what other keys signed before this home had its own; said once, when a home is taken in."""
        self._keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = sorted({key.hex() for key in (*self.former(), *keys)})
        (self._keys / FORMER).write_text("".join(f"{line}\n" for line in known), encoding="ascii")

    @staticmethod
    def signed_by(key: bytes, data: bytes, signature: str) -> bool:
        """Whether the holder of a public key made a signature that is written in hexadecimal."""
        try:
            return verify(key, data, bytes.fromhex(signature))
        except ValueError:
            return False

    def public_key(self) -> bytes:
        """The raw public half (32 bytes), so that a checkpoint can be verified elsewhere."""
        return self._signer().public_key().public_bytes_raw()

    def install_key(self) -> bytes:
        """The secret (32 bytes) of this installation, from which provider keys and approval seals are derived."""
        return self._read("install.key")

    def backup_key(self) -> bytes:
        """The secret (32 bytes) from which the key of every backup is made."""
        return self._read("backup.key")

    def every(self) -> dict[str, bytes]:
        """All keys by file name, for the recovery sheet and for nothing else; missing ones are made."""
        return {name: self._read(name) for name in KEYS}

    def put_back(self, keys: Mapping[str, bytes]) -> None:
        """Write the keys of a recovery sheet into a home that has none (BadConfig when there is one already)."""
        for name in KEYS:
            if (self._keys / name).exists():
                raise BadConfig(f"There is a key file {self._keys / name} already; nothing was changed.", field=name)
        for name in KEYS:
            self._create(name, keys[name])

    def _signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._read("journal.key"))

    def _read(self, name: str) -> bytes:
        """The 32 bytes of a key file, made when missing; BadConfig says how to put a wrong file right."""
        path = self._keys / name
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return self._create(name)
        except OSError as error:
            raise BadConfig(f"The key file {path} cannot be read: {error.strerror}.", field=name) from error
        with os.fdopen(handle, "rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise BadConfig(
                    f"The key file {path} can be read by others (mode {mode:04o}), so it was not used. "
                    f"Run: chmod 600 {path}",
                    field=name,
                )
            data = file.read(_KEY + 1)
        if len(data) != _KEY:
            raise BadConfig(
                f"The key file {path} is damaged: it has {len(data)} bytes instead of {_KEY}. It was not changed; "
                "put back the copy from your recovery sheet.",
                field=name,
            )
        return data

    def _create(self, name: str, given: bytes = b"") -> bytes:
        """Make a key file that is whole on disk before its name exists, so that a crash never leaves half a key."""
        self._keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = given or os.urandom(_KEY)
        draft = self._keys / f".{name}.{os.urandom(4).hex()}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, self._keys / name)
        except FileExistsError:
            return self._read(name)  # another process was first; its key counts
        finally:
            draft.unlink()
        folder = os.open(self._keys, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return data


def verify(public_key: bytes, data: bytes, signature: bytes) -> bool:
    """Whether the holder of ``public_key`` (raw, 32 bytes) signed ``data``."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def opened() -> tuple[str, ...]:
    """The secrets this process has had in the clear, the newest last: what it never had it cannot write down."""
    return tuple(_OPENED)


def mask(text: str, secrets: Iterable[str]) -> str:
    """Text for evidence and logs: every secret, in each spelling that ``_spellings`` knows, becomes [secret]."""
    for secret in sorted({s for s in secrets if s}, key=len, reverse=True):
        for spelling in _ordered(secret):
            text = text.replace(spelling, MASK)
    return text


def holds_secret(text: str, secrets: tuple[str, ...]) -> bool:
    """Whether a text holds a secret in any spelling; quick, for every answer that leaves."""
    low = text.lower()
    return any(spelling in low for spelling in _lowered(secrets))


@lru_cache(maxsize=4)
def _lowered(secrets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple({spelling.lower() for secret in secrets for spelling in _spellings(secret)})


def kept_out(value: Any, secrets: Iterable[str]) -> Any:
    """A JSON value without any known secret, for prompts, recordings, proposals, logs; the same object if clean.

    Secrets of ``LEAST`` to five characters go where they stand as a word of their own: within a word they are letters.
    """
    known = [one for one in secrets if len(one) >= LEAST]
    pattern = _pattern(tuple(sorted(set(known), key=len, reverse=True)))
    return value if pattern is None else _without(value, pattern)


def _without(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(MASK, value)
    if isinstance(value, Mapping):
        found = {_without(name, pattern): _without(inner, pattern) for name, inner in value.items()}
        return value if found == value else found
    if isinstance(value, list | tuple):
        listed = [_without(inner, pattern) for inner in value]
        return value if listed == list(value) else listed
    return value


_BEGINS = r"(?:(?<![^\W_])|(?<=\\[bfnrt]))"
"""Where a word begins, also after a line break that is written as JSON writes it."""


@lru_cache(maxsize=4)
def _pattern(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """One pattern for all spellings of all secrets, None without any; escapes and hexadecimal in either case."""
    parts = []
    for secret in secrets:
        edges = (_BEGINS, r"(?![^\W_])") if len(secret) < WHOLE else ("", "")
        parts += [f"{edges[0]}{_loose(spelling)}{edges[1]}" for spelling in _ordered(secret)]
    return re.compile("|".join(parts)) if parts else None


def _loose(spelling: str) -> str:
    """A spelling as a pattern, with the digits of URL escapes in either case."""
    return re.sub(r"%[0-9A-Fa-f]{2}", lambda m: f"(?i:{m[0]})", re.escape(spelling))


def _ordered(secret: str) -> list[str]:
    return sorted(_spellings(secret), key=lambda spelling: (-len(spelling), spelling))


def _spellings(secret: str) -> set[str]:
    """How a secret may be written: plain, URL, JSON, HTML, base64 (also within longer text), hexadecimal, backwards."""
    raw = secret.encode("utf-8", "replace")
    forms = {
        secret,
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote_plus(secret),
        urllib.parse.quote(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        html.escape(secret, quote=False),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }
    if len(raw) >= LEAST:  # shorter ones would mask ordinary numbers
        forms |= {raw.hex(), raw.hex().upper(), "".join(f"%{byte:02x}" for byte in raw)}
    if len(raw) >= WHOLE:
        forms |= {secret[::-1], raw.hex(" "), raw.hex(":"), raw.hex(" ").upper(), raw.hex(":").upper()}
        for before in range(3):
            inner = base64.b64encode(bytes(before) + raw).decode()[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
            forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return forms | {json.dumps(form)[1:-1] for form in forms}  # an answer in JSON writes each of them once more so


def _encrypt(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def _decrypt(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to)
