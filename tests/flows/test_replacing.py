"""A package in the place of a shipped skill: tried first, live by the operator's word, put back when it breaks."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.engine import registry
from soloist.engine.calls import Call
from soloist.engine.store import assets, calls, corrections, origins, packages
from soloist.engine.store.corrections import NewCorrection
from soloist.flows import replacing as flows_replacing
from soloist.flows import watching
from soloist.flows.packages import MOST_FAULTS, Packages
from soloist.flows.replacing import Replacing
from soloist.kernel import replacing
from soloist.kernel.errors import BadConfig, BadInput, Conflict, NotAllowed, NotFound
from soloist.kernel.origin import OUTSIDE
from soloist.stages.runtime import contracts
from tests.engine.sandbox import parcels
from tests.engine.sandbox.test_sandbox import HERE
from tests.flows.conftest import House, Open
from tests.flows.test_giving import given
from tests.flows.test_packages import zipped

TOML = """
name = "terse"
version = "{version}"
summary = "Takes the last sentence of a text where the shipped one takes the first."
author = "Ada Okafor"
modules = ["terse"]
replaces = "{replaces}"
[limits]
seconds = 3
"""
CODE = '''
"""The first sentences of a text; types as those of the shipped skill."""
import os, re
from typing import Literal
from pydantic import BaseModel, ConfigDict, Field
from soloist.sdk import skill

class Plain(BaseModel):
    model_config = ConfigDict(extra="forbid")

class Text(Plain):
    text: str
    language: str = ""
    most: int = Field(default=3, ge=1, le=12)

class Words(Plain):
    text: str
    start: int
    end: int

class Told(Plain):
    sentences: list[Words]
    lines: list[int]
    how: Literal["meaning", "word parts", "words", "whole"]
    language: str

@skill("{replaces}", version="{version}")
def summary(value: Text) -> Told:
    """Take the first sentences."""
    found = [m for m in re.finditer(r".+?(?<![0-9])[.!?]", value.text)][:value.most]
    words = [Words(text=m.group().strip(), start=m.end() - len(m.group().strip()), end=m.end()) for m in found]
    language = value.language or ("de" if value.text.startswith("Die") else "en")
    if value.text.startswith("Odd"):
        {odd}
    return Told(sentences=words, lines=[1 for _ in words], how="whole", language=language)
'''
BREAKS = """found, words = words, {
            "raise": lambda: 1 // 0,
            "exit": lambda: os._exit(3),
            "loop": lambda: any(iter(int, 1)),
            "garbage": lambda: [Words.model_construct(text=["x"], start=1, end=2)],
            "outside": lambda: [Words(text="x", start=-9, end=2)],
        }.get(value.text.split()[1], lambda: words[:1])()"""
ODD = "Odd one here. Another one there."


def terse(
    version: str = "2", odd: str = BREAKS, replaces: str = "summary", code: str = CODE, expect: str = "{language: en}"
) -> dict[str, bytes]:
    """A package that keeps what the shipped summary promises, and differs on texts that begin with "Odd"."""
    example = "  - {{name: {name}, input: {{text: Good day. We meet on Monday.}}, expect: {expect}{more}}}\n"
    rows = [("one", ""), ("two", ""), ("three", ""), ("four", ""), ("five", ", hostile: true")]
    examples = parcels.EXAMPLES.format(skill=replaces).partition("examples:\n")[0].replace('"1"', f'"{version}"')
    examples += "examples:\n"
    examples += "".join(example.format(name=f"number {name}", expect=expect, more=more) for name, more in rows)
    return {
        "skill.toml": TOML.format(version=version, replaces=replaces).encode(),
        "terse.py": code.replace("{version}", version).replace("{replaces}", replaces).replace("{odd}", odd).encode(),
        f"{replaces}.examples.yaml": examples.encode(),
    }


PAGES = ["https://rival.example/0", "https://rival.example/1"]


async def opened(house: Open) -> tuple[House, Packages, Replacing]:
    home = await house(more=f'[skills]\nsandbox = "{HERE}"\n[watch]\npages = {PAGES!r}\n'.replace("'", '"'))
    acts = home.desk.packages
    acts.sandbox.trusted = HERE == "none"
    return home, acts, Replacing(home.desk)


async def installed(acts: Packages, trials: Replacing, files: dict[str, bytes]) -> dict[str, Any]:
    row = await acts.upload("p.zip", zipped(files), who="operator")
    return await trials.compare("terse", row["hash"], who="operator")


async def researched(home: House) -> dict[str, Any]:
    """The researcher's way."""
    return await given(home, agent="researcher", input={"text": ODD})


