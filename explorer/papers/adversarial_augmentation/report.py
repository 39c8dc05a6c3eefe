"""One measurement as text, JSON, CSV or LaTeX, with the paper's numbers of that training beside it."""

from explorer.papers.base import Filled, Item, Paper, Row
from explorer.papers.report import ITEMS

from .finding import differences, where
from .measured import BALLS, CorruptionTable, Table
from .published import TABLE_1, TABLE_8
from .tables import COLUMNS_1, COLUMNS_8

NUMBERS = {"l2 0.5": "ℓ2 0.5", "l2 1.0": "ℓ2 1.0", "linf 1/255": "ℓ∞ 1/255", "linf 2/255": "ℓ∞ 2/255"}


def report(table: Table, form: str, paper: Paper, item: Item) -> str:
    """`form` is one of text, json, csv and latex; `item` is what the measurement belongs to."""
    what = f"one checkpoint; the whole item: --paper adversarial_augmentation --{item.kind} {item.number}."
    return ITEMS[form]("adversarial_augmentation", paper, item, "measured", what, filled(table))


def filled(table: Table) -> Filled:
    """Errors under every corruption; or accuracies in the balls of pixels, in percent."""
    common = {"differences": differences(table, table.checkpoint), "source": where(table)}
    if isinstance(table, CorruptionTable):
        values = (None if table.mce is None else 100 * table.mce, *(None if (value := table.mean(name.replace(" ", "_"))) is None else 100 * value for name in COLUMNS_8[1:]))
        clean = (100 * table.clean, None if table.new is None else 100 * table.new)
        printed = TABLE_1[table.checkpoint][5:7] if table.checkpoint in TABLE_1 else (None, None)
        paper = (*(None if value is None else 100 - value for value in printed), *TABLE_8.get(table.checkpoint, (None,) * len(COLUMNS_8)))
        row = Row(table.checkpoint, paper, (*clean, *values), **common)
        return Filled(("clean", "CIFAR-10.1", *COLUMNS_8), (row,), "Errors in percent, mean of five severities; the mean corruption error is over the 15.")
    printed = TABLE_1.get(table.checkpoint, (None,) * len(COLUMNS_1))
    paper = (printed[5], *(printed[COLUMNS_1.index(NUMBERS[name])] for name in BALLS))
    names = ("clean", *BALLS)
    row = Row(table.checkpoint, paper, tuple(100 * table.accuracies[name] for name in names), tuple(100 * table.standard_errors[name] for name in names), **common)
    return Filled(("clean", *NUMBERS.values()), (row,), "Accuracies in percent; under attack what the attacks found, an upper bound.")
