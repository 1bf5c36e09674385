"""Measures a source tree with ast and names what lies beyond the code budgets; runs nothing of what it measures."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Def = ast.FunctionDef | ast.AsyncFunctionDef

IGNORE = re.compile(r"#\s*type:\s*ignore(\[[\w, -]+\])?(\s+#\s*\S+)?")
NOT_NOUNS = ("Service", "Manager", "Handler", "Helper", "Helpers", "Util", "Utils")
LATE_IMPORTS = (
    "cli/",
    "stages/runtime/",
    "stages/memory/looking",
    "engine/local",
    "engine/sandbox",
    "engine/recall",
    "plugins/",
    "app",
    "engine/store/migrate",
    "engine/worker_main",
    "web/server",
)
"""Rooms that may import inside functions, for the sake of start-up time."""


@dataclass(frozen=True)
class Function:
    """One function or method: where it stands, its length and the shape of its signature."""

    place: str
    lines: int
    positional: int
    annotated: bool
    public: bool
    documented: bool


@dataclass
class Figures:
    """All that was measured below one folder; ``faults`` are sentences with a place each."""

    lines: dict[str, int] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    classes: int = 0
    documented_classes: int = 0
    broad_excepts: int = 0
    type_ignores: int = 0
    faults: list[str] = field(default_factory=list)


def measure(root: Path, *, module_ceiling: int = 600) -> Figures:
    """Figures of every Python file below ``root``; the faults of single places are already in them."""
    figures = Figures()
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, filename=name)
        figures.lines[name] = len(text.splitlines())
        if figures.lines[name] > module_ceiling:
            figures.faults.append(f"{name}: {figures.lines[name]} lines, the ceiling is {module_ceiling}")
        if text.strip() and not ast.get_docstring(tree):
            figures.faults.append(f"{name}: no module docstring")
        _classes(figures, name, tree)
        _functions(figures, name, tree)
        _comments(figures, name, text, tree)
    return figures


def _classes(figures: Figures, name: str, tree: ast.Module) -> None:
    """Count public classes and their docstrings; refuse names that say nothing."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        if node.name.endswith(NOT_NOUNS):
            figures.faults.append(f"{name}:{node.lineno}: class {node.name} is not called by a noun of the trade")
        if not node.name.startswith("_"):
            figures.classes += 1
            figures.documented_classes += ast.get_docstring(node) is not None


def _functions(figures: Figures, name: str, tree: ast.Module) -> None:
    """Measure each function; name those beyond a ceiling."""
    for node, method in _defs(tree):
        arguments = [*node.args.posonlyargs, *node.args.args]
        bound = arguments[1:] if method and arguments and arguments[0].arg in ("self", "cls") else arguments
        every = [*bound, *node.args.kwonlyargs, *filter(None, (node.args.vararg, node.args.kwarg))]
        found = Function(
            place=f"{name}:{node.lineno} {node.name}",
            lines=(node.end_lineno or node.lineno) - node.lineno + 1,
            positional=len(bound),
            annotated=node.returns is not None and all(a.annotation is not None for a in every),
            public=not node.name.startswith("_"),
            documented=ast.get_docstring(node) is not None,
        )
        figures.functions.append(found)
        if found.lines > 90:
            figures.faults.append(f"{found.place}: {found.lines} lines, the ceiling is 90")
        if found.positional > 5:
            figures.faults.append(f"{found.place}: {found.positional} positional parameters, at most 5")
        if not name.startswith(LATE_IMPORTS):
            figures.faults += [f"{found.place}: line {line} imports inside a function" for line in _imports(node)]


def _defs(tree: ast.AST, inside_class: bool = False) -> Iterator[tuple[Def, bool]]:
    """Every function with whether it is a method."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Def):
            yield node, inside_class
        yield from _defs(node, isinstance(node, ast.ClassDef))


def _imports(function: Def) -> list[int]:
    """Lines of the imports that stand inside one function."""
    return [node.lineno for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]


def _comments(figures: Figures, name: str, text: str, tree: ast.Module) -> None:
    """Type-ignores need a code and a reason, broad excepts a reason."""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        match = IGNORE.search(line)
        if match and "IGNORE = re" not in line:
            figures.type_ignores += 1
            if not (match[1] and match[2]):
                figures.faults.append(f"{name}:{number}: type: ignore without a code and a reason")
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type):
            figures.broad_excepts += 1
            if not re.sub(r"#\s*noqa:?[\sA-Z0-9,]*", "", lines[node.lineno - 1]).partition("#")[2].strip(" -:"):
                figures.faults.append(f"{name}:{node.lineno}: a broad except without a reason beside it")


def _is_broad(kind: ast.expr | None) -> bool:
    """Whether an except clause catches everything."""
    names = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(n is None or (isinstance(n, ast.Name) and n.id in ("Exception", "BaseException")) for n in names)


def beyond(figures: Figures) -> list[str]:
    """Every fault: single places first, then the shares and medians that lie beyond their budget."""
    faults = list(figures.faults)
    sizes = [f.lines for f in figures.functions]
    over = sum(size > 50 for size in sizes) / max(1, len(sizes))
    if (middle := statistics.median(figures.lines.values())) > 130:
        faults.append(f"modules: median {middle:.0f} lines, the budget is 130")
    if (tail := percentile(sizes, 90)) > 28:
        faults.append(f"functions: 90th percentile {tail} lines, the budget is 28")
    if over >= 0.02:
        faults.append(f"functions: {over:.1%} are over 50 lines, the budget is under 2 %")
    if figures.documented_classes < 0.95 * figures.classes:
        faults.append(f"classes: {figures.documented_classes} of {figures.classes} public ones have a docstring")
    faults += [f"{f.place}: not fully annotated" for f in figures.functions if not f.annotated]
    return faults


def percentile(values: Sequence[int], share: int) -> int:
    """The value at or below which ``share`` percent of the values lie (nearest rank); 0 for none."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)] if ordered else 0


def table(figures: Figures) -> str:
    """The figures as the lines a person reads in the build's output."""
    modules, sizes = list(figures.lines.values()), [f.lines for f in figures.functions]
    public = [f for f in figures.functions if f.public]
    thousands = max(1, sum(modules)) / 1000

    def row(name: str, values: Sequence[int]) -> str:
        middle = statistics.median(values) if values else 0
        return f"{name:<22}{middle:>7.0f}{percentile(values, 90):>7}{max(values, default=0):>7}"

    over = [f for f in figures.functions if f.lines > 50]
    broad, ignores = figures.broad_excepts, figures.type_ignores
    return "\n".join(
        (
            f"{len(modules)} modules, {sum(modules)} lines, {len(sizes)} functions",
            f"{'':<22}{'median':>7}{'p90':>7}{'max':>7}",
            row("module lines", modules),
            row("function lines", sizes),
            f"functions over 50       {len(over) / max(1, len(sizes)):.1%} ({len(over)})",
            f"public docstrings       classes {figures.documented_classes}/{figures.classes}, "
            f"functions {sum(f.documented for f in public)}/{len(public)}",
            f"annotated               {sum(f.annotated for f in figures.functions)}/{len(sizes)}",
            f"broad excepts           {broad} ({broad / thousands:.2f} per 1,000 lines)",
            f"type-ignores            {ignores} ({ignores / thousands:.2f} per 1,000 lines)",
        )
    )
