"""Packages: folders and archives with skills of others, read as bytes, hashed, kept and compared; none of it runs."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from soloist.kernel.errors import BadConfig, BadInput, NotFound, TooLarge
from soloist.kernel.hashing import sha256
from soloist.kernel.package import PackageSpec, parsed
from soloist.sdk.testing import skills as contracts

TOML = "skill.toml"
FILES, ONE, ALL = 200, 1024 * 1024, 5 * 1024 * 1024
"""Most files of a package, bytes of one of them, bytes of all."""
KINDS = frozenset({".py", ".toml", ".yaml", ".yml", ".md", ".txt", ".json", ".csv", ""})
"""Endings of files that can be read by a person who reviews them; a package holds no others."""
LEFT_OUT = ("__pycache__", ".git", ".DS_Store")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,79}\Z")


@dataclass(frozen=True)
class Reviewed:
    """What can be said of a package without running it; ``skills`` are versions by name, ``files`` hashes by path."""

    spec: PackageSpec
    hash: str
    files: Mapping[str, str]
    sizes: Mapping[str, int]
    skills: Mapping[str, str]

    def content(self) -> dict[str, Any]:
        """As it is kept."""
        spec = self.spec.model_dump(mode="json")
        return {"spec": spec, "files": dict(self.files), "sizes": dict(self.sizes), "skills": dict(self.skills)}


def read(path: Path) -> dict[str, bytes]:
    """The files of a folder, of a .zip or of a .tar.gz by their path (NotFound, BadInput, TooLarge); nothing is run."""
    if path.is_dir():
        return _gathered(_of_folder(path), str(path))
    if not path.is_file():
        raise NotFound(f"{path} is neither a folder nor an archive.")
    return unpacked(path.name, path)


def unpacked(name: str, source: Path | Any) -> dict[str, bytes]:
    """The files of an archive; ``source`` is a path or an open binary file (BadInput, TooLarge)."""
    try:
        if name.lower().endswith(".zip"):
            return _gathered(_of_zip(source), name)
        if name.lower().endswith((".tar.gz", ".tgz", ".tar")):
            return _gathered(_of_tar(source), name)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise BadInput(f"{name} cannot be unpacked: {error}. Nothing was installed.") from error
    raise BadInput(f"{name}: a package is a folder, a .zip or a .tar.gz. Nothing was installed.")


def _of_folder(root: Path) -> Iterator[tuple[str, int, Any]]:
    for folder, inner, names in os.walk(root, followlinks=False):
        inner[:] = sorted(part for part in inner if part not in LEFT_OUT)
        for name in sorted(names):
            path = Path(folder) / name
            if name in LEFT_OUT or name.endswith(".pyc"):
                continue
            if path.is_symlink() or not path.is_file():
                raise BadInput(f"{path.relative_to(root)} is a link or no plain file; a package holds files only.")
            yield path.relative_to(root).as_posix(), path.stat().st_size, path.read_bytes


def _of_zip(source: Any) -> Iterator[tuple[str, int, Any]]:
    with zipfile.ZipFile(source) as archive:
        for item in archive.infolist():
            if not item.is_dir():
                if item.external_attr >> 28 not in (0, 8):
                    raise BadInput(f"{item.filename} is a link or no plain file; a package holds files only.")
                yield item.filename, item.file_size, lambda item=item: archive.open(item).read(ONE + 1)


def _of_tar(source: Any) -> Iterator[tuple[str, int, Any]]:
    opened = {"name": source} if isinstance(source, Path) else {"fileobj": source}
    with tarfile.open(mode="r:*", **opened) as archive:
        for item in archive:
            if item.isdir():
                continue
            if not item.isreg():
                raise BadInput(f"{item.name} is a link or no plain file; a package holds files only.")
            opened_file = archive.extractfile(item)
            yield item.name.removeprefix("./"), item.size, lambda file=opened_file: file.read(ONE + 1) if file else b""


def _gathered(items: Iterator[tuple[str, int, Any]], place: str) -> dict[str, bytes]:
    """The bytes by path, within the limits; a folder that holds everything of an archive is left out of the paths."""
    found: dict[str, bytes] = {}
    total = 0
    for name, size, content in items:
        if any(part in LEFT_OUT for part in PurePosixPath(name).parts) or name.endswith(".pyc"):
            continue
        _fit(name)
        total += size
        if len(found) >= FILES or size > ONE or total > ALL:
            most = f"{FILES} files, {ONE >> 20} MB each, {ALL >> 20} MB in all"
            raise TooLarge(f"{place} is more than a package may be: {most}. Nothing was installed.")
        data = content()
        if len(data) > ONE:
            raise TooLarge(f"{place}: {name} is larger than it says.")
        found[name] = data
    tops = {name.partition("/")[0] for name in found}
    if TOML not in found and len(tops) == 1 and f"{next(iter(tops))}/{TOML}" in found:
        found = {name.partition("/")[2]: data for name, data in found.items()}
    return found


def _fit(name: str) -> None:
    """BadInput unless a path stays inside and its file can be read by a person."""
    parts = PurePosixPath(name).parts
    if not parts or len(parts) > 5 or "\\" in name or not all(_PART.match(part) for part in parts):
        raise BadInput(f"{name[:120]!r} is no path a package may hold: letters, digits, _ - and dots, at most 5 deep.")
    if PurePosixPath(name).suffix.lower() not in KINDS:
        known = ", ".join(sorted(KINDS - {""}))
        raise BadInput(f"{name}: a package holds only what can be read before it is accepted: {known}.")


def review(files: Mapping[str, bytes]) -> Reviewed:
    """What a package declares (BadConfig names the file, the key and what would be right); nothing of it is run."""
    if TOML not in files:
        raise BadConfig(f"There is no {TOML} in it, so nothing says what it is and what it needs.")
    spec = parsed(_toml(files[TOML]), TOML)
    for module in spec.modules:
        if not {f"{module}.py", f"{module}/__init__.py"} & set(files):
            raise BadConfig(f"{TOML}: modules: there is no {module}.py.", field="modules")
    skills = {}
    for name in sorted(files):
        if name.endswith(".examples.yaml"):
            contract = contracts.parse(_text(files[name], name), name)
            if PurePosixPath(name).name != f"{contract.skill}.examples.yaml" or "/" in name:
                raise BadConfig(f"{name}: the examples of {contract.skill} stand in {contract.skill}.examples.yaml.")
            skills[contract.skill] = contract.version
    if not skills:
        raise BadConfig("There is no file <name of the skill>.examples.yaml in it, so no skill says what it promises.")
    hashes = {name: sha256(data) for name, data in sorted(files.items())}
    return Reviewed(spec, digest(hashes), hashes, {name: len(data) for name, data in sorted(files.items())}, skills)


def digest(hashes: Mapping[str, str]) -> str:
    """The hash of a package: of every path with the hash of its bytes."""
    return sha256("".join(f"{name}\0{value}\n" for name, value in sorted(hashes.items())).encode())


def _toml(data: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(data, TOML))
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{TOML}: {error}.") from error


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadConfig(f"{name} is no text in UTF-8: {error}.") from error


def folder_of(home: Path, name: str, hash_: str) -> Path:
    """Where a package lies in a home."""
    return home / "plugins" / name / hash_[:16]


def keep(home: Path, found: Reviewed, files: Mapping[str, bytes]) -> Path:
    """Put a package into the home, readable and not to be changed; one that is there already is written anew."""
    folder = folder_of(home, found.spec.name, found.hash)
    discard(home, found.spec.name, found.hash)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o444)
    return folder


def discard(home: Path, name: str, hash_: str) -> None:
    """Remove a package's files from the home; nothing happens when there are none."""
    folder = folder_of(home, name, hash_)
    if folder.is_dir():
        shutil.rmtree(folder)
    if folder.parent.is_dir() and not any(folder.parent.iterdir()):
        folder.parent.rmdir()


def changed(folder: Path, files: Mapping[str, str]) -> list[str]:
    """How the files of a folder differ from those that were reviewed, in words; empty when every byte is the same."""
    if not folder.is_dir():
        return ["its folder is gone"]
    try:
        now = {name: sha256(data) for name, data in read(folder).items()}
    except (OSError, BadInput, TooLarge) as error:
        return [str(error)]
    found = [f"{name} is gone" for name in sorted(set(files) - set(now))]
    found += [f"{name} was added" for name in sorted(set(now) - set(files))]
    return found + [f"{name} was changed" for name in sorted(files) if name in now and now[name] != files[name]]
