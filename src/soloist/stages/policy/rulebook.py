"""Rulebook: the operator's rules as files; read and written with their places, refused whole when one is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomlkit
from pydantic import ValidationError
from tomlkit.items import AoT

from soloist.config import Rule
from soloist.kernel.errors import BadConfig
from soloist.stages.policy.decide import Place, Rules, compile_rules
from soloist.stages.policy.gates import BULK

_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*policy[ \t]*\.[ \t]*rules[ \t]*\]\]", re.MULTILINE)
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
_WHEN = re.compile(r"^[ \t]*when[ \t]*=[ \t]*('''\n?|\"\"\"\n?|'|\")", re.MULTILINE)
_TOML_PLACE = re.compile(r"\s*\(at line (\d+), column (\d+)\)|\s*\(at end of document\)")


@dataclass(frozen=True)
class Written:
    """One file with rules: its name and its text."""

    file: str
    text: str


def load(files: Sequence[Written]) -> Rules:
    """The rules of several files as one policy.

    BadConfig with file, line and column: a file that does not parse, a rule with a wrong key, a condition that names
    an unknown field, two rules of one name, two rules with the same condition and different answers.
    """
    rules: list[tuple[Rule, Place]] = []
    bulk = BULK
    for file in files:
        table = _parsed(file)
        bulk = table.get("bulk", bulk)
        if isinstance(bulk, bool) or not isinstance(bulk, int) or not 1 <= bulk <= 1000:
            raise BadConfig(f"{file.file}: policy.bulk is a whole number from 1 to 1000.", field="policy.bulk")
        rules += _rules(file, table)
    _contradictions(rules)
    return compile_rules([rule for rule, _ in rules], bulk=bulk, places={rule.name: at for rule, at in rules})


def _parsed(file: Written) -> Mapping[str, Any]:
    """The policy table of a file."""
    try:
        table = tomllib.loads(file.text).get("policy", {})
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(_unparsed(file, str(error)), field=file.file) from error
    if not isinstance(table, dict) or not isinstance(table.get("rules", []), list):
        raise BadConfig(f"{file.file}, line 1, column 1: rules are tables [[policy.rules]].", field=file.file)
    return table


def _unparsed(file: Written, message: str) -> str:
    """The parser's complaint with line and column in front."""
    match = _TOML_PLACE.search(message)
    line, column = (match[1], match[2]) if match and match[1] else (str(file.text.count("\n") + 1), "1")
    return f"{file.file}, line {line}, column {column}: {_TOML_PLACE.sub('', message)}."


def _rules(file: Written, table: Mapping[str, Any]) -> list[tuple[Rule, Place]]:
    """The rules of one file with the places of their conditions."""
    raw = table.get("rules", [])
    blocks = _blocks(file.text, len(raw))
    found = []
    for value, (start, block) in zip(raw, blocks, strict=True):
        try:
            rule = Rule.model_validate(value)
        except ValidationError as error:
            raise BadConfig(_wrong(file, error, start, block), field="policy.rules") from error
        found.append((rule, _place(file, start, block)))
    return found


def _blocks(text: str, count: int) -> list[tuple[int, str]]:
    """Where each rule's table begins in the text, and its text; the whole file when rules are written inline."""
    starts = [match.start() for match in _HEADER.finditer(text)]
    if len(starts) != count:
        return [(0, text)] * count
    found = []
    for start in starts:
        body = text.index("\n", start) + 1 if "\n" in text[start:] else len(text)
        end = _TABLE.search(text, body)
        found.append((start, text[start : end.start() if end else len(text)]))
    return found


def _place(file: Written, start: int, block: str) -> Place:
    """Where the condition of a rule begins."""
    match = _WHEN.search(block)
    return _at(file, start + (match.end() if match else 0))


def _at(file: Written, offset: int) -> Place:
    """Line and column of an offset."""
    before = file.text[:offset]
    return Place(file.file, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def _wrong(file: Written, error: ValidationError, start: int, block: str) -> str:
    """A rule with a wrong key or value, in plain words."""
    fault = error.errors()[0]
    key = ".".join(map(str, fault["loc"]))
    match = re.search(rf"^[ \t]*{re.escape(key)}[ \t]*=", block, re.MULTILINE) if key else None
    at = _at(file, start + (match.start() if match else 0)).at(1, 1)
    if fault["type"] == "extra_forbidden":
        return f"{at}: a rule has no key {key!r}; it has: {', '.join(Rule.model_fields)}."
    return f"{at}: {key}: {fault['msg'].removeprefix('Value error, ')}."


def _contradictions(rules: Sequence[tuple[Rule, Place]]) -> None:
    """Refuse rules of one name, and one condition with two answers."""
    names: dict[str, Place] = {}
    conditions: dict[str, tuple[Rule, Place]] = {}
    for rule, place in rules:
        if rule.name in names:
            first = names[rule.name]
            raise BadConfig(
                f"{place.at(1, 1)}: two rules are named {rule.name!r}; one is in {first.file}, line {first.line}.",
                field="policy.rules",
            )
        names[rule.name] = place
        when = " ".join(rule.when.split())
        other, where = conditions.setdefault(when, (rule, place))
        if other.then != rule.then:
            raise BadConfig(
                f'{place.at(1, 1)}: rule "{rule.name}" says {rule.then} where rule "{other.name}" '
                f"({where.file}, line {where.line}) says {other.then} on the very same condition.",
                field="policy.rules",
            )


def added(text: str, rule: Rule, comment: str) -> str:
    """The text of a file with one more rule at its end, every comment kept."""
    document = tomlkit.parse(text)
    policy = document.setdefault("policy", tomlkit.table(is_super_table=True))
    if not isinstance(policy.get("rules"), AoT):
        policy["rules"] = tomlkit.aot()
    table = tomlkit.table()
    if comment:
        table.add(tomlkit.comment(" ".join(comment.split())))
    for key, value in rule.model_dump(exclude_defaults=True).items():
        table.add(key, tomlkit.string(value, literal=True) if key == "when" and _plain(value) else value)
    policy["rules"].append(table)
    return tomlkit.dumps(document)


def _plain(value: str) -> bool:
    """Whether a text can stand between single quotes."""
    return "'" not in value and value.isprintable()


def removed(text: str, name: str) -> str | None:
    """The text of a file without a rule; None when the file has no rule of this name."""
    document = tomlkit.parse(text)
    rules = document.get("policy", {}).get("rules", [])
    for number, rule in enumerate(rules):
        if rule.get("name") == name:
            del rules[number]
            return tomlkit.dumps(document)
    return None
