"""python -m explorer.train EXPERIMENT [--field value …]: train a model and write its checkpoint.
torchrun --nproc-per-node N -m explorer.train EXPERIMENT …: the same, shared by N processes or GPUs."""

import argparse
import dataclasses
import json
import sys
import typing
from pathlib import Path

from explorer.command_line import politely_stopped, run_command
from explorer.errors import ConfigurationError
from explorer.hardware import describe_device, keep_freed_memory, pick_device, use_all_cores
from explorer.options import add_fields, given, joined
from explorer.papers import EXPERIMENTS
from explorer.papers.base import Experiment, Place
from explorer.registry import look_up
from explorer.storage import runs_folder
from explorer.training import Bar, distributed
from explorer.training.arithmetic import Arithmetic, Precision
from explorer.types import Silent


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns 0, 1 for an error that the user can mend, 130 when stopped."""
    return run_command(run, arguments, "stopped. With --resume it goes on from its last finished epoch.")


def run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("--list", "-h", "--help"):
        print(__doc__ + "\n\n" + listing())
        return 0
    name = arguments[0]
    experiment = look_up(EXPERIMENTS, name, "experiment")
    options = _parser(name, experiment).parse_args(joined(arguments[1:]))
    config = configure(experiment, vars(options))
    output = options.output or runs_folder() / name
    if options.dry_run:
        print(json.dumps({"experiment": name, "output": str(output), **dataclasses.asdict(config)}, indent=1))
        return 0
    use_all_cores()
    keep_freed_memory()
    device = distributed.own_gpu(pick_device(options.device))
    place = Place(output, device, options.root, options.resume, Arithmetic(options.precision, options.channels_last))
    with distributed.joined(device) as member, politely_stopped(Bar(name) if member.first else Unseen()) as progress:
        if member.first:
            many = f", {member.processes} processes" if member.processes > 1 else ""
            print(f"{name} on {describe_device(device)}{many}, writing to {output}", file=sys.stderr)
        try:
            print(experiment.train(name, config, place, progress))
        except distributed.Done:
            pass
    return 0


class Unseen(Silent):
    """The Progress of a process that is not the first: it shows nothing, and can be stopped."""

    cancelled = False


def listing() -> str:
    width = max(map(len, EXPERIMENTS))
    return "Experiments:\n" + "\n".join(f"  {name:{width}}  {entry.description}" for name, entry in EXPERIMENTS.items())


def configure(experiment: Experiment, options: dict[str, typing.Any]) -> typing.Any:
    """The experiment's configuration with the options given as text. Raises ConfigurationError with every problem."""
    changes, found = given(experiment.config, options)
    config = dataclasses.replace(experiment.config, **changes)
    found += experiment.problems(config)
    if found:
        raise ConfigurationError(found)
    return config


def _parser(name: str, experiment: Experiment) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m explorer.train {name}", description=experiment.description)
    parser.add_argument("--dry-run", action="store_true", help="print the configuration and stop")
    parser.add_argument("--resume", action="store_true", help="go on from the last finished epoch in the output folder")
    parser.add_argument("--output", type=Path, help=f"folder for checkpoints and state ({name} in EXPLORER_RUNS, then in ./runs)")
    parser.add_argument("--root", type=Path, help="folder of the data sets (EXPLORER_DATA, then ./data)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (auto)")
    parser.add_argument("--precision", choices=typing.get_args(Precision), default="float32", help="of products and convolutions (float32); bfloat16 is made for GPUs")
    parser.add_argument("--channels-last", action="store_true", help="images pixel by pixel in memory: made for GPUs")
    fields = parser.add_argument_group("configuration", "learning_rate and beta are points epoch:value, stretched to the number of epochs")
    add_fields(fields, experiment.config)
    return parser


if __name__ == "__main__":
    sys.exit(main())
