"""Kinds: what is shipped, what an operator declares, and faults of a file named with their line."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from soloist.config import parse
from soloist.kernel.errors import BadConfig
from soloist.kernel.kind import dumped, fault, faults, loaded
from soloist.stages.records import kinds

BUSINESS = "person company lead project offer invoice payment appointment conversation idea draft publication"
MORE = "document meeting goal runway capacity"
PROPERTY = """
[business]
name = "Studio Linde"

[records.kinds.property]
title = ["{street}"]
states = ["free", "let"]

[records.kinds.property.fields]
street = { type = "text", required = true }
rooms = { type = "number" }
owner = { type = "record", to = ["person"] }

[records.fields.person]
shoe_size = { type = "number" }
"""


def declared(text: str, folder: Path) -> dict:
    (folder / "soloist.toml").write_text(text, encoding="utf-8")
    settings = parse(tomllib.loads(text))
    return {kind.name: kind for kind in kinds.declared(settings.records, folder / "soloist.toml")}


def test_every_kind_of_a_one_person_company_is_shipped() -> None:
    assert {kind.name for kind in kinds.shipped()} == {*BUSINESS.split(), *MORE.split()}


@pytest.mark.parametrize("kind", kinds.shipped(), ids=lambda kind: kind.name)
def test_a_shipped_kind_survives_being_kept(kind) -> None:
    assert loaded(dumped(kind)) == kind
    assert kind.affordances
    assert kind.retention
    assert kind.help
    assert not faults(kind, {name: "" for name in kind.fields if not kind.fields[name].required}, {})


def test_own_kinds_and_fields(tmp_path: Path) -> None:
    found = declared(PROPERTY, tmp_path)
    assert found["property"].titled({"street": "Elbchaussee 1"}) == "Elbchaussee 1"
    assert found["property"].custom
    assert fault(found["person"].fields["shoe_size"], 42) == ""
    assert "emails" in found["person"].fields


WRONG = {
    'rooms = { type = "nmber" }': (11, "did you mean 'number'?"),
    'rooms = { type = "list" }': (11, "a list says of what"),
    'rooms = { type = "choice" }': (11, "a choice lists what there is"),
    'rooms = { typ = "number" }': (11, "did you mean 'type'?"),
    'rooms = { type = "record", to = ["persn"] }': (11, "did you mean 'person'?"),
    'rooms = "number"': (11, "write a field as a table"),
    "Rooms = { }": (11, "small letters"),
}


@pytest.mark.parametrize("line", WRONG)
def test_a_fault_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    number, said = WRONG[line]
    with pytest.raises(BadConfig) as error:
        declared(PROPERTY.replace('rooms = { type = "number" }', line), tmp_path)
    assert f"line {number}: records.kinds.property" in error.value.detail
    assert said in error.value.detail


def test_a_field_that_is_there_and_a_kind_that_is_not(tmp_path: Path) -> None:
    text = '[records.fields.person]\nname = { type = "text" }\n[records.fields.persn.x]\ntype = "text"\n'
    with pytest.raises(BadConfig, match="line 2: .*has a field 'name' already.*line 3: .*did you mean 'person'"):
        declared(text, tmp_path)
