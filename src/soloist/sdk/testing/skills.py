"""The contract of a skill: its file of examples, read and held against what the skill answers; it runs no skill."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from soloist.kernel.errors import BadConfig
from soloist.sdk.skill import Skill

MOST = 2 * 1024 * 1024
"""Bytes of a file of examples."""
LEAST = 5
LANGUAGES = 3

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Plain(_Base):  # type: ignore[misc]  # the C loader when there is one, else the slow one
    """YAML with the words of JSON only: no dates, no "yes" and "no", no base sixty, no second key of a name."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """A mapping whose keys are all different."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value!r} twice", key.start_mark)
            seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


for _tag, _form, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("float", r"^-?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?$", "-0123456789"),
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
):
    _Plain.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_form), list(_first))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tolerance(_Strict):
    """What may differ at one path of the output."""

    number: float | None = Field(default=None, ge=0)
    share: float | None = Field(default=None, ge=0)
    text: float | None = Field(default=None, ge=0, le=1)
    contains: bool = False
    lacks: bool = False
    set: bool = False
    subset: bool = False


class Tiers(_Strict):
    """What a skill does without a model, with a small one and with a large one."""

    without: str = Field(min_length=10)
    small: str = Field(min_length=10)
    large: str = Field(min_length=10)


class Example(_Strict):
    """One promise: an input, and the part of the output that is promised or the words of the refusal."""

    name: str = Field(min_length=3, max_length=120)
    input: dict[str, Any] = {}
    expect: dict[str, Any] | None = None
    refuses: str = ""
    language: str = Field(default="", pattern=r"^(?:[a-z]{2})?$")
    hostile: bool = False
    author: str = ""
    blob: str | None = None
    blob_base64: str | None = None
    blob_file: str | None = None
    tolerance: dict[str, Tolerance] = {}
    why: str = ""

    @model_validator(mode="after")
    def _one_promise(self) -> Example:
        if (self.expect is None) == (not self.refuses):
            raise ValueError(f"the example {self.name!r} needs either `expect` or `refuses`")
        if sum(given is not None for given in (self.blob, self.blob_base64, self.blob_file)) > 1:
            raise ValueError(f"the example {self.name!r} has more than one of blob, blob_base64 and blob_file")
        return self


class Contract(_Strict):
    """The whole file of one skill."""

    skill: str
    version: str
    author: str = Field(min_length=2)
    text: bool = True
    tiers: Tiers
    tolerance: dict[str, Tolerance] = {}
    examples: list[Example]

    @model_validator(mode="after")
    def _enough(self) -> Contract:
        names = [example.name for example in self.examples]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two examples are called {twice[0]!r}")
        if len(names) < LEAST:
            raise ValueError(f"examples: {len(names)}, at least {LEAST} are needed")
        if not any(example.hostile for example in self.examples):
            raise ValueError("examples: none is `hostile: true`; one has to show that it is not led astray")
        spoken = {example.language for example in self.examples} - {""}
        if self.text and len(spoken) < LANGUAGES:
            told = f"{len(spoken)} ({', '.join(sorted(spoken)) or 'none'})"
            raise ValueError(f"examples: languages: {told}, at least {LANGUAGES} are needed, or `text: false`")
        return self


