"""Fixtures of the effect tests: an empty database to copy, and a rig on a copy of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stages.effects import rig as rigs


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rigs.template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def rig(tmp_path: Path, template: Path) -> Iterator[rigs.Rig]:
    made = rigs.Rig(tmp_path, template)
    yield made
    made.close()
