"""The commands of python -m explorer.runs for people."""

import argparse
import dataclasses
import sys
import time

from explorer.configuration import from_mapping
from explorer.errors import ConfigurationError
from explorer.options import add_fields, changed, joined, option_text
from explorer.registry import look_up
from explorer.training.bars import duration

from . import events
from .cancelling import cancel
from .kinds import KINDS, specify, subject
from .placement import Placement, placement_problems, read_placement
from .slurm import log_tail as slurm_log
from .state import Snapshot
from .store import Run, Store

SEED = ("seed",)  # of the run, not of its parameters


def run(words: list[str]) -> int:
    command, *rest = words
    return look_up(COMMANDS, command, "command")(rest)


def _list(words: list[str]) -> int:
    _parser("list").parse_args(words)
    print(f"{'run':36} {'state':11} {'subject':24} {'device':8} {'progress':>16} {'took':>9} {'left':>9}  label")
    for each in Store().runs():
        seen = each.snapshot()
        print(line(seen))
    return 0


def line(seen: Snapshot) -> str:
    """A run in one line of the list."""
    device = seen.device or (seen.specification.device if seen.specification else "")
    took, left = duration(seen.seconds) if seen.seconds else "", duration(seen.left) if seen.left is not None else ""
    about = subject(seen.specification)[:24] if seen.specification else "?"
    progress = f"{seen.done}/{seen.total}" if seen.total else ""
    return f"{seen.name:36} {seen.state:11} {about:24} {device:8} {progress:>16} {took:>9} {left:>9}  {seen.label}".rstrip()


def _kinds(words: list[str]) -> int:
    _parser("kinds").parse_args(words)
    for name, kind in KINDS.items():
        print(f"{name:12} {kind.title}")
    return 0


def _submit(words: list[str]) -> int:
    name, rest = (words or ["--help"])[0], joined(words[1:])
    if name in ("-h", "--help"):
        print(f"usage: python -m explorer.runs submit KIND [--field value …]\nkinds: {', '.join(KINDS)}; --help after a kind lists its fields")
        return 0
    kind = look_up(KINDS, name, "kind of run")
    parser = argparse.ArgumentParser(prog=f"python -m explorer.runs submit {name}", description=kind.title, add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (auto)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry-run", action="store_true", help="print the specification and stop")
    parser.add_argument("--wait", action="store_true", help="follow it to its end")
    _add_placement(parser)
    add_fields(parser.add_argument_group("inputs; the parameters are listed when these are given"), kind.inputs)
    known, _ = parser.parse_known_args(rest)
    inputs = changed(kind.inputs, vars(known))
    if known.help and not inputs:
        parser.print_help()
        return 0
    default = kind.defaults(from_mapping(kind.inputs, inputs, "inputs").resolved())
    add_fields(parser.add_argument_group("parameters"), default, SEED)
    if known.help:
        parser.print_help()
        return 0
    options = parser.parse_args(rest)
    placement = _placement(options)
    made = specify(name, inputs, changed(default, vars(options), SEED), options.device, options.seed, elsewhere=placement.gpus > 0)
    if options.dry_run:
        print(made.text())
        return 0
    found = Store().submit(made, placement=placement)
    print(found.name)
    return _followed(found) if options.wait else 0


def _show(words: list[str]) -> int:
    found = _chosen("show", words)
    seen = found.snapshot()
    print(line(seen))
    for text in (seen.note, seen.waiting, seen.problem, seen.remark):
        if text:
            print(text)
    if seen.specification:
        print(f"{seen.specification.text()}\n{seen.specification.command}{seen.placement.words}")
    if seen.state == "failed":
        print("\n".join(filter(None, [events.log_tail(found.folder), slurm_log(found.folder)])))
    return 0


def _follow(words: list[str]) -> int:
    return _followed(_chosen("follow", words))


def _followed(found: Run) -> int:
    """Until it ends: 0 where it has finished, else 1. Ctrl-C stops following, not the run."""
    before = None
    while (seen := found.snapshot()).active:
        if (now := f"{line(seen)}  {seen.waiting}".rstrip()) != before:
            print(now, file=sys.stderr)
        before = now
        time.sleep(0.5)
    print(line(seen), file=sys.stderr)
    if seen.problem:
        print(seen.problem, file=sys.stderr)
    return 0 if seen.state == "finished" else 1


def _cancel(words: list[str]) -> int:
    found = _chosen("cancel", words)
    cancel(found.folder, wait=True)
    print(line(found.snapshot()))
    return 0


def _retry(words: list[str]) -> int:
    parser = _parser("retry")
    parser.add_argument("run", help="its name or its number")
    _add_placement(parser)
    options = parser.parse_args(words)
    found = Store().find(options.run)
    Store().retry(found, placement=_placement(options, read_placement(found.folder)))
    print(line(found.snapshot()))
    return 0


def _delete(words: list[str]) -> int:
    found = _chosen("delete", words)
    Store().delete(found)
    return 0


def _add_placement(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where", "no part of what the run is: the same work is the same run anywhere")
    for field in dataclasses.fields(Placement):
        group.add_argument(f"--{field.name}", metavar="VALUE", help=f"{PLACEMENT_HELP[field.name]} ({option_text(field.default)})")


def _placement(options: argparse.Namespace, default: Placement = Placement()) -> Placement:
    """As the options say. Raises ConfigurationError with every problem."""
    found = dataclasses.replace(default, **changed(default, vars(options)))
    if problems := placement_problems(found):
        raise ConfigurationError(problems)
    return found


PLACEMENT_HELP = {
    "backend": "local or slurm", "processes": "how many share the work", "partition": "of the cluster", "gpus": "for each process, in Slurm", "cpus": "for each process, in Slurm",
    "memory": "gigabytes for each node, in Slurm", "minutes": "time limit in Slurm; a run that it stops can go on", "account": "of the cluster",
}  # fmt: skip


def _chosen(command: str, words: list[str]) -> Run:
    parser = _parser(command)
    parser.add_argument("run", help="its name or its number")
    return Store().find(parser.parse_args(words).run)


def _parser(command: str, description: str | None = None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=f"python -m explorer.runs {command}", description=description)


COMMANDS = {
    "list": _list,
    "kinds": _kinds,
    "submit": _submit,
    "show": _show,
    "follow": _follow,
    "cancel": _cancel,
    "retry": _retry,
    "delete": _delete,
}
