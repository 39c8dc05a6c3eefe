"""The papers' tables and figures as text, JSON, CSV or LaTeX."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from explorer.errors import UnknownName
from explorer.registry import look_up

from .base import Filled, Item, Paper, status
from .results import Results

NOTHING = "—"
TEX = {"%": r"\%", "_": r"\_", "&": r"\&", "#": r"\#", "ℓ∞": r"$\ell_\infty$", "ε": r"$\epsilon$", "±": r"$\pm$", NOTHING: "--"}


def find_item(paper: Paper, kind: str, number: int) -> Item:
    """The paper's table or figure of that number. Raises UnknownName saying which there are."""
    items = {item.number: item for item in paper.items if item.kind == kind}
    if number not in items:
        there = f"{kind} {min(items)} only" if len(items) == 1 else f"{kind} {min(items)} to {max(items)}"
        raise UnknownName(f"{paper.short_name} has no {kind} {number}. It has {there}.")
    return items[number]


def listing(papers: dict[str, Paper], results: Results, form: str) -> str:
    """Every table and figure with its status."""
    rows = [
        {"paper": stem, "kind": item.kind, "number": item.number, "caption": item.caption, "status": state, "how": how}
        for stem, paper in papers.items()
        for item in paper.items
        for state, how in [status(item, results)]
    ]
    return look_up(LISTINGS, form, "format")(rows, papers)


def item_report(stem: str, paper: Paper, item: Item, results: Results, form: str) -> str:
    """One table or figure: the paper's numbers, ours, and what keeps them from being a reproduction."""
    state, how = status(item, results)
    filled = item.fill(results) if item.fill else Filled((), ())
    return look_up(ITEMS, form, "format")(stem, paper, item, state, how, filled)


def measured_item(stem: str, paper: Paper, item: Item, kind: str) -> Callable[[Any, Path, str], str]:
    """Of one results file of that kind, the rows of a table or figure that it fills."""

    def report(table: Any, path: Path, form: str) -> str:
        results = Results(((kind, table, path),))
        filled = item.fill(results)
        filled = replace(filled, rows=tuple(row for row in filled.rows if row.measured is not None))
        state = ("measured", "beside the paper's models.") if all(row.own for row in filled.rows) else status(item, results)
        return look_up(ITEMS, form, "format")(stem, paper, item, *state, filled)

    return report


def summary(papers: dict[str, Paper], results: Results) -> str:
    """How many tables and figures there are, and how far they are."""
    items = [item for paper in papers.values() for item in paper.items]
    states = [status(item, results)[0] for item in items]
    tables = sum(item.kind == "table" for item in items)
    counts = ", ".join(f"{states.count(state)} {state}" for state in ("done", "short run", "not run"))
    return f"{tables} tables, {len(items) - tables} figures: {counts}"


def table_rows(filled: Filled) -> list[dict]:
    """A line for each row of numbers: of the paper, measured, and its standard errors."""
    lines = []
    for row in filled.rows:
        ours = f"measured, {row.variant}" if row.variant else "measured" if row.source else "computed"
        kinds = {"paper": row.paper, ours: row.measured, "± standard error": row.standard_errors}
        for kind, values in kinds.items():
            if values and any(value is not None for value in values):
                lines.append({"row": row.label, "of": kind, **dict.fromkeys(filled.columns), **dict(zip(filled.columns, values))})
        if row.measured is None:
            lines.append({"row": row.label, "of": "not run", **{column: None for column in filled.columns}})
    return lines


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4g}"


def _text_list(rows, papers):
    lines = []
    for stem, paper in papers.items():
        lines += ["", f"{stem}: {paper.citation}"]
        lines += [f"  {row['kind']:6} {row['number']:2}  {row['status']:9}  {row['caption']}: {row['how']}" for row in rows if row["paper"] == stem]
    return "\n".join(lines[1:])


def _csv(rows: list[dict]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]) if rows else ["empty"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _latex(rows: list[dict], columns: list[str]) -> str:
    """A tabular; characters that TeX reserves are escaped."""
    body = " \\\\\n".join(" & ".join(_tex(row[column]) for column in columns) for row in rows)
    heading = " & ".join(_tex(column) for column in columns)
    return f"\\begin{{tabular}}{{{'l' * len(columns)}}}\n{heading} \\\\ \\hline\n{body} \\\\\n\\end{{tabular}}"


def _tex(value) -> str:
    text = _number(value) if isinstance(value, float) or value is None else str(value)
    for plain, escaped in TEX.items():
        text = text.replace(plain, escaped)
    return text


def _item_text(stem, paper, item, state, how, filled):
    lines = [f"{paper.short_name}, {item.kind} {item.number}: {item.caption}", f"{state}: {how}"]
    if filled.note:
        lines.append(filled.note)
    width = max([len(row.label) for row in filled.rows], default=0) + 2
    wide = max([len(line["of"]) for line in table_rows(filled)], default=0)
    if filled.columns:
        lines += ["", f"{'':{width}}{'':{wide}}" + "".join(f"{column:>{max(len(column), 8) + 2}}" for column in filled.columns)]
    for line in table_rows(filled):
        cells = "".join(f"{_number(line[column]):>{max(len(column), 8) + 2}}" for column in filled.columns)
        lines.append(f"{line['row']:{width}}{line['of']:{wide}}{cells}")
    said: dict[str, list[str]] = {}
    for row in filled.rows:
        if row.source:
            made = "at the paper's settings" if not row.differences else f"not a reproduction: {', '.join(row.differences)}"
            said.setdefault(f"{made}; from {row.source}", []).append(row.label)
        elif row.measured is None:
            said.setdefault(row.missing + (f". {row.command}" if row.command else ""), []).append(row.label)
    lines += [f"{labels[0]}{f' to {labels[-1]}' if labels[1:] else ''}: {what}" for what, labels in said.items()]
    return "\n".join(lines)


def _item_json(stem, paper, item, state, how, filled):
    head = {"paper": stem, "kind": item.kind, "number": item.number, "caption": item.caption, "status": state, "how": how}
    return json.dumps({**head, **asdict(filled)}, indent=1)


def _item_latex(stem, paper, item, state, how, filled):
    return _latex(table_rows(filled), ["row", "of", *filled.columns])


LISTINGS: dict[str, Callable[..., str]] = {
    "text": _text_list,
    "json": lambda rows, papers: json.dumps(rows, indent=1),
    "csv": lambda rows, papers: _csv(rows),
    "latex": lambda rows, papers: _latex(rows, ["paper", "kind", "number", "caption", "status", "how"]),
}
ITEMS: dict[str, Callable[..., str]] = {
    "text": _item_text,
    "json": _item_json,
    "csv": lambda stem, paper, item, state, how, filled: _csv(table_rows(filled)),
    "latex": _item_latex,
}
