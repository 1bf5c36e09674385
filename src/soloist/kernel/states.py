"""Declared state machines, checked when they are imported; they decide which move is legal and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from soloist.kernel.errors import Conflict


@dataclass(frozen=True)
class Machine:
    """States and allowed moves of one noun: one start, no orphan, an end that can be reached from everywhere."""

    noun: str
    start: str
    moves: Mapping[str, Set[str]]
    ends: Set[str] = frozenset()
    """States a life may rest in; by itself those that nothing leaves."""

    def __post_init__(self) -> None:
        """Refuse a machine with an unknown target, an unreachable state or no way to an end (ValueError)."""
        states = set(self.moves)
        if not self.ends:
            object.__setattr__(self, "ends", frozenset(s for s, targets in self.moves.items() if not targets))
        unknown = {t for targets in self.moves.values() for t in targets} - states
        if unknown or self.start not in states:
            raise ValueError(f"{self.noun}: unknown states {sorted(unknown) or self.start}")
        if orphans := states - self._reachable(self.start):
            raise ValueError(f"{self.noun}: no way leads to {sorted(orphans)}")
        if stuck := {s for s in states if not self._reachable(s) & self.ends}:
            raise ValueError(f"{self.noun}: no end can be reached from {sorted(stuck)}")

    @property
    def states(self) -> frozenset[str]:
        """Every state of this machine."""
        return frozenset(self.moves)

    def check(self, old: str, new: str) -> None:
        """Raise Conflict, naming both states, unless ``old -> new`` is a declared move."""
        if new not in self.moves.get(old, frozenset()):
            allowed = ", ".join(sorted(self.moves.get(old, frozenset()))) or "nothing"
            raise Conflict(f"A {self.noun} that is {old} cannot become {new}; from here it can become: {allowed}.")

    def _reachable(self, start: str) -> set[str]:
        """Walk the moves from ``start``, which counts itself."""
        seen, todo = {start}, [start]
        while todo:
            for target in self.moves[todo.pop()]:
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
        return seen
