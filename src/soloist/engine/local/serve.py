"""Serve: the calls ``local.*`` that the worker answers beside the skills of plugins; models load on first use."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from soloist.engine.local.wants import Wants
from soloist.kernel.errors import BadConfig, SoloistError
from soloist.sdk import Registry, Skill, skill

if TYPE_CHECKING:
    from soloist.engine.local.embedder import Embedder
    from soloist.engine.local.model import Example, Model

DATA = Path(__file__).parents[1] / "local_data"
SHIPPED = DATA / "kind.npz"
ENGLISH = "en"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(_Value):
    """Own words of a message; ``model`` is the path of a fitted file, "" for the shipped one."""

    subject: str = ""
    text: str
    signature: str = ""
    language: str = "en"
    model: str = ""


class Prediction(_Value):
    """What the model makes of a message; no probabilities when no model could be read, ``trouble`` says why."""

    model: str = ""
    part: str = ""
    probabilities: dict[str, float] = {}
    in_scope: bool = False
    nearest: dict[str, Any] | None = None
    scores: dict[str, int] = {}
    trouble: str = ""


class LongText(_Value):
    """A text of which at most ``sentences`` are wanted."""

    text: str
    language: str = "en"
    sentences: int = 3


class Summary(_Value):
    """Sentences as {text, start, end} in the order of the text."""

    sentences: list[dict[str, Any]]


class Labelled(_Value):
    """A message whose kind a person told."""

    label: str
    subject: str = ""
    text: str
    lang: str = "en"


class Labels(_Value):
    """The operator's own examples, each counting ``weight`` times a shipped one; ``model`` is the one in use."""

    examples: list[Labelled] = []
    weight: float = 4.0
    model: str = ""


class Fitted(_Value):
    """A model's file (base64), its sha256, what it knows about itself, and how many of the own labels it repeats:
    ``own_right``, and ``own_before`` of the model in use."""

    file: str
    sha256: str
    meta: dict[str, Any]
    own: int
    own_right: int
    own_before: int


class Texts(_Value):
    """Texts that want vectors; none only asks which model there is."""

    texts: list[str] = []


class Meanings(_Value):
    """Vectors in order (base64 of 384 little-endian 16-bit numbers, 32767 is one) and the files that made them;
    ``trouble`` says why there are none."""

    vectors: list[str] = []
    name: str = ""
    sha256: str = ""
    tokenizer: str = ""
    size: int = 0
    trouble: str = ""


class Nothing(_Value):
    """No input."""


class State(_Value):
    """The shipped model and the embedder; ``troubles`` are sentences for doctor."""

    model: str
    examples: int
    embedder: bool
    troubles: list[str]


