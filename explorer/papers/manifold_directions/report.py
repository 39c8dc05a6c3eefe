"""One measurement as text, JSON, CSV or LaTeX, with the paper's numbers of that model beside it."""

from explorer.papers.base import Filled, Row
from explorer.papers.report import ITEMS, find_item

from .accuracy import HEADINGS
from .finding import differences, where
from .measured import AccuracyTable, Table
from .published import TABLE_1, TABLE_2
from .tables import MANIFOLD_DIRECTIONS


def report(table: Table, form: str) -> str:
    """`form` is one of text, json, csv and latex."""
    kind, number = ("table", 1) if isinstance(table, AccuracyTable) else ("figure", 3)
    return ITEMS[form](
        "manifold_directions", MANIFOLD_DIRECTIONS, find_item(MANIFOLD_DIRECTIONS, kind, number), "measured",
        f"one checkpoint; the whole item: --paper manifold_directions --{kind} {number}.", filled(table),
    )  # fmt: skip


def filled(table: Table) -> Filled:
    """Accuracies in percent; or of an attack, by how much it raises the large and the small eigenvalues of each class, and its energy."""
    common = {"differences": differences(table, table.checkpoint), "source": where(table)}
    if isinstance(table, AccuracyTable):
        first, second = TABLE_1.get(table.checkpoint, (None,) * 4), TABLE_2.get(table.checkpoint, (None,) * 3)
        paper = (*first, second[0], None)
        row = Row(table.checkpoint, paper, _percent(table.accuracies), _percent(table.standard_errors), **common)
        return Filled(HEADINGS, (row,), "Test accuracies in percent; under attack what the attack found, an upper bound.")
    rows = [Row(f"class {name}", (), (*ratio, None), **common) for name, ratio in zip(table.classes, table.ratios())]
    means = tuple(sum(column) / len(table.classes) for column in zip(*table.ratios()))
    rows.append(Row("mean of all classes", (), (*means, table.energy_beyond()), **common))
    note = f"Attack {table.attack}: sums of the {table.large} large eigenvalues and of the others, over those of the clean images; energy: the attack's share beyond those directions."
    return Filled(("large", "small", "energy in small"), tuple(rows), note)


def _percent(values: tuple[float | None, ...]) -> tuple[float | None, ...]:
    return tuple(None if value is None else 100 * value for value in values)
