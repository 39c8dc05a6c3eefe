"""Tables 1, 6, 7 and 8 and Figure 4 of the paper, and what is measured of them."""

from collections.abc import Callable
from dataclasses import replace

from explorer.data.corruptions import CORRUPTIONS, STANDARD
from explorer.measuring import plain
from explorer.papers.base import Filled, Row
from explorer.papers.results import Results

from .experiments import EXPERIMENTS
from .finding import Found, best, differences, others, where
from .measured import ATTACKS_KIND, BALLS, CORRUPTIONS_KIND, GROUPS, CorruptionTable
from .published import TABLE_1, TABLE_6, TABLE_7, TABLE_8

COLUMNS_1 = ("mCE", *GROUPS, "clean", "CIFAR-10.1", "ℓ2 0.5", "ℓ2 1.0", "ℓ∞ 1/255", "ℓ∞ 2/255")
COLUMNS_8 = ("mCE", *(name.replace("_", " ") for name in STANDARD))
STEPS_OF, RADII_OF, FIGURE_4_OF = "ada-cifar10-edsr", "ada-cifar10-edsr-augmix-deepaugment", "ada-cifar10-edsr-augmix-deepaugment"
NOTE = "In percent: errors under corruptions, mean of five severities; accuracies clean and under attack, where they are what the attacks found, upper bounds."
OWN = "Further lines are trainings of ours that the paper does not have; the mean corruption error is not weighted on any data."
Numbers = Callable[[CorruptionTable], tuple[float | None, ...]]


def table_1(results: Results) -> Filled:
    """Corruptions, generalisation and attacks."""
    rows = [both(Row(name, printed, command=train_command(name)), best(CORRUPTIONS_KIND, results, name, whole), results) for name, printed in TABLE_1.items()]
    own = [both(Row(_label(found), (None,) * len(COLUMNS_1), own=True), found, results) for found in others(CORRUPTIONS_KIND, results) if whole(found[0])]
    return Filled(COLUMNS_1, (*rows, *own), f"{NOTE} {OWN}")


def table_6(results: Results) -> Filled:
    """The number of inner steps, the step longer in proportion for fewer; 0 is the random start alone."""
    rows = [
        filled_row(Row(f"{steps} steps", printed, command=train_command(STEPS_OF, f"--steps {steps}")), best(CORRUPTIONS_KIND, results, STEPS_OF, _trained(steps=steps)), _with_clean, ("steps",))
        for steps, printed in TABLE_6.items()
    ]
    return Filled(("clean", *COLUMNS_8), (*rows, *_own(results, _with_clean, "steps")), f"Errors in percent, mean of five severities. {OWN}")


def table_7(results: Results) -> Filled:
    """The radius ν of the weights' perturbation."""
    rows = [
        filled_row(Row(f"ν = {radius:g}", printed, command=train_command(RADII_OF, f"--radius {radius:g}")), best(CORRUPTIONS_KIND, results, RADII_OF, _trained(radius=[radius])), each_corruption, ("radius",))
        for radius, printed in TABLE_7.items()
    ]
    return Filled(COLUMNS_8, (*rows, *_own(results, each_corruption, "radius")), f"Errors in percent, mean of five severities. {OWN}")


def table_8(results: Results) -> Filled:
    """Every corruption."""
    rows = [filled_row(Row(name, printed, command=train_command(name)), best(CORRUPTIONS_KIND, results, name, whole), each_corruption) for name, printed in TABLE_8.items()]
    own = [filled_row(Row(_label(found), (None,) * len(COLUMNS_8), own=True), found, each_corruption) for found in others(CORRUPTIONS_KIND, results) if whole(found[0])]
    return Filled(COLUMNS_8, (*rows, *own), f"Errors in percent, mean of five severities. {OWN}")


def figure_4(results: Results) -> Filled:
    """Accuracy under each of the 19 corruptions through training. The paper draws it without numbers."""
    columns = ("clean", *(name.replace("_", " ") for name in CORRUPTIONS))
    of_papers = sorted((found for found in results.of(CORRUPTIONS_KIND) if found[0].checkpoint == FIGURE_4_OF), key=lambda found: found[0].progress)
    rows = [filled_row(Row(f"{_share(found)} of {FIGURE_4_OF}", ()), found, _accuracies) for found in of_papers]
    rows = rows or [Row(f"training of {FIGURE_4_OF}", (), command=train_command(FIGURE_4_OF, "--snapshots 20"))]
    own = [filled_row(Row(f"{_share(found)} of {_label(found)}", (), own=True), found, _accuracies) for found in others(CORRUPTIONS_KIND, results) if _through_training(found, results)]
    return Filled(columns, (*rows, *own), "Accuracy in percent, mean of five severities, by the share of the training. The paper draws it without numbers.")