@dataclass(frozen=True)
class Verdict:
    """How one example went; ``faults`` are sentences, none when it holds."""

    skill: str
    example: str
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether it holds."""
        return not self.faults


def parse(text: str, place: str) -> Contract:
    """The contract of a text (BadConfig with the place, the key and what would be right)."""
    if len(text) > MOST:
        raise BadConfig(f"{place}: {len(text)} characters are more than the {MOST} a file of examples may have.")
    loader = _Plain(text)
    try:
        raw = loader.get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadConfig(f"{place}: this is no YAML: {' '.join(str(error).split())[:300]}") from error
    finally:
        loader.dispose()
    if not isinstance(raw, dict):
        raise BadConfig(f"{place}: a file of examples begins with `skill:`, `version:`, `author:` and `examples:`.")
    try:
        return Contract.model_validate(raw)
    except ValidationError as error:
        told = "; ".join(_said(fault) for fault in error.errors()[:3])
        raise BadConfig(f"{place}: {told}{'' if told.endswith('?') else '.'}") from error


def _said(fault: Mapping[str, Any]) -> str:
    """One fault of a file: the key, and what would be right where it can be guessed."""
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"{place + ': ' if place else ''}{str(fault['msg']).removeprefix('Value error, ')}"
    known = [*Contract.model_fields, *Example.model_fields, *Tolerance.model_fields, *Tiers.model_fields]
    near = get_close_matches(str(fault["loc"][-1]), known, 1)
    return f"{place}: there is no such key" + (f"; did you mean {near[0]!r}?" if near else "")


def read(skill: Skill) -> Contract:
    """The contract of a skill (BadConfig: no file, no YAML, another skill or version, an input that does not fit)."""
    path = skill.examples
    if missing := skill.lacks():
        raise BadConfig(f"{missing}.")
    try:
        found = parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path} cannot be read: {error}") from error
    for key, own in (("skill", skill.name), ("version", skill.version.partition("+")[0])):
        if getattr(found, key) != own:
            raise BadConfig(f"{path}: {key}: {getattr(found, key)!r}, but the skill says {own!r}.")
    for example in found.examples:
        _fits(skill, example, path)
    return found


def _fits(skill: Skill, example: Example, path: Path) -> None:
    """BadConfig when an input is not of the skill's type, a promised key is none of its output, or a blob is amiss."""
    place = f"{path}: {example.name}"
    if not example.refuses:
        try:
            skill.input.model_validate(example.input)
        except ValidationError as error:
            raise BadConfig(f"{place}: input.{refusal(error)}") from error
    known = set(skill.output.model_fields) | set(skill.output.model_computed_fields)
    if unknown := sorted(set(example.expect or {}) - known):
        near = get_close_matches(unknown[0], known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(sorted(known))}"
        raise BadConfig(f"{place}: expect.{unknown[0]}: the output has no such field{hint}.")
    given = (example.blob, example.blob_base64, example.blob_file)
    if not skill.takes_blob and any(item is not None for item in given):
        raise BadConfig(f"{place}: the skill takes no bytes, so there can be no blob.")


def refusal(error: Exception) -> str:
    """What a refusal says: the field and the message of a wrong input, else the error's own words."""
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        field = ".".join(str(part) for part in fault["loc"])
        return f"{field or 'the input'}: {str(fault['msg']).removeprefix('Value error, ')}"
    return str(error)


