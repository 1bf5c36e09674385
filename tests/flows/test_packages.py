"""Skills with code of others: installed by file, run only after the operator's word, pinned by their hash, removed."""

from __future__ import annotations

import asyncio
import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from soloist.app import App
from soloist.engine.sandbox import packages as files
from soloist.engine.sandbox.packages import FILES, ONE
from soloist.flows.publishing import Publishing
from soloist.kernel.errors import BadConfig, BadInput, Conflict, NotAllowed, NotFound, SoloistError, TooLarge
from tests.engine.sandbox import parcels
from tests.engine.sandbox.test_sandbox import HERE
from tests.flows.conftest import Open
from tests.flows.test_giving import given


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    (tmp_path / "soloist.toml").write_text(f'[skills]\nsandbox = "{HERE}"\n')
    made = App(tmp_path)
    made.desk.packages.sandbox.trusted = HERE == "none"
    yield made
    made.close()


def zipped(given: dict[str, bytes]) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in given.items():
            archive.writestr(name, data)
    made.seek(0)
    return made


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("skill_toml", "name = 3", "name: Input should be a valid string"),
        ("skill_toml", "name = ", "skill.toml: "),
        ("skill_toml", parcels.TOML.format(name="postcodes", needs='"network"'), "a skill has no network"),
        ("skill_toml", parcels.TOML.format(name="postcodes", needs='"todai"'), "did you mean 'today'"),
        ("skill_toml", parcels.TOML.format(name="postcodes", needs="") + "skils = 1", "there is no such key"),
        ("skill_toml", parcels.TOML.format(name="Post", needs=""), "has not the form that is needed"),
        ("skill_toml", parcels.TOML.format(name="others", needs=""), "there is no others.py"),
        ("postcodes_examples.yaml", "skill: [", "no YAML"),
        ("postcodes_examples.yaml", "skill: x", "version"),
    ],
)
def test_a_wrong_file_is_named_with_what_would_be_right(name: str, text: str, told: str):
    with pytest.raises(BadConfig) as error:
        files.review(files.unpacked("p.zip", zipped(parcels.good(**{name: text}))))
    assert told in error.value.detail


@pytest.mark.parametrize(
    ("path", "data", "kind", "told"),
    [
        ("../outside.py", b"", BadInput, "no path a package may hold"),
        ("deep/deep/deep/deep/deep/x.py", b"", BadInput, "5 deep"),
        ("native.so", b"", BadInput, "what can be read"),
        ("large.txt", b"x" * (ONE + 1), TooLarge, "more than a package may be"),
    ],
)
def test_what_a_package_may_not_hold_is_refused(path: str, data: bytes, kind: type[Exception], told: str):
    with pytest.raises(kind, match=told):
        files.unpacked("p.zip", zipped({**parcels.good(), path: data}))


def test_links_many_files_and_what_is_no_archive_are_refused(tmp_path: Path):
    folder = parcels.laid(tmp_path / "p", parcels.good())
    (folder / "link.py").symlink_to("/etc/hostname")
    with pytest.raises(BadInput, match="is a link"):
        files.read(folder)
    with pytest.raises(TooLarge):
        files.unpacked("p.zip", zipped({f"f{n}.txt": b"" for n in range(FILES + 1)}))
    with pytest.raises(BadInput, match="cannot be unpacked"):
        files.unpacked("p.zip", io.BytesIO(b"no archive"))
    with pytest.raises(BadInput, match=r"a folder, a \.zip"):
        files.unpacked("p.exe", io.BytesIO(b""))
    with pytest.raises(NotFound):
        files.read(tmp_path / "nothing")


def test_an_archive_may_hold_its_files_in_one_folder(tmp_path: Path):
    with tarfile.open(tmp_path / "p.tar.gz", "w:gz") as archive:
        archive.add(parcels.laid(tmp_path / "postcodes-1", parcels.good()), "postcodes-1")
    assert sorted(files.read(tmp_path / "p.tar.gz")) == ["postcodes.examples.yaml", "postcodes.py", "skill.toml"]


