"""What may stand nowhere: dangerous modules and calls in code, hosts and paths of one machine in any tracked file."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = [p for room in ("src", "tests", "bench") for p in sorted((ROOT / room).rglob("*.py"))]

MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "sqlite3", "_sqlite3", "_pickle"}
CALLS = {"eval", "exec", "compile", "__import__"}
MEMBERS = {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen"}
SKIPS = {
    "pytest.skip",
    "pytest.xfail",
    "pytest.importorskip",
    "pytest.mark.skip",
    "pytest.mark.skipif",
    "pytest.mark.xfail",
}
SKIPS |= {"unittest.skip", "unittest.mock", "mark.skip", "mark.skipif", "mark.xfail"}

HOSTS = (r"files\.python" + "hosted", r"pypi" + r"\.org", r"registry\." + "npmjs")
PLACES = (
    "/ro" + r"ot/\.?\w",
    "/ho" + r"me/\w",
    "/wo" + r"rk/(main|shared|\.)",
    "/Us" + r"ers/\w",
    "find" + "-links",
    "index" + "-url",
)
WORDS = ("cla" + "ude", "anth" + r"ropic\.com", "chat" + "gpt", "co" + "pilot", "AI ass" + "istant", "sub" + "agent")
MAY_NAME_PLACES = {"bin/lock"}


LAST = {name.rpartition(".")[2] for name in MEMBERS | SKIPS}
"""Their last words, which are looked at first: to write out every attribute took seconds."""


def found(text: str) -> Iterator[str]:
    """Line and name of each banned import, call or attribute in one Python source."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            whole = [f"{node.module}.{a.name}" for a in node.names] if isinstance(node, ast.ImportFrom) else names
            yield from (f"line {node.lineno}: import {n}" for n in names if n.partition(".")[0] in MODULES)
            yield from (f"line {node.lineno}: {n}" for n in whole if n in MEMBERS or n.startswith(tuple(SKIPS)))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            yield f"line {node.lineno}: {node.func.id}()"
        elif isinstance(node, ast.Attribute) and node.attr in LAST and ast.unparse(node) in MEMBERS | SKIPS:
            yield f"line {node.lineno}: {ast.unparse(node)}"


def tracked() -> list[Path]:
    """Every file that git would carry to a clone, new ones included."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_nothing_banned_in_the_code() -> None:
    faults = [
        f"{path.relative_to(ROOT)}: {fault}" for path in CODE for fault in found(path.read_text(encoding="utf-8"))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from marshal import loads",
        "import sqlite3 as s",
        "def f():\n    from sqlite3 import connect",
        "eval('1')",
        "exec('x = 1')",
        "import yaml\nyaml.load('')",
        "from yaml import load",
        "import pytest\n@pytest.mark.skip\ndef test_x(): ...",
        "from unittest.mock import patch",
        "from unittest import mock",
    ],
)
def test_a_planted_ban_is_named(line: str) -> None:
    assert list(found(line))


def test_no_host_no_machine_path_no_odd_word_in_tracked_files() -> None:
    banned = re.compile("|".join((*HOSTS, *PLACES, *WORDS)), re.IGNORECASE)
    faults = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        text = path.read_bytes().decode("utf-8", "replace")
        faults += [f"{name}: {m[0]}" for m in banned.finditer(text) if name not in MAY_NAME_PLACES]
    assert not faults, "\n".join(sorted(set(faults)))


@pytest.mark.parametrize("name", ["constraints-build.txt", "constraints.txt", "constraints-dev.txt"])
def test_locks_hold_exact_versions_with_hashes_and_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert "://" not in text
    assert len(entries) >= 5
    assert not [
        e for e in entries if not re.match(r"[a-z0-9._-]+==\S+.*?\\\n(\s+--hash=sha256:[0-9a-f]{64}( \\)?\n?)+\Z", e)
    ]


def test_the_runtime_lock_is_a_part_of_the_developers_lock() -> None:
    pins = [
        set(re.findall(r"^\S+==\S+", (ROOT / n).read_text(), re.MULTILINE))
        for n in ("constraints.txt", "constraints-dev.txt")
    ]
    assert pins[0] < pins[1]


def sibling_skills(text: str) -> list[str]:
    """Public skill modules that one source imports; private ones (``_mime``) are shared on purpose."""
    room, names = "soloist.plugins.skills", []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module == room:
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(room + "."):
            names.append(str(node.module).removeprefix(room + "."))
        elif isinstance(node, ast.Import):
            names += [a.name.removeprefix(room + ".") for a in node.names if a.name.startswith(room + ".")]
    return [name for name in names if not name.startswith("_")]


def test_one_skill_never_imports_another() -> None:
    folder = ROOT / "src" / "soloist" / "plugins" / "skills"
    faults = {path.name: found for path in folder.glob("*.py") if (found := sibling_skills(path.read_text("utf-8")))}
    assert not faults


@pytest.mark.parametrize(
    "line", ["from soloist.plugins.skills import money", "import soloist.plugins.skills.money as m"]
)
def test_a_planted_sibling_is_named(line: str) -> None:
    assert sibling_skills(line) == ["money"]
