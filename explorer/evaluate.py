"""python -m explorer.evaluate CHECKPOINT: how good a learned set is, beside the paper's table."""

import argparse
import sys
from pathlib import Path

from explorer.command_line import politely_stopped, run_command
from explorer.hardware import describe_device, pick_device, use_all_cores
from explorer.papers.learned_sets import open_learned_set
from explorer.papers.learned_sets.quality import QualitySettings, file_digest, quality, save_table
from explorer.papers.learned_sets.report import FORMATS
from explorer.training import Bar


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns 0, 1 for an error that the user can mend, 130 when stopped."""
    return run_command(run, arguments, "stopped. The same command goes on from here.")


def run(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    use_all_cores()
    device = pick_device(options.device)
    learned = open_learned_set(options.checkpoint, device, options.root)
    if learned.note:
        print(learned.note, file=sys.stderr)
    print(f"measuring on {describe_device(device)}", file=sys.stderr)
    settings = QualitySettings(options.distance, options.radius, options.limit, options.steps, options.seed, options.batch_size)
    with politely_stopped(Bar(options.checkpoint.stem)) as progress:
        *_, table = quality(learned, file_digest(options.checkpoint), settings, options.work, progress)
    if options.output:
        save_table(table, options.output)
    print(FORMATS[options.format](table))
    return 0


def _parser() -> argparse.ArgumentParser:
    default = QualitySettings()
    parser = argparse.ArgumentParser(prog="python -m explorer.evaluate", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--distance", choices=("cross_entropy", "squared_error"), default=default.distance)
    parser.add_argument("--radius", type=float, help="another radius than the checkpoint's ε")
    parser.add_argument("--limit", type=int, help="the first pairs of the test split only")
    parser.add_argument("--steps", type=int, default=default.steps, help=f"of PGD ({default.steps})")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--batch-size", type=int, default=default.batch_size)
    parser.add_argument("--format", choices=tuple(FORMATS), default="text")
    parser.add_argument("--output", type=Path, help="also write a results file (JSON)")
    parser.add_argument("--work", type=Path, default=Path("runs/evaluate"), help="folder of finished batches (runs/evaluate)")
    parser.add_argument("--root", type=Path, help="folder of the data sets (EXPLORER_DATA, then ./data)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (auto)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