def shipped_lines() -> Iterator[dict[str, Any]]:
    """The shipped examples, file by file."""
    for path in sorted(DATA.glob("examples-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield json.loads(line)


class Local:
    """What one worker process has loaded."""

    def __init__(self, plugins: Registry) -> None:
        """``plugins`` hold the skill ``kind``, whose word rules have a vote; without it they have none."""
        self._rules = plugins.skills.get("kind")
        self._models: dict[str, Model] = {}
        self._embedder: Embedder | None = None
        self._trouble = ""
        self.wants = Wants(self)

    def skills(self) -> list[Skill]:
        """The calls, as skills."""
        calls: dict[str, Callable[..., BaseModel]] = {
            "classify": self.classify,
            "summary": self.summary,
            "fit": self.fit,
            "embed": self.embed,
        }
        calls |= {"warm": self.warm, "fit_intents": self.wants.fit, "intent": self.wants.tell}
        return [skill(f"local.{name}", version="1")(call) for name, call in calls.items()]

    def classify(self, value: Message) -> Prediction:
        """What kind a message is, with probabilities and the example it is closest to."""
        from soloist.engine.local.model import as_read

        scores = self._scores(value.subject, value.text, value.signature, value.language)
        trouble = ""
        try:
            model = self._model(value.model)
        except BadConfig as error:
            trouble = error.detail
            try:
                model = self._model("")
            except BadConfig as worse:
                return Prediction(scores=scores, trouble=worse.detail)
        embedder = self._embeds() if value.language == ENGLISH else None
        meaning = embedder([as_read(value.subject, value.text)])[0] if embedder else None
        found = model.predict(value.subject, value.text, scores=scores, meaning=meaning)
        return Prediction(**found, scores=scores, trouble=trouble or self._trouble)

    def summary(self, value: LongText) -> Summary:
        """The sentences of a text that say most of it, verbatim."""
        from soloist.engine.local.summary import summarise

        embedder = self._embeds() if value.language == ENGLISH else None
        return Summary(sentences=summarise(value.text, value.sentences, _short(embedder) if embedder else None))

    def embed(self, value: Texts) -> Meanings:
        """Vectors of texts, for comparing them by meaning."""
        from soloist.engine.local import embedder as files

        embedder = self._embeds()
        if embedder is None:
            return Meanings(trouble=self._trouble)
        vectors = []
        if value.texts:
            import numpy as np

            whole = np.rint(embedder(value.texts).astype(np.float64) * 32_767).astype("<i2")
            vectors = [base64.b64encode(row.tobytes()).decode() for row in whole]
        named = {"name": files.NAME, "sha256": files.MODEL_SHA256, "tokenizer": files.VOCABULARY_SHA256}
        return Meanings(vectors=vectors, **named, size=files.SIZE)

    def fit(self, value: Labels) -> Fitted:
        """Fit a model from the shipped examples and the operator's own; takes some seconds."""
        from soloist.engine.local import model
        from soloist.engine.local.embedder import MODEL_SHA256

        own = [self._example(line.model_dump(), weight=value.weight) for line in value.examples]
        shipped = [self._example(line) for line in shipped_lines()]
        embedder = self._embeds()
        data = model.fit([*shipped, *own], embedder, MODEL_SHA256)
        fitted = model.Model(data)
        meta = {key: fact for key, fact in fitted.meta.items() if key != "shown"}
        counts = {"own": len(own), "own_right": self._right(fitted, own), "own_before": self._before(value.model, own)}
        return Fitted(file=base64.b64encode(data).decode(), sha256=fitted.sha256, meta=meta, **counts)

    def warm(self, value: Nothing) -> State:
        """Load everything, so that the next call is quick; tells what could not be loaded."""
        troubles, name, examples = [], "", 0
        try:
            model = self._model("")
            name, examples = model.name, int(model.meta["examples"])
        except BadConfig as error:
            troubles.append(error.detail)
        embedder = self._embeds()
        if embedder is None:
            troubles.append(self._trouble)
        else:
            embedder(["warm"])
        return State(model=name, examples=examples, embedder=embedder is not None, troubles=troubles)

    def _before(self, model: str, own: list[Example]) -> int:
        """How many of the own labels the model in use repeats, 0 when it cannot be read."""
        try:
            return self._right(self._model(model), own)
        except BadConfig:
            return 0

    def _right(self, model: Model, own: list[Example]) -> int:
        """How many of the own labels a model repeats."""
        return sum(self._says(model, example) == example.label for example in own)

    def _says(self, model: Model, example: Example) -> str:
        """The kind a model finds most likely for an example."""
        from soloist.engine.local.model import as_read

        embedder = self._embeds() if example.lang == ENGLISH else None
        meaning = embedder([as_read(example.subject, example.text)])[0] if embedder else None
        found = model.predict(example.subject, example.text, scores=example.scores, meaning=meaning)["probabilities"]
        return str(max(found, key=found.get))

    def _example(self, line: dict[str, Any], weight: float = 0.0) -> Example:
        """A line of a file of examples, or a label of the operator's when it has a weight."""
        from soloist.engine.local.model import Example

        scores = self._scores(line["subject"], line["text"], "", line["lang"])
        own = weight > 0
        made = bool(line.get("made"))
        return Example(line["label"], line["subject"], line["text"], line["lang"], scores, weight or 1.0, own, made)

    def _scores(self, subject: str, text: str, signature: str, language: str) -> dict[str, int]:
        """The scores of the word rules, none when there are no such rules."""
        if self._rules is None:
            return {}
        given = {"subject": subject, "own_text": text, "signature": signature, "language": language}
        try:
            return dict(self._rules.call(given)["scores"])
        except SoloistError:
            return {}

    def _model(self, path: str) -> Model:
        """The fitted file at ``path``, read once; BadConfig when it is missing or damaged."""
        from soloist.engine.local.model import Model

        if path not in self._models:
            place = Path(path) if path else SHIPPED
            try:
                data = place.read_bytes()
            except OSError as error:
                raise BadConfig(f"The model {place} cannot be read ({error.strerror}).") from error
            named = place.stem.rpartition("-")[2] if path else ""
            if named and not hashlib.sha256(data).hexdigest().startswith(named):
                raise BadConfig(f"The model {place} was changed after it was fitted.")
            self._models = {path: Model(data)}
        return self._models[path]

    def _embeds(self) -> Embedder | None:
        """The embedder, None when its files are missing or wrong; that is tried once and told each time."""
        from soloist.engine.local.embedder import Embedder

        if self._embedder is None and not self._trouble:
            try:
                self._embedder = Embedder()
            except BadConfig as error:
                self._trouble = error.detail
            except (ImportError, MemoryError, RuntimeError, OSError) as error:
                self._trouble = f"The embedder could not be loaded ({type(error).__name__}: {str(error)[:200]})."
        return self._embedder


def _short(embedder: Embedder) -> Any:
    """The embedder for single sentences."""
    return lambda texts: embedder(texts, 40)
