"""python -m explorer.runs list | kinds | submit KIND [--field value …] | show RUN | follow RUN | cancel RUN | retry RUN | delete RUN
python -m explorer.runs RUN_DIR: carry out the run in that folder, here and now."""

import argparse
import os
import sys
from pathlib import Path

USAGE = ("list", "kinds", "submit", "show", "follow", "cancel", "retry", "delete")


def main(arguments: list[str] | None = None) -> int:
    """The command. A worker imports little before it has its device; the other commands are in `commands`."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    if words[0] not in USAGE and ("/" in words[0] or Path(words[0]).is_dir()):
        return _work(words)
    from explorer.command_line import run_command

    from .commands import run

    return run_command(run, words, "stopped. The run goes on; cancel it with python -m explorer.runs cancel.")


def _work(words: list[str]) -> int:
    from .jobs import help_out, work_in_job
    from .processes import marked
    from .team import Team
    from .worker import work

    parser = argparse.ArgumentParser(prog="python -m explorer.runs RUN_DIR", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lock", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--places", help=argparse.SUPPRESS)
    parser.add_argument("--processes", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--member", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--scheduled", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if not options.folder.is_dir():
        print(f"error: {options.folder} is no folder. Expected that of a run; see python -m explorer.runs list.", file=sys.stderr)
        return 1
    marked(options.folder, ["-m", "explorer.runs", *words])
    names, team = options.places.split(",") if options.places else None, Team(options.processes, options.scheduled)
    if options.member is not None:
        status = help_out(options.folder, options.member, names, team)
    elif options.scheduled is not None:
        status = work_in_job(options.folder, team)
    else:
        status = work(options.folder, options.lock, names, team)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # at once: what torch would tidy up ends with the process


if __name__ == "__main__":
    sys.exit(main())
