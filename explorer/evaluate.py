"""python -m explorer.evaluate CHECKPOINT: how good a model is, beside its paper's table.
python -m explorer.evaluate --paper NAME [--table N | --figure N]: the papers' tables and figures, with what was measured of them."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from explorer.checkpoints import describe
from explorer.command_line import politely_stopped, run_command
from explorer.errors import ConfigurationError
from explorer.hardware import describe_device, keep_freed_memory, pick_device, use_all_cores
from explorer.models.classifiers import KIND as CLASSIFIER
from explorer.models.segmentation import SEGMENTER
from explorer.papers import PAPERS, RESULTS, read_results
from explorer.papers.adversarial_augmentation.measurements import measurements as augmentation_measurements
from explorer.papers.certified_vae import KIND as CERTIFIED_VAE
from explorer.papers.certified_vae.evaluation import AttackSettings
from explorer.papers.certified_vae.measurements import ELBO, ELBO_UNDER_ATTACK
from explorer.papers.contextual_budgets.measured import ErrorSettings, VolumeSettings
from explorer.papers.contextual_budgets.measurements import ERRORS, FOLLOWED, LARGEST_VOLUMES
from explorer.papers.learned_sets import KIND as LEARNED_SET
from explorer.papers.learned_sets.likelihoods import LikelihoodSettings
from explorer.papers.learned_sets.measurements import CERTIFIED_SEGMENTATION, LIKELIHOOD, QUALITY, ROBUST_SEGMENTATION, in_set
from explorer.papers.learned_sets.quality import QualitySettings
from explorer.papers.learned_sets.report import FORMATS
from explorer.papers.manifold_directions.measurements import ACCURACIES, SPECTRA
from explorer.papers.measurement import Measurement
from explorer.papers.report import find_item, item_report, listing, summary
from explorer.registry import look_up
from explorer.storage import runs_folder
from explorer.studies.classifiers import open_classifier
from explorer.training import Bar

CORRUPTIONS, BALLS, COSTS = augmentation_measurements(open_classifier)
ROBUST, SMOOTHED = in_set(open_classifier)
EVERYWHERE = ("checkpoint", "format", "limit", "seed", "batch_size", "output", "work", "root", "device")
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
    header = describe(options.checkpoint)
    measurement = look_up(MEASUREMENTS, header.kind, "kind of checkpoint")(options, header.training)
    _only(options, measurement)
    device = pick_device(options.device)
    print(f"measuring on {describe_device(device)}", file=sys.stderr)
    with politely_stopped(Bar(options.checkpoint.stem)) as progress:
        print(measurement.carried_out(options, device, progress))
    return 0


def _of_classifier(options: argparse.Namespace, training: dict) -> Measurement:
    """What is asked for, which is possible for any; else what fits how it was trained: in a learned set, on inputs from elsewhere, on corruptions, or on bounds."""
    asked = {"robust": ROBUST, "smoothed": SMOOTHED, "costs": COSTS, "balls": BALLS, "corruptions": CORRUPTIONS, "spectra": SPECTRA, "directions": ACCURACIES, "liu": LARGEST_VOLUMES, "followed": FOLLOWED}
    for name, measurement in asked.items():
        if getattr(options, name):
            return measurement
    if training.get("learned_set"):
        return SMOOTHED if "smoothed" in training.get("sources", ()) else ROBUST
    return ACCURACIES if "sources" in training else CORRUPTIONS if "corruption" in training else ERRORS


MEASUREMENTS: dict[str, Callable[[argparse.Namespace, dict], Measurement]] = {
    LEARNED_SET: lambda options, _: LIKELIHOOD if options.likelihood else QUALITY,  # Perturbation sets, Definition 2 and Table 4
    SEGMENTER: lambda options, _: CERTIFIED_SEGMENTATION if options.certified else ROBUST_SEGMENTATION,  # its Figure 17 and Table 3
    CERTIFIED_VAE: lambda options, _: ELBO_UNDER_ATTACK if options.attack else ELBO,  # proVAE, Figure 3 and Table 1
    CLASSIFIER: _of_classifier,
}


def _only(options: argparse.Namespace, measurement: Measurement) -> None:
    """Raises ConfigurationError for options that say nothing about what is measured."""
    default, meant = _parser().parse_args([]), (*EVERYWHERE, *measurement.options, *measurement.flags)
    if given := [f"--{name.replace('_', '-')}" for name, value in vars(options).items() if name not in meant and value != getattr(default, name)]:
        raise ConfigurationError([f"{', '.join(given)} does not go with {measurement.what} ({options.checkpoint.name})"])


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
    measure.add_argument("--distance", choices=("cross_entropy", "squared_error"), help=f"of a learned set ({default.distance})")
    measure.add_argument("--radius", type=float, help="another radius than the checkpoint's")
    measure.add_argument("--limit", type=int, help="the first pairs or images of a split only")
    measure.add_argument("--steps", type=int, help=f"of PGD ({default.steps} for a learned set, {AttackSettings().steps} for a VAE, {ErrorSettings().steps} for a classifier)")
    measure.add_argument("--likelihood", action="store_true", help="of a learned set: how likely it makes real perturbations (Perturbation sets, Definition 2), instead of Table 4")
    measure.add_argument("--samples", type=int, help=f"of that, members drawn for each pair ({LikelihoodSettings().samples})")
    measure.add_argument("--density", choices=("gaussian", "bernoulli"), help="of that (gaussian)")
    measure.add_argument("--certified", action="store_true", help="of a segmenter: pixels certified over the radius by smoothing in a learned set's latents (Perturbation sets, Figure 17), instead of Table 3; --samples of them")
    measure.add_argument("--robust", action="store_true", help="of any classifier: its accuracy on real perturbations and under attack in a learned set (Perturbation sets, Table 2)")
    measure.add_argument("--smoothed", action="store_true", help="of any classifier: its certified accuracy by smoothing in a learned set (Table 9); --samples of them")
    measure.add_argument("--sigma", type=float, help="of that: the noise's standard deviation in the latents (the one that it was trained under)")
    measure.add_argument("--learned-set", metavar="NAME", help="of these two and of a segmenter: the learned set, a checkpoint or the experiment that trains it (that of its training)")
    measure.add_argument("--attack", action="store_true", help="of a VAE: its ELBO under attack (proVAE, Figure 3) instead of its bound (Table 1)")
    measure.add_argument("--restarts", type=int, help=f"of the attack ({AttackSettings().restarts} for a VAE, {ErrorSettings().restarts} for a classifier)")
    measure.add_argument("--clip", action="store_true", help="that attack stays in [0, 1]; the paper's does not")
    measure.add_argument("--volume", type=float, help="of a classifier: ε0 of the boxes, another than that of its training (Budgets, Tables 1 to 4)")
    measure.add_argument("--generator", metavar="CHECKPOINT", help="whose budgets are taken for the learned boxes, where the classifier has none of its own")
    measure.add_argument("--liu", action="store_true", help="of a classifier: the largest certified volumes of Liu et al. (2019), instead of errors in given boxes")
    measure.add_argument("--targets", type=lambda text: tuple(float(part) for part in text.split(",")), help="volumes ε0 that those are compared with, as 0.4,0.6 (that of the training)")
    measure.add_argument("--whole", action="store_true", help="go on after the largest of these is reached")
    measure.add_argument("--method", choices=("ibp", "crown-ibp"), help=f"of that: whose margin bound is the constraint ({VolumeSettings().method})")
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
    measure.add_argument("--seed", type=int, help=f"({default.seed})")
    measure.add_argument("--batch-size", type=int, help="images or pairs at once: no result depends on it")
    measure.add_argument("--output", type=Path, help="results file (results/NAME-….json in the folder of runs; other settings than the default get a name of their own)")
    measure.add_argument("--work", type=Path, default=runs_folder() / "evaluate", help="folder of finished batches (evaluate in the folder of runs: EXPLORER_RUNS, then ./runs)")
    measure.add_argument("--root", type=Path, help="folder of the data sets (EXPLORER_DATA, then ./data)")
    measure.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (auto)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
