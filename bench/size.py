"""What an installation takes on the disk: a fresh environment from constraints.txt, with byte code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import world
from bench.figures import Figure

ROOT = Path(__file__).parents[1]


def run() -> list[Figure]:
    """The size of the whole environment, pip included; where nothing can be fetched a sentence instead of a figure."""
    with world.folder() as place:
        try:
            _install(place / "venv")
        except subprocess.CalledProcessError as error:
            said = (error.stderr or b"").decode(errors="replace").strip().splitlines()
            why = said[-1] if said else str(error)
            return [Figure("size of an installation", float("nan"), "MB", "", f"not measured: {why[:120]}")]
        note = "environment with byte code, pip, build tools and Soloist"
        return [Figure("size of an installation", _megabytes(place / "venv"), "MB", "< 550", note)]


def _install(environment: Path) -> None:
    """As bin/setup does it, without the developer's tools (CalledProcessError)."""
    _quiet(sys.executable, "-m", "venv", environment)
    python = environment / "bin" / "python"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")
    hashed = (*pip, "--require-hashes", "--no-build-isolation", "--only-binary", ":all:")
    _quiet(*hashed, "-r", ROOT / "constraints-build.txt")
    _quiet(*hashed, "--no-binary", "quotequail", "-r", ROOT / "constraints.txt")
    _quiet(*pip, "--no-deps", "--no-build-isolation", ROOT)
    _quiet(python, "-m", "compileall", "-q", environment / "lib")


def _quiet(*command: Any) -> None:
    """Run a command and keep what it says for the note."""
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def _megabytes(folder: Path) -> float:
    """Space taken on the disk, in blocks as du counts them."""
    return sum(path.lstat().st_blocks for path in folder.rglob("*")) * 512 / 2**20
