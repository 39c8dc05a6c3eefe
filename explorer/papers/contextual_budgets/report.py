"""One measurement as text, JSON, CSV or LaTeX, with the paper's numbers of that model beside it."""

from explorer.papers.base import Filled, Item, Row
from explorer.papers.report import ITEMS, find_item

from .finding import differences, experiment_of, where
from .measured import HEADINGS, SHARES, ErrorTable, FollowedTable, Table, VolumeTable
from .published import APPENDIX_B, TABLE_1, TABLE_2, TABLE_3, TABLE_4, Line
from .tables import CONTEXTUAL_BUDGETS, own_boxes


def report(table: Table, form: str) -> str:
    """`form` is one of text, json, csv and latex."""
    item = _item(table)
    return ITEMS[form]("contextual_budgets", CONTEXTUAL_BUDGETS, item, "measured", "one checkpoint; the whole item: --paper contextual_budgets.", filled(table))


def filled(table: Table) -> Filled:
    """Errors in percent, volumes and budgets in units of pixel intensity."""
    name = experiment_of(table)
    common = {"differences": differences(table, name), "source": where(table), "variant": table.checkpoint if table.checkpoint != name else ""}
    if isinstance(table, ErrorTable):
        columns, paper, values, errors = HEADINGS, _printed(table, name), _percent(table.errors), _percent(table.standard_errors)
        note = f"Errors in percent at ε0 = {table.volume:.4g}. Attacked: a lower bound of the true error in those boxes; verified: an upper one."
    elif isinstance(table, VolumeTable):
        quantiles = [f"{kind}, {share:.0%}" for kind in ("volume", "uniform radius") for share in SHARES]
        columns = (*(f"below {target:.4g}" for target in table.targets), *quantiles, "iterations")
        paper = (*(_liu(name, target) for target in table.targets), *(None for _ in quantiles), None)
        values = (*_percent(table.errors), *table.volumes, *table.radii, table.mean_iterations)
        errors = (*_percent(table.standard_errors), *(None for _ in quantiles), None)
        cut = "" if table.settings["whole"] else " Volumes and radii are cut at the largest target."
        note = f"Liu et al. (2019): percent of images whose largest certified volume is below ε0; quantiles of that volume and of the largest certified radius.{cut}"
    else:
        columns, paper, values, errors = table.names, (), table.means, table.standard_errors
        note = f"At ε0 = {table.volume:.4g}: mean budgets by region; Spearman's correlation of budgets with the margin's gradient, with brightness, and with the digit's mask."
    return Filled(columns, (Row(table.checkpoint, paper, values, errors, **common),), note)


def _item(table: Table) -> Item:
    kinds = {"watermarked": (("table", 3), ("figure", 4)), "doubled": (("table", 4), ("figure", 5)), "organ": (("figure", 6), ("figure", 6)), "cifar10": (("table", 2), ("figure", 3))}
    found = next((items for start, items in kinds.items() if table.dataset.startswith(start)), (("table", 1), ("figure", 2)))
    return find_item(CONTEXTUAL_BUDGETS, *found[isinstance(table, FollowedTable)])


def _line(name: str, volume: float) -> Line | None:
    lines = (*TABLE_1, *TABLE_2, *TABLE_3, *TABLE_4, *APPENDIX_B)
    return next((line for line in lines if line.experiment == name and abs(line.volume - volume) < 1e-6), None)


def _printed(table: ErrorTable, name: str) -> tuple[float | None, ...]:
    line = _line(name, table.volume)
    if line is None:
        return (None,) * len(HEADINGS)
    long = len(line.printed) > 2
    found = {"clean": line.printed[0], f"{own_boxes(table)}, verified": line.printed[1]} if not long else {"clean": line.printed[0], "uniform, verified": line.printed[2], "learned, verified": line.printed[3]}
    return tuple(found.get(heading) for heading in HEADINGS)


def _liu(name: str, target: float) -> float | None:
    line = _line(name, target)
    return line.printed[1] if line and len(line.printed) > 2 else None


def _percent(values: tuple[float | None, ...]) -> tuple[float | None, ...]:
    return tuple(None if value is None else 100 * value for value in values)
