"""Tables 1 and 2 and Figures 1 to 3 of the paper, and what is measured of them."""

from dataclasses import replace

from explorer.evaluation.spectra import LARGE
from explorer.papers.base import Filled, Item, Paper, Row
from explorer.papers.results import Results

from .finding import Found, best, differences, others, where
from .measured import ACCURACIES_KIND, SPECTRA_KIND, AccuracyTable
from .published import FIGURES, TABLE_1, TABLE_2
from .theory import figure_1

COLUMNS_1, COLUMNS_2 = ("clean", "FGSM", "PGD", "VAE", "decoded"), ("ℓ1", "PGD", "VAE", "clean")
NOTE = "Test accuracies in percent, a row for each training. Under attack they are what the attack found, an upper bound."
DECODED = "Decoded: encoded and decoded without an attack, which the paper does not have; VAE attacks start there."
RATIOS = ("PGD: large", "PGD: small", "VAE: large", "VAE: small")
ENERGY = ("PGD: energy in small", "VAE: energy in small")


def table_1(results: Results) -> Filled:
    """Attacks and defences. The paper's table has an attack in each row."""
    rows = [_row(name, (*printed, None), COLUMNS_1, results) for name, printed in TABLE_1.items()]
    return Filled(COLUMNS_1, (*rows, *_own(COLUMNS_1, results)), f"{NOTE} {DECODED}")


def table_2(results: Results) -> Filled:
    """The trade-off between attacks of two norms, and between attacks off and on the manifold."""
    rows = [_row(name, (*printed, None), COLUMNS_2, results) for name, printed in TABLE_2.items()]
    return Filled(COLUMNS_2, (*rows, *_own(COLUMNS_2, results)), f"{NOTE} Joint trainings minimise the mean of both losses, which the paper does not say; nor does it give the ℓ1 radius.")


def spectra(results: Results, classes: int | None = None) -> Filled:
    """Figures 2 and 3: by how much attacks raise the large and the small eigenvalues of each class, on MNIST and on one's own data."""
    rows = _spectra_rows(FIGURES, results, classes, own=False)
    stems = sorted({table.checkpoint.rsplit("-", 1)[0] for table, _ in results.of(SPECTRA_KIND) if table.checkpoint not in FIGURES.values()})
    for stem in stems:
        rows += _spectra_rows({"pgd": f"{stem}-pgd", "vae": f"{stem}-vae"}, results, classes, own=True)
    note = (
        f"Sum of the {LARGE} large eigenvalues of a class's covariance under attack, over that of the clean images; and of the others (of few images, a third as many are large). PGD attacks the "
        "PGD-trained classifier, VAE the latents of the VAE-trained one; the paper draws them without numbers. Energy: the share of δ beyond those directions."
    )
    return Filled((*RATIOS, *ENERGY), tuple(rows), note)


def _row(name: str, printed: tuple[float | None, ...], columns: tuple[str, ...], results: Results) -> Row:
    row = Row(name, printed, command=_command(name))
    return _filled(row, best(ACCURACIES_KIND, results, name), columns)


def _own(columns: tuple[str, ...], results: Results) -> list[Row]:
    found = others(ACCURACIES_KIND, results, lambda table: True)
    return [_filled(Row(each[0].checkpoint, (None,) * len(columns), own=True), each, columns) for each in found]


def _filled(row: Row, found: Found | None, columns: tuple[str, ...]) -> Row:
    if found is None:
        return row
    table, path = found
    assert isinstance(table, AccuracyTable)
    measured, errors = (tuple(None if value is None else 100 * value for value in values) for values in zip(*(table.of(column) for column in columns)))
    missing = [f"not measured under the VAE's attack ({_command('class-cvae-' + table.dataset)})"] if not table.vae and row.paper[columns.index("VAE")] is not None else []
    return replace(row, measured=measured, standard_errors=errors, differences=(*differences(table, table.checkpoint), *missing), source=f"{path.name}: {where(table)}")


def _spectra_rows(names: dict[str, str], results: Results, classes: int | None, own: bool) -> list[Row]:
    """A row for each class and one for all, from the results of the two classifiers, of which one may be missing."""
    found = {attack: best(SPECTRA_KIND, results, name, attack) for attack, name in names.items()}
    stem = names["pgd"].rsplit("-", 1)[0]
    commands = " && ".join(_command(name, "--spectra") for attack, name in names.items() if found[attack] is None)
    known = [each for each in found.values() if each]
    if not known:
        return [] if own else [Row(f"{stem}, all classes", (), command=commands)]
    shown = range(len(known[0][0].classes) if classes is None else classes)
    made = [*(each for table, _ in known for each in differences(table, table.checkpoint)), *(f"{attack} not measured ({commands})" for attack, each in found.items() if each is None)]
    common = {"differences": tuple(dict.fromkeys(made)), "source": "; ".join(f"{path.name}: {where(table)}" for table, path in known), "own": own}
    rows = []
    for label in shown:
        pairs = [found[attack][0].ratios()[label] if found[attack] else (None, None) for attack in names]
        rows.append(Row(f"{stem}, class {known[0][0].classes[label]}", (), tuple(value for pair in pairs for value in pair) + (None, None), **common))
    means = [tuple(sum(column) / len(column) for column in zip(*found[attack][0].ratios())) if found[attack] else (None, None) for attack in names]
    energy = tuple(found[attack][0].energy_beyond() if found[attack] else None for attack in names)
    return [*rows, Row(f"{stem}, mean of all classes", (), tuple(value for pair in means for value in pair) + energy, **common)]


def _command(name: str, options: str = "") -> str:
    if name.startswith("class-cvae"):
        return f"python -m explorer.train {name}"
    return f"python -m explorer.train {name} && python -m explorer.evaluate runs/{name}/{name}.safetensors {options}".rstrip()


MANIFOLD_DIRECTIONS = Paper(
    "Manifold directions",
    "Disentangling adversarial robustness in directions of the data manifold. Submitted to ICLR 2021.",
    (
        Item("table", 1, "test accuracy under attacks and defences, MNIST and CIFAR-10", fill=table_1),
        Item("table", 2, "trade-off between attacks", fill=table_2),
        Item("figure", 1, "directions of regular and of generative attacks", fill=lambda results: figure_1()),
        Item("figure", 2, "eigenvalues of two classes of MNIST", fill=lambda results: spectra(results, 2)),
        Item("figure", 3, "eigenvalues of all classes of MNIST", fill=spectra),
    ),
)
