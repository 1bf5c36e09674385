"""How well messages are read: the measured set of invented messages, by language and by half; it teaches nothing."""

from __future__ import annotations

import sys

from bench.figures import Figure
from tests.story import scoring

ROW = "{:<10}{:>5}{:>8.1%}{:>8.1%}{:>8.1%}{:>9.1%}{:>7}{:>8.1%}{:>8.1%}{:>8.1%}{:>7}{:>9.1%}{:>7.1f}"
HEAD = (
    "",
    "mails",
    "recall",
    "prec.",
    "kind",
    "unwanted",
    "unsure",
    "f.prec",
    "f.rec",
    "f.F1",
    "empty",
    "criteria",
    "ms",
)


def run() -> list[Figure]:
    """The figures of the whole set and of its halves against their targets."""
    found = scoring.results()
    return [
        figure
        for name, rows in {"all": found, **_halves(found)}.items()
        for figure in _figures(f"messages, {name}", scoring.score(rows))
    ]


def _halves(found: tuple[scoring.Result, ...]) -> dict[str, list[scoring.Result]]:
    return {split: [row for row in found if row.case.split == split] for split in ("dev", "held")}


def _figures(name: str, score: scoring.Score) -> list[Figure]:
    """Six figures with a target and what is only shown."""
    fields = ", ".join(f"{key} {value:.1%}" for key, value in score.by_field.items())
    return [
        Figure(f"{name}: lead recall", score.lead_recall, "", ">= 0.98", f"precision {score.lead_precision:.1%}"),
        Figure(f"{name}: field F1", score.field_f1, "", ">= 0.92", fields),
        Figure(f"{name}: unwanted that become cards", 100 * score.unwanted_cards, "%", "< 1.01"),
        Figure(f"{name}: criteria without words", score.without_words, "", "< 1"),
        Figure(f"{name}: kinds right", 100 * score.kind_accuracy, "%", "", f"{score.unsure} unsure"),
        Figure(f"{name}: CPU", score.milliseconds, "ms/message", "< 40", f"longest {score.longest:.1f}"),
    ]


def table() -> str:
    """All figures by half and language as text."""
    found = scoring.results()
    groups = {"all": list(found), **_halves(found)}
    for split in ("dev", "held"):
        for lang in scoring.LANGUAGES:
            groups[f"{split} {lang}"] = [r for r in found if (r.case.split, r.case.lang) == (split, lang)]
    lines = ["{:<10}{:>5}{:>8}{:>8}{:>8}{:>9}{:>7}{:>8}{:>8}{:>8}{:>7}{:>9}{:>7}".format(*HEAD)]
    for name, rows in groups.items():
        s = scoring.score(rows)
        kinds = (s.lead_recall, s.lead_precision, s.kind_accuracy, s.unwanted_cards, s.unsure)
        fields = (s.field_precision, s.field_recall, s.field_f1, s.without_words, s.criteria_accuracy)
        lines.append(ROW.format(name, s.messages, *kinds, *fields, s.milliseconds))
    return "\n".join(lines)


def main() -> int:
    """`python -m bench.messages [dev | held]`: print the table; with the name of a half also what is wrong in it."""
    print(table())
    for split in sys.argv[1:]:
        rows = _halves(scoring.results())[split]
        print(f"\n{split}: " + ", ".join(f"{k} {v:.1%}" for k, v in scoring.score(rows).by_field.items()))
        print("\n".join(line for row in rows for line in scoring.faults(row)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