async def watched(home: House, page: str) -> dict[str, Any]:
    """The competitor watcher's way, on a page that was never seen."""
    return await given(home, agent="competitor_watcher", input={"page": page})


def answered(found: dict[str, Any]) -> str:
    """The version of the summary that answered in a run."""
    return str(found["run"]["made_with"]["skills"]["summary"])


def fetching(desk: Any, page: str) -> Any:
    """A step that finds every page, without a network."""

    async def step(_run: str) -> dict[str, Any]:
        body = f"<html><body><p>{ODD}</p><p>{page}</p></body></html>".encode()
        path = assets.write_file(desk.home.assets, body)
        keep = lambda tx: assets.keep(tx, body, "text/html", path, origin=OUTSIDE)  # noqa: E731
        return {"asset": await desk.store.write(keep)}

    return step


BROKEN = {
    "raise": "ZeroDivisionError",
    "exit": "without an answer",
    "garbage": "does not fit",
    "outside": "begin before their text",
}


async def test_a_replacement_lifts_two_workflows_with_no_edit_and_is_put_back(
    house: Open, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(watching, "_fetching", fetching)
    home, acts, trials = await opened(house)
    shipped = home.app.registry.skills["summary"]
    first = await researched(home)
    assert answered(first) == "1" and len(first["value"]["summary"]) == 2
    await corrected(home, first["run"]["id"])
    row = await installed(acts, trials, terse())
    await asks_first(home, acts, row)
    assert home.app.registry.skills["summary"] is shipped

    await acts.accept("terse", row["hash"], who="operator", anyway="it is what we want now")
    label = f"2+terse.{row['hash'][:12]}"
    found, seen = await researched(home), await watched(home, PAGES[0])
    assert found["came"] == seen["came"] == "done"
    for one in (found, seen):
        assert answered(one) == label
        read = home.desk.store.read_now(lambda conn, run=one["run"]["id"]: origins.of_run(conn, run))
        assert read.tainted and f"package:terse summary@{label}" in read.sources
    assert [one["text"] for one in found["value"]["summary"]] == ["Odd one here."]
    assert "outside" in found["origin"]["labels"]

    await is_answered_for(home, acts)
    assert home.app.registry.skills["summary"] is shipped
    assert answered(await researched(home)) == answered(await watched(home, PAGES[1])) == "1"
    with pytest.raises(NotFound, match="No package has the place"):
        await acts.back("summary", who="operator")
    await acts.accept("terse", row["hash"], who="operator", anyway="once more")
    await is_put_back_by_itself(home, acts)


async def corrected(home: House, run: str) -> None:
    """A kept correction in which the summary was called, and which wants what the shipped one says."""
    told = await home.app.worker.call("summary", {"text": ODD})
    made = Call("summary", "1", {"text": ODD}, "", told)
    home.app.store.write_now(lambda tx: calls.keep(tx, run, "work", [made]))
    given = {"sentences": told["sentences"]}
    new = NewCorrection("edit", run, given, given, 9, "operator", run)
    home.app.store.write_now(lambda tx: corrections.note(tx, new))


async def asks_first(home: House, acts: Packages, row: dict[str, Any]) -> None:
    """Doing worse on a correction it needs a reason; failing an example it is refused whatever the reason."""
    tried = row["tried"]
    assert (tried["against"], tried["held"], tried["failed"]) == ("summary@1", 10, 0) and tried["ms"]["after"] > 0
    assert (tried["worse"], tried["corrections"]["tried"], row["state"]) == (1, 1, "waiting")
    with pytest.raises(Conflict, match="does worse than summary@1 on 1 of 1 kept corrections") as told:
        await acts.accept("terse", row["hash"], who="operator")
    assert home.rows("trials", id=told.value.extra["trial"])[0]["state"] == "done"
    bad = {**tried, "failed": 1, "examples": [{"example": "one", "outcome": "fails", "faults": ["no"]}]}
    for found in (bad, tried):
        home.app.store.write_now(
            lambda tx, found=found: packages.tried(tx, "terse", row["hash"], found, who="operator")
        )
        if found is bad:
            with pytest.raises(BadConfig, match="1 examples do not hold. one: no"):
                await acts.accept("terse", row["hash"], who="operator", anyway="all the same")


async def is_answered_for(home: House, acts: Packages) -> None:
    """The shipped skill answers what the package does not, one card tells of it, and its button puts that one back."""
    with pytest.raises(BadInput, match="most"):
        await home.app.worker.call("summary", {"text": "Odd raise", "most": 99})
    assert home.card(type="question") is None, "what the shipped skill refuses as well is no fault"
    for how, told in BROKEN.items():
        acts.sandbox.failing.clear()
        found = await given(home, agent="researcher", input={"text": f"Odd {how} here. Another one there."})
        assert found["came"] == "done" and answered(found) == "1" and len(found["value"]["summary"]) == 2
        card = home.card(type="question")
        assert card is not None and told in card["why"] and "The shipped skill answered" in card["why"], card
    await home.app.worker.call("summary", {"text": "Odd loop here."}, timeout=120.0)
    card = home.card(type="question")
    assert card is not None and "and was stopped" in card["why"]
    await home.choose(card, "back")
    home.desk.store.read_now(home.desk.runtime.roster.refresh)


async def is_put_back_by_itself(home: House, acts: Packages) -> None:
    """After some faults in a row it is out of use, and a card says so."""
    acts.sandbox.failing.clear()
    for _ in range(MOST_FAULTS):
        assert acts.sandbox.places
        await home.app.worker.call("summary", {"text": "Odd raise"})
    assert acts.sandbox.places == {} and home.app.registry.skills["summary"].version == "1"
    card = home.card(type="question")
    assert card is not None and "the shipped skill was put back" in card["why"]


async def test_what_may_not_be_replaced_is_refused_in_plain_words(house: Open):
    home, acts, trials = await opened(house)
    for name, said in [("check_draft", "keep something wrong from leaving"), ("draft_reply", "go out without you")]:
        with pytest.raises(NotAllowed, match=said):
            await acts.upload("p.zip", zipped(terse(replaces=name)), who="operator")
    with pytest.raises(BadConfig, match="did you mean 'summary'"):
        await acts.upload("p.zip", zipped(terse(replaces="sumary")), who="operator")
    two = {**terse(), "postcodes.examples.yaml": parcels.EXAMPLES.format(skill="postcodes").encode()}
    with pytest.raises(BadConfig, match="holds that one skill and no other"):
        await acts.upload("p.zip", zipped(two), who="operator")
    other = CODE.replace("le=12", "le=13")
    row = await acts.upload("p.zip", zipped(terse(code=other)), who="operator")
    with pytest.raises(Conflict, match="held against it first"):
        await acts.accept("terse", row["hash"], who="operator")
    with pytest.raises(BadConfig, match=r"its input\.most"):
        await trials.compare("terse", row["hash"], who="operator")
    (kept,) = home.rows("packages")
    assert kept["state"] == "waiting" and "its input.most" in kept["why"]


def test_every_shipped_skill_is_replaceable_or_kept_with_a_reason_and_the_same_types_are_the_same():
    assert not replacing.REPLACEABLE & replacing.KEPT.keys()
    assert replacing.refusal("a_skill_of_tomorrow").startswith("The skill a_skill_of_tomorrow stays")
    for name in sorted(replacing.REPLACEABLE):
        one = registry.load().skills[name]
        made = one.output.model_json_schema(mode="serialization")
        assert replacing.differs(made, made, "its output") == ""


def test_an_example_that_the_shipped_skill_does_not_keep_here_either_is_no_fault_of_a_package():
    def result(fault: str, answer: str) -> contracts.Result:
        return contracts.Result("summary", "one", "me", False, (fault,) if fault else (), {}, {"text": answer})

    cases = [("", "", "x", "holds"), ("", "", "y", "changed"), ("no", "", "y", "fails"), ("no", "no", "x", "holds")]
    for theirs, ours, answer, outcome in cases:
        assert flows_replacing._row("shipped", result(theirs, answer), result(ours, "x"))["outcome"] == outcome
    assert flows_replacing._row("own", result("no", "x"))["outcome"] == "fails"
