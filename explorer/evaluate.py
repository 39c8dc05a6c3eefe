"""python -m explorer.evaluate CHECKPOINT: how good a model is, beside its paper's table.
python -m explorer.evaluate --paper NAME [--table N | --figure N]: the papers' tables and figures, with what was measured of them."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from explorer.checkpoints import describe
from explorer.command_line import politely_stopped, run_command
from explorer.errors import ConfigurationError
from explorer.hardware import describe_device, keep_freed_memory, pick_device, use_all_cores
from explorer.measuring import file_digest
from explorer.models.segmentation import SEGMENTER
from explorer.papers import PAPERS, RESULTS, Results, read_results, save_result
from explorer.papers import adversarial_augmentation as augmentation
from explorer.papers import certified_vae as provae
from explorer.papers import contextual_budgets as budgets
from explorer.papers.adversarial_augmentation import costs
from explorer.papers.adversarial_augmentation import measured as augmented
from explorer.papers.adversarial_augmentation.cost_table import measured_rows as cost_rows
from explorer.papers.adversarial_augmentation.evaluation import attack_table as ball_table
from explorer.papers.adversarial_augmentation.evaluation import corruption_table
from explorer.papers.adversarial_augmentation.finding import own_path as own_augmentation_path
from explorer.papers.adversarial_augmentation.report import report as augmentation_report
from explorer.papers.base import Filled, status
from explorer.papers.certified_vae.evaluation import (
    ATTACK_KIND,
    ELBO_KIND,
    AttackSettings,
    ElboSettings,
    attack_table,
    elbo_table,
)
from explorer.papers.certified_vae.tables import own_path as own_vae_path
from explorer.papers.contextual_budgets.evaluation import error_table, followed_table, volume_table
from explorer.papers.contextual_budgets.finding import own_path as own_budgets_path
from explorer.papers.contextual_budgets.measured import (
    ERRORS_KIND,
    FOLLOWED_KIND,
    VOLUMES_KIND,
    ErrorSettings,
    FollowedSettings,
    VolumeSettings,
)
from explorer.papers.contextual_budgets.opening import open_budgets
from explorer.papers.contextual_budgets.report import report
from explorer.papers.learned_sets import KIND as LEARNED_SET
from explorer.papers.learned_sets import LearnedSet, open_learned_set
from explorer.papers.learned_sets.likelihoods import KIND as LIKELIHOOD_KIND
from explorer.papers.learned_sets.likelihoods import LikelihoodSettings, likelihood_report, likelihood_table
from explorer.papers.learned_sets.quality import QualitySettings, quality
from explorer.papers.learned_sets.report import FORMATS
from explorer.papers.learned_sets.segmentation_evaluation import certified_table, robust_table
from explorer.papers.learned_sets.segmentation_measured import CERTIFIED_KIND, ROBUST_KIND, CertifiedSettings, RobustSettings
from explorer.papers.learned_sets.segmentation_opening import open_segmenter
from explorer.papers.learned_sets.segmentation_tables import own_segmentation_path
from explorer.papers.learned_sets.tables import KIND, LEARNED_SETS, own_path
from explorer.papers.manifold_directions import open_directions
from explorer.papers.manifold_directions.evaluation import accuracy_table, spectra_table
from explorer.papers.manifold_directions.finding import own_path as own_directions_path
from explorer.papers.manifold_directions.measured import ACCURACIES_KIND, SPECTRA_KIND, AccuracySettings, SpectraSettings
from explorer.papers.manifold_directions.report import report as directions_report
from explorer.papers.report import ITEMS, find_item, item_report, listing, summary
from explorer.registry import look_up
from explorer.storage import runs_folder
from explorer.studies.classifiers import open_classifier
from explorer.training import Bar

COMMON = ("checkpoint", "format", "limit", "seed", "batch_size", "output", "work", "root", "device")
PAPER_OPTIONS = ("checkpoint", "paper", "table", "figure", "results", "format")


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns 0, 1 for an error that the user can mend, 130 when stopped."""
    return run_command(run, arguments, "stopped. The same command goes on from here.")


