"""Tables 1 to 4 and Figures 1 to 6 of the paper, and what is measured of them."""

from collections.abc import Sequence
from dataclasses import replace

from explorer.papers.base import Filled, Item, Paper, Row
from explorer.papers.results import Results

from .experiments import EXPERIMENTS
from .finding import Found, best, differences, others, where
from .measured import ERRORS_KIND, FOLLOWED_KIND, HEADINGS, VOLUMES_KIND, ErrorTable, Table
from .published import APPENDIX_B, FIGURES, TABLE_1, TABLE_2, TABLE_3, TABLE_4, UNIFORM_CONTROL, Line

FULL = ("clean", "by Liu et al.", "uniform", "learned", "attacked")
SHORT = ("clean", "verified", "IBP alone", "attacked")
VERIFIED = "verified by CROWN-IBP and IBP together"
NOTE = f"Errors in percent. Uniform and learned: {VERIFIED}, in boxes of that kind of volume ε0, cut to [0, 1]. Attacked: PGD in the boxes of the training's kind, which the paper does not have."


def table_1(results: Results) -> Filled:
    """MNIST, with Appendix C's control: verified against ±0.3 for all pixels."""
    rows = [_full_row(line, results, control=True) for line in TABLE_1]
    own = [_own_row(each, results, control=True) for each in others(ERRORS_KIND, results, _belongs_to_table_1)]
    note = f"{NOTE} “Learned” of a uniform model: its generator is another model's, which the paper does not name; ours is the learned one's of that volume. Appendix C: against ±{UNIFORM_CONTROL}."
    return Filled((*FULL, f"uniform ±{UNIFORM_CONTROL}"), (*rows, *own), note)


def table_2(results: Results) -> Filled:
    rows = [_full_row(line, results) for line in TABLE_2]
    return Filled(FULL, (*rows, *(_own_row(each, results) for each in others(ERRORS_KIND, results, lambda table: table.dataset == "cifar10"))), NOTE)


def table_3(results: Results) -> Filled:
    return _short(TABLE_3, results, lambda table: table.dataset.startswith("watermarked"))


def table_4(results: Results) -> Filled:
    return _short(TABLE_4, results, lambda table: table.dataset.startswith("doubled"))


def figure_6(results: Results) -> Filled:
    """Appendix B's numbers; the picture is drawn where the checkpoint is."""
    return _short(APPENDIX_B, results, lambda table: table.dataset == "organamnist")


def followed(number: int, results: Results) -> Filled:
    """What the budgets of a figure's model follow: the paper draws them without numbers. The picture is drawn where the checkpoint is."""
    name = FIGURES[number]
    row, found = Row(name, (), command=_command(name, "--followed")), best(FOLLOWED_KIND, results, name)
    shown = [found] if found else []
    same = others(FOLLOWED_KIND, results, lambda table: _alike(table.checkpoint, name))
    columns = tuple(dict.fromkeys(column for table, _ in (*shown, *same) for column in table.names))
    rows = [_followed_row(row, found, columns, name) if found else row]
    rows += [_followed_row(Row(_own_label(each[0]), (), own=True), each, columns, each[0].checkpoint) for each in same]
    note = "Mean budgets by region, in units of pixel intensity; gradient, brightness and digit's mask: Spearman's correlation of budgets with the margin's gradient, with the image, and with the mask."
    return Filled(columns, tuple(rows), note)


def _full_row(line: Line, results: Results, control: bool = False) -> Row:
    """A row of Table 1 or 2 from as many results files as it takes: errors, Liu et al.'s volumes, and Appendix C's errors."""
    at = f" --volume {line.volume:g}" if EXPERIMENTS[line.experiment].config.volume != line.volume else ""
    generator = f" --generator runs/{line.generator}/{line.generator}.safetensors" if line.generator else ""
    extra = (None,) * control
    row = Row(line.label, (*line.printed[:4], None, *line.printed[4:][: len(extra)]), command=_command(line.experiment, f"{at}{generator}"))
    errors = best(ERRORS_KIND, results, line.experiment, line.volume, prefers_generator=line.generator is not None)
    if errors is None:
        return row
    return _filled(row, errors, line.experiment, line.volume, results, control)


def _own_row(errors: Found, results: Results, control: bool = False) -> Row:
    table = errors[0]
    return _filled(Row(_own_label(table), (None,) * (5 + control), own=True), errors, table.checkpoint, table.volume, results, control)


def _filled(row: Row, errors: Found, name: str, volume: float, results: Results, control: bool) -> Row:
    table, path = errors
    own = own_boxes(table)
    liu, sources, missing = best(VOLUMES_KIND, results, table.checkpoint, digest=table.digest), [], []
    reached = _at(liu[0].targets, liu[0].errors, liu[0].standard_errors, volume) if liu else (None, None)
    numbers = [_of(table, "clean"), reached, _of(table, "uniform, verified"), _of(table, "learned, verified"), _of(table, f"{own}, attacked")]
    sources.append(f"{path.name}: {where(table)}, PGD of {table.settings['steps']} steps from {table.settings['restarts']} random start(s)" + _generator(table))
    if liu:
        sources.append(f"{liu[1].name}: {liu[0].images:,} images, {liu[0].settings['method'].upper()} bounds, up to {liu[0].settings['iterations']} iterations")
    if reached[0] is None and (row.own or row.paper[1] is not None):
        missing.append(f"not measured by Liu et al. ({_command(name, '--liu')})")
    if control:
        at = best(ERRORS_KIND, results, table.checkpoint, UNIFORM_CONTROL, digest=table.digest)
        numbers.append(_of(at[0], "uniform, verified") if at else (None, None))
        if at is None and row.paper[5] is not None:
            missing.append(f"not measured at ±{UNIFORM_CONTROL} ({_command(name, f'--volume {UNIFORM_CONTROL:g}')})")
    if numbers[3][0] is None and row.paper[3] is not None:
        missing.append("no learned budgets given (--generator)")
    made = [*differences(table, name), *(each for each in (differences(liu[0], name) if liu else ()) if each not in differences(table, name)), *missing]
    return _with(row, table, name, numbers, made, "; ".join(sources))


