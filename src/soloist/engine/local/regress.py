"""Regression: multinomial logistic regression in numpy with one temperature and a gate; no data, no files.

The same input gives the same weights: full batches, a fixed start, a fixed number of steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[Any]]

STEPS = 80
_KEPT = 10
"""Pairs of steps the curvature is read from."""


def softmax(logits: Array) -> Array:
    """Rows that add up to 1."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def fit(rows: Array, labels: Array, kinds: int, *, penalty: float, weights: Array | None = None) -> tuple[Array, Array]:
    """Weights (columns x kinds) and offsets (kinds) of the smallest penalised loss; ``labels`` are kind numbers.

    ``weights`` say how much each row counts (1 by default); ``penalty`` is on the squared weights of the mean loss.
    Rows of float32 are multiplied as such, which is faster.
    """
    count = np.ones(len(rows)) if weights is None else np.asarray(weights, float)
    count = count / count.sum()
    wanted = np.eye(kinds)[labels]
    size = rows.shape[1]

    def slope(flat: Array) -> tuple[float, Array]:
        matrix = flat.reshape(size + 1, kinds)
        logits = rows @ matrix[:-1].astype(rows.dtype) + matrix[-1]
        top = logits.max(1, keepdims=True)
        normal = top[:, 0] + np.log(np.exp(logits - top).sum(1))
        loss = float(count @ (normal - logits[np.arange(len(labels)), labels]))
        loss += 0.5 * penalty * float((matrix[:-1] ** 2).sum())
        miss = (np.exp(logits - normal[:, None]) - wanted) * count[:, None]
        return loss, np.vstack([rows.T @ miss.astype(rows.dtype) + penalty * matrix[:-1], miss.sum(0)]).ravel()

    best = _descend(slope, np.zeros((size + 1) * kinds)).reshape(size + 1, kinds)
    return best[:-1], best[-1]


def _descend(slope: Callable[[Array], tuple[float, Array]], at: Array) -> Array:
    """The lowest point that L-BFGS finds: the direction from the last steps, halved until it goes down."""
    loss, gradient = slope(at)
    steps: list[tuple[Array, Array]] = []
    for _ in range(STEPS):
        way = -_curved(gradient, steps)
        slant = float(gradient @ way)
        if slant >= 0 or float(np.abs(gradient).max()) < 1e-7:
            break
        length = 1.0
        for _ in range(30):
            new_loss, new_gradient = slope(at + length * way)
            if new_loss <= loss + 1e-4 * length * slant:
                break
            length *= 0.5
        else:
            break
        step, change = length * way, new_gradient - gradient
        at, loss, gradient = at + step, new_loss, new_gradient
        if float(step @ change) > 1e-14:
            steps = [*steps[1 - _KEPT :], (step, change)]
    return at


def _curved(gradient: Array, steps: list[tuple[Array, Array]]) -> Array:
    """The gradient times what the last steps tell of the inverse curvature (the two loops of L-BFGS)."""
    way = gradient.copy()
    shares = []
    for step, change in reversed(steps):
        share = float(step @ way) / float(step @ change)
        way -= share * change
        shares.append(share)
    if steps:
        step, change = steps[-1]
        way *= float(step @ change) / float(change @ change)
    for (step, change), share in zip(steps, reversed(shares), strict=True):
        way += step * (share - float(change @ way) / float(step @ change))
    return way


def temperature(logits: Array, labels: Array) -> float:
    """What logits of messages that were not fitted are divided by, so that their probabilities come true."""
    tried = np.geomspace(0.1, 5, 80)
    index = np.arange(len(labels))
    losses = [-np.log(softmax(logits / one)[index, labels] + 1e-12).mean() for one in tried]
    return float(tried[int(np.argmin(losses))])


def folds(labels: Array, count: int = 5) -> Array:
    """A fold number a row: the rows of each kind are dealt out in turn."""
    out = np.zeros(len(labels), int)
    for kind in np.unique(labels):
        of_kind = np.flatnonzero(labels == kind)
        out[of_kind] = (np.arange(len(of_kind)) * 7 + int(kind)) % count
    return out


def blocks(rows: Array, labels: Array, count: int = 5) -> Array:
    """A fold number a row: of each kind, the rows that are most alike stand in one fold.

    A row that was left out beside its own neighbours is told more surely than a message nobody has seen; what is left
    out with them is told about as surely as that, so a temperature is measured on these.
    """
    out = np.zeros(len(labels), int)
    for kind in np.unique(labels):
        of_kind = np.flatnonzero(labels == kind)
        mine = rows[of_kind] - rows[of_kind].mean(0)
        along = np.linalg.svd(mine, full_matrices=False)[0][:, 0]
        order = of_kind[np.argsort(along, kind="stable")]
        out[order] = (np.arange(len(order)) * count // len(order) + int(kind)) % count
    return out


def coordinates(likeness: Array) -> Array:
    """Rows whose products are the given likeness (a symmetric matrix without negative eigenvalues): many columns
    of n-grams become as many as there are rows, and the fitted weights are the same."""
    values, vectors = np.linalg.eigh(likeness)
    kept = values > 1e-6 * values[-1]
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))
