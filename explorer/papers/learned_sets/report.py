"""The quality table beside the paper's, as text, JSON, CSV or LaTeX."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import asdict

from .quality import HEADINGS, PAPER, QualityTable

DISTANCE_NAMES = {"cross_entropy": "mean binary cross-entropy per pixel", "squared_error": "mean squared error per pixel"}


def as_text(table: QualityTable) -> str:
    name, paper = paper_row(table)
    lines = [
        f"{table.checkpoint}: {table.pairs} pairs of the test split, {DISTANCE_NAMES[table.settings['distance']]}, "
        f"PGD with {table.settings['steps']} steps, seed {table.settings['seed']}",
        f"{'':16}{'radius':>10}" + "".join(f"{heading:>16}" for heading in HEADINGS),
        f"{'measured':16}{table.radius:10.3f}" + "".join(f"{mean:16.4f}" for mean in table.means),
        f"{'± standard error':26}" + "".join(f"{error:16.4f}" for error in table.standard_errors),
    ]
    if paper:
        lines.append(f"{'paper, Table 4':16}{paper[0]:10g}" + "".join(f"{value:16g}" for value in paper[1:]))
        lines.append(f"The paper's row is {name}." + caveat(table))
    return "\n".join(lines)


def as_json(table: QualityTable) -> str:
    name, paper = paper_row(table)
    return json.dumps({**asdict(table), "headings": HEADINGS, "paper_row": name, "paper": paper}, indent=1)


def as_csv(table: QualityTable) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["row", "radius", *HEADINGS])
    writer.writerow(["measured", table.radius, *table.means])
    writer.writerow(["standard error", "", *table.standard_errors])
    name, paper = paper_row(table)
    if paper:
        writer.writerow([f"paper {name}", *paper])
    return buffer.getvalue()


def as_latex(table: QualityTable) -> str:
    name, paper = paper_row(table)
    rows = [("measured", table.radius, *table.means), *([("paper", *paper)] if paper else [])]
    body = " \\\\\n".join(" & ".join([row[0], *(f"{value:.3g}" for value in row[1:])]) for row in rows)
    heading = " & ".join(["", "$\\epsilon$", *HEADINGS])
    return f"\\begin{{tabular}}{{l{'r' * (len(HEADINGS) + 1)}}}\n{heading} \\\\ \\hline\n{body} \\\\\n\\end{{tabular}}"


FORMATS: dict[str, Callable[[QualityTable], str]] = {"text": as_text, "json": as_json, "csv": as_csv, "latex": as_latex}


def paper_row(table: QualityTable) -> tuple[str | None, tuple[float, ...] | None]:
    """The row of Table 4 that has the checkpoint's setting, also for a compact variant; None for other data or distances."""
    name = table.checkpoint.removesuffix("-compact")
    if name not in PAPER or table.settings["distance"] != "cross_entropy":
        return None, None
    return name, PAPER[name]


def caveat(table: QualityTable) -> str:
    """What keeps a measured row from being a reproduction, for the reader."""
    name, _ = paper_row(table)
    if name and table.checkpoint != name:
        return f" {table.checkpoint} is narrower and trained for less time: beside it, not a reproduction."
    return ""