def blob_of(example: Example, folder: Path) -> bytes:
    """The bytes an example gives beside its input (BadConfig when its file cannot be read)."""
    if example.blob is not None:
        return example.blob.encode()
    if example.blob_base64 is not None:
        return base64.b64decode("".join(example.blob_base64.split()))
    if example.blob_file is None:
        return b""
    path = (folder / example.blob_file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadConfig(f"{example.name}: blob_file: {example.blob_file!r} leads out of {folder}.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadConfig(f"{example.name}: blob_file: {error}") from error


def judge(contract: Contract, example: Example, answer: Mapping[str, Any] | Exception) -> Verdict:
    """Hold an answer, or the error that came instead, against an example."""
    return Verdict(contract.skill, example.name, tuple(_faults(contract, example, answer)))


def _faults(contract: Contract, example: Example, answer: Mapping[str, Any] | Exception) -> Iterator[str]:
    if isinstance(answer, Exception):
        said = refusal(answer)
        if not example.refuses:
            yield f"it was refused: {said[:300]}"
        elif _folded(example.refuses) not in _folded(said):
            yield f"it was refused with other words than {example.refuses!r}: {said[:300]}"
    elif example.refuses:
        yield f"it had to be refused ({example.refuses!r}), and the answer was {_short(answer)}"
    else:
        allowed = {**contract.tolerance, **example.tolerance}
        yield from _differences(example.expect, answer, (), allowed)


def _differences(wanted: Any, got: Any, path: tuple[str, ...], allowed: Mapping[str, Tolerance]) -> Iterator[str]:
    """Every promise that is not kept, with its path."""
    tolerance = _tolerance(path, allowed)
    if tolerance is not None:
        yield from _within(wanted, got, path, tolerance, allowed)
    elif isinstance(wanted, Mapping) and isinstance(got, Mapping):
        for key, part in wanted.items():
            if key not in got:
                yield f"{_at((*path, str(key)))}: {_short(part)} is promised, and there is nothing"
            else:
                yield from _differences(part, got[key], (*path, str(key)), allowed)
    elif isinstance(wanted, list) and isinstance(got, list):
        if len(wanted) != len(got):
            yield f"{_at(path)}: {len(wanted)} are promised ({_short(wanted)}), {len(got)} came ({_short(got)})"
            return
        for index, (one, other) in enumerate(zip(wanted, got, strict=True)):
            yield from _differences(one, other, (*path, str(index)), allowed)
    elif isinstance(wanted, bool) != isinstance(got, bool) or wanted != got:
        yield f"{_at(path)}: {_short(wanted)} is promised, {_short(got)} came"


def _within(
    wanted: Any, got: Any, path: tuple[str, ...], tolerance: Tolerance, allowed: Mapping[str, Tolerance]
) -> Iterator[str]:
    """The same at a path that has a tolerance."""
    kept = {key: value for key, value in allowed.items() if not _meets(key, path)}
    if tolerance.set or tolerance.subset:
        yield from _unordered(wanted, got, path, kept, whole=tolerance.set)
    elif tolerance.contains or tolerance.lacks:
        text = _folded(got if isinstance(got, str) else " ".join(_texts(got)))
        for part in wanted if isinstance(wanted, list) else [wanted]:
            if (_folded(str(part)) in text) == tolerance.lacks:
                yield f"{_at(path)}: {'must not hold' if tolerance.lacks else 'does not hold'} {part!r}: {_short(got)}"
    elif tolerance.text is not None:
        found = SequenceMatcher(None, _folded(str(wanted)), _folded(str(got)), autojunk=False).ratio()
        if found < tolerance.text:
            yield f"{_at(path)}: is {found:.2f} like {_short(wanted)}, {tolerance.text} is promised: {_short(got)}"
    elif not (_number(wanted) and _number(got)):
        yield from _differences(wanted, got, path, kept)
    elif abs(wanted - got) > max(tolerance.number or 0, (tolerance.share or 0) * abs(wanted)):
        yield f"{_at(path)}: {wanted} is promised, {got} came, which is too far away"


def _unordered(
    wanted: Any, got: Any, path: tuple[str, ...], allowed: Mapping[str, Tolerance], *, whole: bool
) -> Iterator[str]:
    """Items in any order; ``whole`` when no further one may be there."""
    if not isinstance(wanted, list) or not isinstance(got, list):
        yield f"{_at(path)}: a list is promised, {_short(got)} came"
        return
    left = list(got)
    for item in wanted:
        found = next((one for one in left if not any(_differences(item, one, (*path, "0"), allowed))), None)
        if found is None:
            yield f"{_at(path)}: {_short(item)} is promised and not there: {_short(got)}"
        else:
            left.remove(found)
    if whole and left and len(wanted) != len(got):
        yield f"{_at(path)}: {_short(left[0])} came and is not promised"


def _tolerance(path: tuple[str, ...], allowed: Mapping[str, Tolerance]) -> Tolerance | None:
    """The tolerance of a path, None when everything has to be equal."""
    return next((value for key, value in allowed.items() if _meets(key, path)), None)


def _meets(key: str, path: tuple[str, ...]) -> bool:
    """Whether a path with ``*`` for any item names this place."""
    parts = key.split(".") if key else []
    return len(parts) == len(path) and all(part in ("*", here) for part, here in zip(parts, path, strict=True))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from _texts(part)
    elif value is not None:
        yield str(value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _at(path: tuple[str, ...]) -> str:
    return ".".join(path) or "the output"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