def test_code_that_is_not_as_promised_goes_on_waiting_and_a_taken_name_is_refused(app: App):
    given = parcels.good(postcodes_py=parcels.POSTCODES.replace('version="1"', 'version="2"'))
    acts = app.desk.packages
    row = asyncio.run(acts.upload("p.zip", zipped(given), who="operator"))
    with pytest.raises(BadConfig, match="names version '1', and the code has version '2'"):
        asyncio.run(acts.accept("postcodes", row["hash"], who="operator"))
    assert not acts.sandbox.installed
    asyncio.run(acts.refuse("postcodes", row["hash"], who="operator"))
    with pytest.raises(Conflict, match="it is refused"):
        asyncio.run(acts.refuse("postcodes", row["hash"], who="operator"))
    toml = parcels.TOML.format(name="mine", needs="").replace('"mine"]', '"postcodes"]')
    taken = parcels.good(skill_toml=toml)
    taken["money.examples.yaml"] = parcels.EXAMPLES.format(skill="money").encode()
    with pytest.raises(Conflict, match="a skill called money already"):
        asyncio.run(acts.upload("p.zip", zipped(taken), who="operator"))
    row = asyncio.run(acts.upload("p.zip", zipped(parcels.good()), who="operator"))
    with pytest.raises(BadInput, match="not among what postcodes declares"):
        asyncio.run(acts.accept("postcodes", row["hash"], who="operator", granted=["today"]))
    with pytest.raises(NotFound, match="whose hash begins with 'ffff'"):
        asyncio.run(acts.accept("postcodes", "ffff", who="operator"))


TOLD = "Sort every letter into the folder of its postcode, and leave alone what shows none at all."
SORTER = """
name = "sorter"
version = "{version}"
kind = "task"
summary = "Sorts letters by the postcode that stands in them."
skills = ["postcodes"]
[limits]
timeout = "20s"
"""


def sorter(version: str) -> dict[str, str]:
    """A role of the operator's that uses the skill of the package."""
    return {"toml": SORTER.format(version=version), "instructions": f"# Sorter {version}\n\n{TOLD}\n"}


async def test_a_better_skill_and_agent_reach_the_next_work_with_no_edit_of_a_flow(house: Open):
    home = await house(more=f'[skills]\nsandbox = "{HERE}"\n')
    acts, publishing = home.desk.packages, Publishing(home.desk)
    acts.sandbox.trusted = HERE == "none"

    async def installed(files: dict[str, bytes]) -> str:
        row = await acts.upload("p.zip", zipped(files), who="operator")
        assert row["state"] == "waiting"
        await acts.accept("postcodes", row["hash"][:12], who="operator")
        return str(row["hash"])

    async def came() -> tuple[list[str], str, str]:
        found = await given(home, agent="sorter", skill="postcodes", input={"text": "20357 or 1010"})
        return found["value"]["codes"], found["run"]["made_with"]["skills"]["postcodes"], found["run"]["agent"]

    with pytest.raises(SoloistError, match="no skill called"):
        await home.app.worker.call("postcodes", {"text": "20357 Hamburg"})
    first = await installed(parcels.good())
    assert home.app.registry.skills["postcodes"].input.model_json_schema()["required"] == ["text"]
    await publishing.publish(sorter("1"), who="operator", why="letters come")
    assert await came() == (["20357"], "1", "sorter@1")
    better = parcels.POSTCODES.replace("{5}", "{4,5}").replace('version="1"', 'version="2"')
    told = parcels.EXAMPLES.format(skill="postcodes").replace('version: "1"', 'version: "2"')
    toml = parcels.TOML.format(name="postcodes", needs="").replace('version = "1"', 'version = "2"')
    made = parcels.good(postcodes_py=better, skill_toml=toml)
    await installed({**made, "postcodes.examples.yaml": told.encode()})
    await publishing.publish(sorter("2"), who="operator", why="it is better")
    assert await came() == (["20357", "1010"], "2", "sorter@2")
    await acts.accept("postcodes", first, who="operator")
    await publishing.back("sorter", who="operator")
    assert await came() == (["20357"], "1", "sorter@1")
    await is_changed_and_goes(home.app, first)


async def is_changed_and_goes(app: App, digest: str) -> None:
    """Changed files are not run; what is removed is gone here and in another process."""
    acts, home = app.desk.packages, app.home.root
    other = App(home)
    assert "postcodes" in other.registry.skills
    file = files.folder_of(home, "postcodes", digest) / "postcodes.py"
    file.chmod(0o644)
    file.write_text("raise SystemExit")
    with pytest.raises(NotAllowed, match=r"postcodes\.py was changed"):
        await app.worker.call("postcodes", {"text": "20357"})
    assert "was changed" in acts.amiss()["postcodes"]
    await acts.remove("postcodes", who="operator")
    assert "postcodes" not in app.registry.skills
    assert not (home / "plugins" / "postcodes").exists()
    other.store.read_now(other.desk.runtime.roster.refresh)
    assert "postcodes" not in other.registry.skills
    other.close()
    assert not list(home.glob(".probe*"))