def run(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    _check(options)
    if options.paper:
        print(_paper(options))
        return 0
    use_all_cores()
    keep_freed_memory()
    measure = look_up(MEASURES, describe(options.checkpoint).kind, "kind of checkpoint")
    device = pick_device(options.device)
    print(f"measuring on {describe_device(device)}", file=sys.stderr)
    print(measure(options, device))
    return 0


def _measure_set(options: argparse.Namespace, device: torch.device) -> str:
    """Table 4 of Perturbation sets; with --likelihood its Definition 2."""
    learned = open_learned_set(options.checkpoint, device, options.root)
    if learned.note:
        print(learned.note, file=sys.stderr)
    if options.likelihood:
        return _measure_likelihood(options, learned)
    _only(options, "the quality of a learned set", "distance", "radius", "steps")
    settings = QualitySettings(options.distance, options.radius, options.limit, _or(options.steps, QualitySettings().steps), options.seed, options.batch_size)
    with politely_stopped(Bar(options.checkpoint.stem)) as progress:
        *_, table = quality(learned, file_digest(options.checkpoint), settings, options.work, progress)
    _saved(KIND, table, options.output or own_path(table))
    return FORMATS[options.format](table)


def _measure_likelihood(options: argparse.Namespace, learned: LearnedSet) -> str:
    _only(options, "the likelihood", "likelihood", "samples", "density", "radius")
    settings = LikelihoodSettings(options.density, options.radius, options.samples, options.limit, options.seed, options.batch_size)
    with politely_stopped(Bar(options.checkpoint.stem)) as progress:
        *_, table = likelihood_table(learned, file_digest(options.checkpoint), settings, options.work, progress)
    _saved(LIKELIHOOD_KIND, table, options.output or runs_folder() / "results" / f"{options.checkpoint.stem[:80]}-likelihood.json")
    return likelihood_report(table, options.format)


def _measure_vae(options: argparse.Namespace, device: torch.device) -> str:
    """A row of proVAE's Table 1, or with --attack a curve of its Figure 3."""
    opened = provae.open_certified_vae(options.checkpoint, device, options.root)
    if opened.note:
        print(opened.note, file=sys.stderr)
    common = {"limit": options.limit, "seed": options.seed, "batch_size": options.batch_size}
    if options.attack:
        _only(options, "the attack on an ELBO, which takes all radii of the figure", "attack", "steps", "restarts", "clip")
        default = AttackSettings()
        settings = AttackSettings(clip=options.clip, steps=_or(options.steps, default.steps), restarts=_or(options.restarts, default.restarts), **common)
        kind, measure, item = ATTACK_KIND, attack_table, find_item(provae.CERTIFIED_VAE, "figure", 3)
    else:
        _only(options, "a row of the table, which has both boxes", "radius")
        settings, kind, measure, item = ElboSettings(radius=options.radius, **common), ELBO_KIND, elbo_table, find_item(provae.CERTIFIED_VAE, "table", 1)
    with politely_stopped(Bar(options.checkpoint.stem)) as progress:
        *_, table = measure(opened, file_digest(options.checkpoint), settings, options.work, progress)
    path = options.output or own_vae_path(kind, table)
    _saved(kind, table, path)
    results = Results(((kind, table, path),))
    filled = _measured_rows(item.fill(results))
    state = ("measured", "beside the paper's models.") if all(row.own for row in filled.rows) else status(item, results)
    return look_up(ITEMS, options.format, "format")("certified_vae", provae.CERTIFIED_VAE, item, *state, filled)


def _measure_budgets(options: argparse.Namespace, device: torch.device) -> str:
    """Errors of a classifier at one volume; with --liu its largest certified volumes, with --followed what its budgets follow."""
    opened = open_budgets(options.checkpoint, device, options.root)
    if opened.note:
        print(opened.note, file=sys.stderr)
    common = {"limit": options.limit, "seed": options.seed}
    if options.liu:
        _only(options, "the largest certified volumes", "liu", "targets", "whole", "method")
        kind, measure, default = VOLUMES_KIND, volume_table, VolumeSettings()
        settings = replace(default, targets=tuple(options.targets), whole=options.whole, method=options.method, **common)
    elif options.followed:
        _only(options, "what budgets follow", "followed", "volume")
        kind, measure, default = FOLLOWED_KIND, followed_table, FollowedSettings()
        settings = replace(default, volume=options.volume, **common)
    else:
        _only(options, "errors under budgets", "volume", "generator", "steps", "restarts")
        kind, measure, default = ERRORS_KIND, error_table, ErrorSettings()
        more = {"steps": _or(options.steps, default.steps), "restarts": _or(options.restarts, default.restarts), "generator": options.generator}
        settings = replace(default, volume=options.volume, **more, **common)
    settings = replace(settings, batch_size=options.batch_size if options.batch_size != QualitySettings().batch_size else default.batch_size)
    with politely_stopped(Bar(options.checkpoint.stem)) as progress:
        *_, table = measure(opened, file_digest(options.checkpoint), settings, options.work, progress)
    _saved(kind, table, options.output or own_budgets_path(kind, table))
    return report(table, options.format)


def _measure_directions(options: argparse.Namespace, device: torch.device) -> str:
    """Accuracies under attacks off and on the manifold; with --spectra what an attack does to the eigenvalues of the classes."""
    _only(options, "attacks off and on the manifold", "directions", "spectra", "vae", "radius", "latent_radius", "steps", "restarts")
    opened = open_directions(options.checkpoint, device, options.root, options.vae)
    for note in filter(None, (opened.note, opened.missing)):
        print(note, file=sys.stderr)
    kind, measure, default = (SPECTRA_KIND, spectra_table, SpectraSettings()) if options.spectra else (ACCURACIES_KIND, accuracy_table, AccuracySettings())
    more = {"radius": options.radius, "latent_radius": options.latent_radius, "steps": options.steps, "restarts": _or(options.restarts, default.restarts), "vae": options.vae}
    settings = replace(default, limit=options.limit, seed=options.seed, batch_size=options.batch_size, **more)
    with politely_stopped(Bar(options.checkpoint.stem)) as progress:
        *_, table = measure(opened, file_digest(options.checkpoint), settings, options.work, progress)
    _saved(kind, table, options.output or own_directions_path(kind, table))
    return directions_report(table, options.format)


def _measure_corruptions(options: argparse.Namespace, device: torch.device) -> str:
    """Errors under common corruptions; with --balls accuracies under attacks in balls of pixels."""
    opened = open_classifier(options.checkpoint, device, options.root)
    if opened.note:
        print(opened.note, file=sys.stderr)
    common, paper = {"limit": options.limit, "seed": options.seed}, augmentation.ADVERSARIAL_AUGMENTATION
    if options.balls:
        _only(options, "attacks in balls of pixels", "balls", "steps", "restarts")
        kind, item = augmented.ATTACKS_KIND, find_item(paper, "table", 1)
        usual = augmented.papers_attacks(opened.data.name)
        settings = replace(usual, steps=_or(options.steps, usual.steps), restarts=_or(options.restarts, usual.restarts), **common)
    else:
        _only(options, "errors under corruptions", "corruptions", "published")
        kind, item = augmented.CORRUPTIONS_KIND, find_item(paper, "table", 8)
        settings = augmented.CorruptionSettings("published" if options.published else "made", **common)
    settings = replace(settings, batch_size=options.batch_size if options.batch_size != QualitySettings().batch_size else settings.batch_size)
    further = {} if options.balls else {"root": options.root}
    with politely_stopped(Bar(options.checkpoint.stem)) as progress:
        *_, table = (ball_table if options.balls else corruption_table)(opened, file_digest(options.checkpoint), settings, options.work, progress, **further)
    _saved(kind, table, options.output or own_augmentation_path(kind, table))
    return augmentation_report(table, options.format, paper, item)


def _measure_costs(options: argparse.Namespace, device: torch.device) -> str:
    """What a step of training it costs with each method."""
    _only(options, "the cost of a training step", "costs", "network", "steps")
    opened, default = open_classifier(options.checkpoint, device, options.root), costs.CostSettings()
    batch_size = options.batch_size if options.batch_size != QualitySettings().batch_size else default.batch_size
    settings = replace(default, network=options.network, steps=_or(options.steps, default.steps), batch_size=batch_size, seed=options.seed)
    with politely_stopped(Bar(options.checkpoint.stem)) as progress:
        table = costs.cost_table(opened, file_digest(options.checkpoint), settings, progress)
    path = options.output or runs_folder() / "results" / f"{options.checkpoint.stem[:80]}-costs.json"
    _saved(costs.COSTS_KIND, table, path)
    paper = augmentation.ADVERSARIAL_AUGMENTATION
    return look_up(ITEMS, options.format, "format")("adversarial_augmentation", paper, find_item(paper, "table", 3), "measured", f"steps of {table.images} images.", cost_rows(table, path))


def _measure_classifier(options: argparse.Namespace, device: torch.device) -> str:
    """As it was trained: on bounds over budgets, on inputs from somewhere, or on corruptions; --directions, --spectra, --corruptions,
    --balls and --costs are for any classifier."""
    training = describe(options.checkpoint).training
    if options.costs:
        return _measure_costs(options, device)
    if options.corruptions or options.balls:
        return _measure_corruptions(options, device)
    if options.directions or options.spectra or "sources" in training:
        return _measure_directions(options, device)
    return (_measure_corruptions if "corruption" in training else _measure_budgets)(options, device)


def _measure_segmenter(options: argparse.Namespace, device: torch.device) -> str:
    """A row of Table 3 of Perturbation sets, or with --certified the curve of its Figure 17."""
    _only(options, "a segmenter", "certified", "learned_set", "steps", "samples")
    opened = open_segmenter(options.checkpoint, device, options.root)
    common = {"learned_set": options.learned_set, "seed": options.seed}
    if options.certified:
        default = CertifiedSettings()
        samples = default.samples if options.samples == LikelihoodSettings().samples else options.samples
        settings = replace(default, **common, samples=samples, steps=_or(options.steps, default.steps), limit=_or(options.limit, default.limit))
        kind, measure, item = CERTIFIED_KIND, certified_table, find_item(LEARNED_SETS, "figure", 17)
    else:
        default = RobustSettings()
        settings = replace(default, **common, steps=_or(options.steps, default.steps), limit=options.limit, batch_size=min(options.batch_size, default.batch_size))
        kind, measure, item = ROBUST_KIND, robust_table, find_item(LEARNED_SETS, "table", 3)
    with politely_stopped(Bar(options.checkpoint.stem)) as progress:
        *_, table = measure(opened, file_digest(options.checkpoint), settings, options.work, progress)
    _saved(kind, table, options.output or own_segmentation_path(kind, table))
    results = Results(((kind, table, options.checkpoint),))
    return look_up(ITEMS, options.format, "format")("learned_sets", LEARNED_SETS, item, *status(item, results), _measured_rows(item.fill(results)))


MEASURES: dict[str, Callable[[argparse.Namespace, torch.device], str]] = {
    LEARNED_SET: _measure_set,
    SEGMENTER: _measure_segmenter,
    provae.KIND: _measure_vae,
    budgets.KIND: _measure_classifier,
}


def _or(given: int | None, default: int | None) -> int | None:
    return default if given is None else given


def _measured_rows(filled: Filled) -> Filled:
    return replace(filled, rows=tuple(row for row in filled.rows if row.measured is not None))


def _saved(kind: str, table: object, output: Path) -> None:
    save_result(kind, table, output)
    print(f"written to {output}", file=sys.stderr)


def _only(options: argparse.Namespace, what: str, *meant: str) -> None:
    """Raises ConfigurationError for options that say nothing about what is measured."""
    default = _parser().parse_args([])
    if given := [f"--{name.replace('_', '-')}" for name, value in vars(options).items() if name not in (*COMMON, *meant) and value != getattr(default, name)]:
        raise ConfigurationError([f"{', '.join(given)} does not go with {what} ({options.checkpoint.name})"])


def _paper(options: argparse.Namespace) -> str:
    """What is known of a paper's tables and figures, of all papers', or of one table or figure."""
    results = read_results(RESULTS, tuple(options.results)) if options.results else read_results(RESULTS)
    for problem in results.problems:
        print(problem, file=sys.stderr)
    if options.paper == "all":
        print(summary(PAPERS, results), file=sys.stderr)
        return listing(PAPERS, results, options.format)
    paper = look_up(PAPERS, options.paper, "paper")
    if options.table is None and options.figure is None:
        return listing({options.paper: paper}, results, options.format)
    kind, number = ("table", options.table) if options.figure is None else ("figure", options.figure)
    return item_report(options.paper, paper, find_item(paper, kind, number), results, options.format)


def _check(options: argparse.Namespace) -> None:
    """Raises ConfigurationError for options that do not go together."""
    default = _parser().parse_args([])
    problems, given = [], [name for name, value in vars(options).items() if value != getattr(default, name)]
    if options.paper and (foreign := [f"--{name.replace('_', '-')}" for name in given if name not in PAPER_OPTIONS]):
        problems.append(f"{', '.join(foreign)} is for measuring a checkpoint, not for --paper")
    if options.checkpoint and options.results:
        problems.append("--results is for --paper; a measurement is written to --output")
    if bool(options.paper) == bool(options.checkpoint):
        problems.append("expected either a checkpoint to measure, or --paper with the name of a paper or all")
    if not options.paper and (options.table is not None or options.figure is not None):
        problems.append("--table and --figure need --paper")
    if options.table is not None and options.figure is not None:
        problems.append("expected --table or --figure, not both")
    if options.paper == "all" and (options.table is not None or options.figure is not None):
        problems.append("--table and --figure are of one paper: name it instead of all")
    if problems:
        raise ConfigurationError(problems)


def _parser() -> argparse.ArgumentParser:
    default = QualitySettings()
    parser = argparse.ArgumentParser(prog="python -m explorer.evaluate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, nargs="?")
    parser.add_argument("--format", choices=tuple(FORMATS), default="text")
    papers = parser.add_argument_group("the papers' tables and figures")
    papers.add_argument("--paper", metavar="NAME", help=f"all, or one of {', '.join(PAPERS)}")
    papers.add_argument("--table", type=int, metavar="N")
    papers.add_argument("--figure", type=int, metavar="N")
    papers.add_argument("--results", type=Path, action="append", help="folder of results files (the shipped ones and those in the folder of runs)")
    measure = parser.add_argument_group("measuring a checkpoint")
    measure.add_argument("--distance", choices=("cross_entropy", "squared_error"), default=default.distance)
    measure.add_argument("--radius", type=float, help="another radius than the checkpoint's")
    measure.add_argument("--limit", type=int, help="the first pairs or images of a split only")
    measure.add_argument("--steps", type=int, help=f"of PGD ({default.steps} for a learned set, {AttackSettings().steps} for a VAE, {ErrorSettings().steps} for a classifier)")
    measure.add_argument("--likelihood", action="store_true", help="of a learned set: how likely it makes real perturbations (Perturbation sets, Definition 2), instead of Table 4")
    measure.add_argument("--samples", type=int, default=LikelihoodSettings().samples, help=f"of that, members drawn for each pair ({LikelihoodSettings().samples})")
    measure.add_argument("--density", choices=("gaussian", "bernoulli"), default=LikelihoodSettings().density, help="of that (gaussian)")
    measure.add_argument("--certified", action="store_true", help="of a segmenter: pixels certified over the radius by smoothing in a learned set's latents (Perturbation sets, Figure 17), instead of Table 3; --samples of them")
    measure.add_argument("--learned-set", metavar="NAME", help="of a segmenter: the set of lights, a checkpoint or the experiment that trains it (that of its training)")
    measure.add_argument("--attack", action="store_true", help="of a VAE: its ELBO under attack (proVAE, Figure 3) instead of its bound (Table 1)")
    measure.add_argument("--restarts", type=int, help=f"of the attack ({AttackSettings().restarts} for a VAE, {ErrorSettings().restarts} for a classifier)")
    measure.add_argument("--clip", action="store_true", help="that attack stays in [0, 1]; the paper's does not")
    measure.add_argument("--volume", type=float, help="of a classifier: ε0 of the boxes, another than that of its training (Budgets, Tables 1 to 4)")
    measure.add_argument("--generator", metavar="CHECKPOINT", help="whose budgets are taken for the learned boxes, where the classifier has none of its own")
    measure.add_argument("--liu", action="store_true", help="of a classifier: the largest certified volumes of Liu et al. (2019), instead of errors in given boxes")
    measure.add_argument("--targets", type=lambda text: [float(part) for part in text.split(",")], default=[], help="volumes ε0 that those are compared with, as 0.4,0.6 (that of the training)")
    measure.add_argument("--whole", action="store_true", help="go on after the largest of these is reached")
    measure.add_argument("--method", choices=("ibp", "crown-ibp"), default=VolumeSettings().method, help=f"of that: whose margin bound is the constraint ({VolumeSettings().method})")
    measure.add_argument("--followed", action="store_true", help="of a generator: mean budgets by region, correlations with gradients and brightness (Figures 2 to 6)")
    measure.add_argument("--directions", action="store_true", help="of any classifier: its accuracy under attacks off and on the manifold (Manifold directions, Tables 1 and 2)")
    measure.add_argument("--spectra", action="store_true", help="of any classifier: what an attack on it does to the eigenvalues of the classes (Figures 2 and 3)")
    measure.add_argument("--vae", metavar="NAME", help="of these two: the class-conditional VAE, a checkpoint or the experiment that trains it")
    measure.add_argument("--latent-radius", type=float, help="of these two: half the edge of the box in its latents (the paper's)")
    measure.add_argument("--corruptions", action="store_true", help="of any classifier: its errors under common corruptions (AdA, Tables 1 and 8)")
    measure.add_argument("--published", action="store_true", help="of these: on the files of CIFAR-10-C instead of corruptions made here")
    measure.add_argument("--balls", action="store_true", help="of any classifier: its accuracy under the worst of three attacks in ℓ2 and ℓ∞ balls (AdA, Table 1)")
    measure.add_argument("--costs", action="store_true", help="of any classifier: what a step of training it costs with each method (AdA, Table 3); --batch-size images, --steps of each search")
    measure.add_argument("--network", metavar="NAME", help="of that: the image-to-image network, a checkpoint or the experiment that trains it")
    measure.add_argument("--seed", type=int, default=default.seed)
    measure.add_argument("--batch-size", type=int, default=default.batch_size)
    measure.add_argument("--output", type=Path, help="results file (results/NAME-….json in the folder of runs; other settings than the default get a name of their own)")
    measure.add_argument("--work", type=Path, default=runs_folder() / "evaluate", help="folder of finished batches (evaluate in the folder of runs: EXPLORER_RUNS, then ./runs)")
    measure.add_argument("--root", type=Path, help="folder of the data sets (EXPLORER_DATA, then ./data)")
    measure.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (auto)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