def both(row: Row, found: Found | None, results: Results, elsewhere: tuple[str, ...] = ("new",)) -> Row:
    """A line of Table 1: of one checkpoint both measurements, of which one may be missing; `elsewhere` names the errors on other images."""
    attacked = best(ATTACKS_KIND, results, found[0].checkpoint if found else row.label, lambda table: found is None or table.digest == found[0].digest)
    if found is None and attacked is None:
        return row
    corruptions: tuple[float | None, ...] = (None,) * (2 + len(GROUPS) + len(elsewhere))
    if found:
        table = found[0]
        corruptions = (_percent(table.mce), *(_percent(table.group(group)) for group in GROUPS), 100 * (1 - table.clean), *(None if (error := getattr(table, name)) is None else 100 * (1 - error) for name in elsewhere))
    attacks = tuple(100 * attacked[0].accuracies[name] for name in BALLS) if attacked else (None,) * len(BALLS)
    known = [each for each in (found, attacked) if each]
    missing = ["corruptions not measured"] if found is None else []
    missing += ["attacks not measured"] if attacked is None else []
    made = tuple(dict.fromkeys([*(part for table, _ in known for part in differences(table, table.checkpoint)), *missing]))
    return replace(row, measured=(*corruptions, *attacks), differences=made, source="; ".join(f"{path.name}: {where(table)}" for table, path in known))


def filled_row(row: Row, found: Found | None, numbers: Numbers, swept: tuple[str, ...] = ()) -> Row:
    if found is None:
        return row
    table, path = found
    return replace(row, measured=numbers(table), differences=differences(table, table.checkpoint, swept), source=f"{path.name}: {where(table)}")


def _own(results: Results, numbers: Numbers, field: str) -> list[Row]:
    """Trainings of ours of which the same was trained at several values of a field, and nothing else that is swept was changed."""
    found = [each for each in others(CORRUPTIONS_KIND, results) if whole(each[0]) and each[0].training.get("backbones") and _else_usual(each[0], field)]
    values = {name: {str(table.training.get(field)) for table, _ in found if table.checkpoint == name} for name in {table.checkpoint for table, _ in found}}
    width = len(COLUMNS_8) + (numbers is _with_clean)
    return [
        filled_row(Row(f"{_label(each)}, {field} {each[0].training.get(field)}", (None,) * width, own=True), each, numbers) for each in found if len(values[each[0].checkpoint]) > 1
    ]


def _else_usual(table: CorruptionTable, field: str) -> bool:
    if table.checkpoint not in EXPERIMENTS:
        return True
    usual = plain(EXPERIMENTS[table.checkpoint].config)
    return all(table.training.get(name) == usual[name] for name in ("steps", "radius") if name != field)


def each_corruption(table: CorruptionTable) -> tuple[float | None, ...]:
    return (_percent(table.mce), *(_percent(table.mean(name)) for name in STANDARD))


def _with_clean(table: CorruptionTable) -> tuple[float | None, ...]:
    return (100 * table.clean, *each_corruption(table))


def _accuracies(table: CorruptionTable) -> tuple[float | None, ...]:
    return (100 * (1 - table.clean), *(None if (value := table.mean(name)) is None else 100 * (1 - value) for name in CORRUPTIONS))


def _trained(**fields) -> Callable[[CorruptionTable], bool]:
    return lambda table: whole(table) and all(table.training.get(name) == value for name, value in fields.items())


def whole(table: CorruptionTable) -> bool:
    """Of a training that was done to its end."""
    return table.progress == 1


def _through_training(found: Found, results: Results) -> bool:
    """Whether earlier states of the same training were measured too."""
    table = found[0]
    return any(other.checkpoint == table.checkpoint and other.training == table.training and other.progress != table.progress for other, _ in results.of(CORRUPTIONS_KIND))


def _share(found: Found) -> str:
    return f"{100 * found[0].progress:.0f} %"


def _label(found: Found) -> str:
    seed = found[0].training.get("seed", 0)
    return found[0].checkpoint + (f", seed {seed}" if seed else "")


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def train_command(name: str, options: str = "") -> str:
    return " ".join(f"python -m explorer.train {name} {options}".split()) + f" && python -m explorer.evaluate runs/{name}/{name}.safetensors --corruptions"
