"""python -m explorer.evaluate CHECKPOINT: how good a learned set is, beside the paper's table.
python -m explorer.evaluate --paper NAME [--table N | --figure N]: the papers' tables and figures, with what was measured of them."""

import argparse
import sys
from pathlib import Path

from explorer.command_line import politely_stopped, run_command
from explorer.errors import ConfigurationError
from explorer.hardware import describe_device, pick_device, use_all_cores
from explorer.papers import PAPERS, RESULTS, read_results, save_result
from explorer.papers.learned_sets import open_learned_set
from explorer.papers.learned_sets.quality import QualitySettings, file_digest, quality
from explorer.papers.learned_sets.report import FORMATS
from explorer.papers.learned_sets.tables import KIND, own_path
from explorer.papers.report import find_item, item_report, listing, summary
from explorer.registry import look_up
from explorer.storage import runs_folder
from explorer.training import Bar

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
    device = pick_device(options.device)
    learned = open_learned_set(options.checkpoint, device, options.root)
    if learned.note:
        print(learned.note, file=sys.stderr)
    print(f"measuring on {describe_device(device)}", file=sys.stderr)
    settings = QualitySettings(options.distance, options.radius, options.limit, options.steps, options.seed, options.batch_size)
    with politely_stopped(Bar(options.checkpoint.stem)) as progress:
        *_, table = quality(learned, file_digest(options.checkpoint), settings, options.work, progress)
    output = options.output or own_path(table)
    save_result(KIND, table, output)
    print(f"written to {output}", file=sys.stderr)
    print(FORMATS[options.format](table))
    return 0


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
    measure.add_argument("--radius", type=float, help="another radius than the checkpoint's ε")
    measure.add_argument("--limit", type=int, help="the first pairs of the test split only")
    measure.add_argument("--steps", type=int, default=default.steps, help=f"of PGD ({default.steps})")
    measure.add_argument("--seed", type=int, default=default.seed)
    measure.add_argument("--batch-size", type=int, default=default.batch_size)
    measure.add_argument("--output", type=Path, help="results file (results/NAME-DISTANCE.json in the folder of runs; other settings than the default get a name of their own)")
    measure.add_argument("--work", type=Path, default=runs_folder() / "evaluate", help="folder of finished batches (evaluate in the folder of runs: EXPLORER_RUNS, then ./runs)")
    measure.add_argument("--root", type=Path, help="folder of the data sets (EXPLORER_DATA, then ./data)")
    measure.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (auto)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