def _short(lines: Sequence[Line], results: Results, belongs) -> Filled:
    """One column of verified errors: in the boxes of the training's kind."""
    rows = []
    for line in lines:
        row = Row(line.label, (*line.printed, None, None), command=_command(line.experiment))
        found = best(ERRORS_KIND, results, line.experiment, line.volume)
        rows.append(_short_row(row, found, line.experiment) if found else row)
    for found in others(ERRORS_KIND, results, belongs):
        rows.append(_short_row(Row(_own_label(found[0]), (None,) * 4, own=True), found, found[0].checkpoint))
    note = f"Errors in percent. Verified: {VERIFIED}, in the boxes of the training, cut to [0, 1]; the last two columns are not the paper's."
    return Filled(SHORT, tuple(rows), note)


def _short_row(row: Row, found: Found, name: str) -> Row:
    table, path = found
    own = own_boxes(table)
    numbers = [_of(table, each) for each in ("clean", f"{own}, verified", f"{own}, IBP alone", f"{own}, attacked")]
    source = f"{path.name}: {where(table)}, PGD of {table.settings['steps']} steps from {table.settings['restarts']} random start(s)"
    return _with(row, table, name, numbers, differences(table, name), source)


def _followed_row(row: Row, found: Found, columns: tuple[str, ...], name: str) -> Row:
    table, path = found
    means, errors = (dict(zip(table.names, values)) for values in (table.means, table.standard_errors))
    row = replace(row, measured=tuple(means.get(each) for each in columns), standard_errors=tuple(errors.get(each) for each in columns))
    variant = table.checkpoint if table.checkpoint != name else ""
    return replace(row, differences=tuple(differences(table, name)), variant=variant, source=f"{path.name}: {where(table)}, ε0 {table.volume:.3g}")


def _with(row: Row, table: ErrorTable, name: str, numbers: Sequence[tuple[float | None, float | None]], made: Sequence[str], source: str) -> Row:
    measured, errors = (tuple(None if value is None else 100 * value for value in values) for values in zip(*numbers))
    variant = table.checkpoint if table.checkpoint != name else ""
    return replace(row, measured=measured, standard_errors=errors, differences=tuple(made), variant=variant, source=source)


def _own_label(table: Table) -> str:
    seed = table.training.get("seed", 0)
    return f"{table.checkpoint} at ε0 {table.volume:.3g}" + (f", seed {seed}" if seed else "")


def own_boxes(table: ErrorTable) -> str:
    """The kind of boxes that the model was trained with."""
    return "learned" if table.training.get("budgets") == "learned" else "uniform"


def _of(table: ErrorTable, heading: str) -> tuple[float | None, float | None]:
    place = HEADINGS.index(heading)
    return table.errors[place], table.standard_errors[place]


def _at(targets: Sequence[float], errors: Sequence[float], standard_errors: Sequence[float], volume: float) -> tuple[float | None, float | None]:
    return next(((error, spread) for target, error, spread in zip(targets, errors, standard_errors) if abs(target - volume) < 1e-6), (None, None))


def _generator(table: ErrorTable) -> str:
    return f", budgets of {table.settings['generator']}" if table.settings.get("generator") else ""


def _belongs_to_table_1(table: ErrorTable) -> bool:
    return not table.dataset.startswith(("watermarked", "doubled")) and table.dataset not in ("cifar10", "organamnist")


def _alike(checkpoint: str, name: str) -> bool:
    """Whether a checkpoint is of the same family as a figure's: mnist, cifar10, watermarked, doubled or organs."""
    families = ("watermarked", "doubled", "organ", "cifar10")

    def family(text: str) -> str:
        return next((each for each in families if each in text), "plain")

    return family(checkpoint) == family(name)


def _command(name: str, options: str = "") -> str:
    return f"python -m explorer.train {name} && python -m explorer.evaluate runs/{name}/{name}.safetensors {options.strip()}".rstrip()


CONTEXTUAL_BUDGETS = Paper(
    "Budgets",
    "Learning contextual perturbation budgets for training robust neural networks. Submitted to ICLR 2021.",
    (
        Item("table", 1, "clean and verified error on MNIST, uniform and learned budgets; Appendix C's uniform control", fill=table_1),
        Item("table", 2, "clean and verified error on CIFAR-10", fill=table_2),
        Item("table", 3, "Watermarked MNIST", fill=table_3),
        Item("table", 4, "Doubled CIFAR-10", fill=table_4),
        Item("figure", 1, "flow of the joint training", "needs no measurement: a drawing of what explorer.papers.contextual_budgets.training does"),
        Item("figure", 2, "learned budgets on MNIST", fill=lambda results: followed(2, results)),
        Item("figure", 3, "learned budgets on CIFAR-10", fill=lambda results: followed(3, results)),
        Item("figure", 4, "Watermarked MNIST and its budgets", fill=lambda results: followed(4, results)),
        Item("figure", 5, "Doubled CIFAR-10 and its budgets", fill=lambda results: followed(5, results)),
        Item("figure", 6, "learned budgets on OrganMNIST (axial), and Appendix B's errors", fill=figure_6),
    ),
)
