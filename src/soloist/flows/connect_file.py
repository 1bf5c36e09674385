"""The operator's soloist.toml: a mailbox is written in or taken out, comments stay, the former file is kept."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.exceptions import TOMLKitError

from soloist import config
from soloist.kernel.errors import BadConfig, NotFound


def with_connector(path: Path, name: str, values: Mapping[str, Any], *, managed: Collection[str] = ()) -> str:
    """The text of the file with this connector in it (BadConfig when the file or the values cannot be used).

    Of a connector that is there already, ``managed`` keys without a value are dropped; the operator's others stay.
    """
    document = _document(path)
    others = document.unwrap().get("connectors", {})
    own = others.get(name, {}) if isinstance(others, dict) else {}
    drop = [key for key in own if key in managed and key not in values]
    wanted = {**others, name: {key: value for key, value in own.items() if key not in drop} | dict(values)}
    try:
        _put(document, name, values, drop)
        text = tomlkit.dumps(document)
        if tomllib.loads(text)["connectors"] != wanted:
            raise ValueError("connectors stand in an unusual form")
    except ValueError as error:  # what tomlkit and tomllib raise is a ValueError too
        raise _unusual(path.name, error) from error
    return checked(text, path.name)


def _put(document: TOMLDocument, name: str, values: Mapping[str, Any], drop: Collection[str]) -> None:
    """Set the connector's keys one by one, so that comments between them stay."""
    if "connectors" not in document:
        document["connectors"] = tomlkit.table(is_super_table=True)
    tables: Any = document["connectors"]
    if name not in tables:
        tables[name] = tomlkit.table()
    own = tables[name]
    for key in drop:
        del own[key]
    for key, value in values.items():
        own[key] = value


def _unusual(name: str, error: ValueError) -> BadConfig:
    return BadConfig(
        f"{name} is written in a way this cannot be put into ({error}). It was not changed. "
        "Write each connector as a table of its own: [connectors.shop].",
        field=name,
    )


def without_connector(path: Path, name: str) -> str:
    """The text of the file without this connector; NotFound when it is not in there."""
    document = _document(path)
    tables = document.get("connectors", {})
    if name not in tables:
        raise NotFound(f"There is no mailbox {name!r} in {path.name}.", field="name")
    del tables[name]
    if not tables:
        del document["connectors"]
    mail = document.get("mail", {})
    if mail.get("out") == name:
        del mail["out"]
    return checked(tomlkit.dumps(document), path.name)


def checked(text: str, name: str = "soloist.toml") -> str:
    """The text, once it was read as settings without a fault (BadConfig)."""
    try:
        config.parse(tomllib.loads(text), name)
    except tomllib.TOMLDecodeError as error:
        raise _unusual(name, error) from error
    return text


def write(path: Path, text: str) -> None:
    """Put the text in the file's place, whole or not at all; the former one stays beside it as .bak."""
    path = path.resolve()  # a link to a file kept elsewhere stays a link
    draft = path.with_name(f".{path.name}.new")
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        backup = path.with_name(f"{path.name}.bak")
        backup.write_bytes(path.read_bytes())
        backup.chmod(mode)
    draft.replace(path)


def change(path: Path, make: Callable[[], str]) -> None:
    """Make the new text and write it; a file that cannot be written is said in plain words (BadConfig)."""
    try:
        write(path, make())
    except OSError as error:
        raise BadConfig(f"{path} cannot be written: {error.strerror}. It was not changed.", field=path.name) from error


def _document(path: Path) -> TOMLDocument:
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path.name} cannot be read: {error}. Nothing was changed.", field=path.name) from error
