"""python -m explorer.import_classifier FILE --dataset NAME [--mean 0.1307 --std 0.3081]: make a checkpoint of a classifier from elsewhere.

FILE is an .onnx file, or holds the tensors of a known --architecture: a .safetensors file, or what torch.save wrote of a state_dict (.pth, .pt,
.tar). Published Wide ResNets, pre-activation ResNets and ResNets of CIFAR-10 are recognised without one. Nothing that a file carries is executed."""

import argparse
import sys

from explorer.command_line import free_place, import_parser, politely_stopped, run_command
from explorer.configuration import from_mapping
from explorer.hardware import use_all_cores
from explorer.options import add_fields, changed, joined
from explorer.studies.importing import ARCHITECTURES, ImportSettings, import_classifier
from explorer.training import Bar


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns 0, 1 for an error that the user can mend, 130 when stopped."""
    return run_command(run, arguments, "stopped. Nothing was written.")


def run(arguments: list[str]) -> int:
    options = _parser().parse_args(joined(arguments))
    settings = from_mapping(ImportSettings, changed(ImportSettings, vars(options)), "import")
    path = free_place(options, settings.name or options.file.stem[:60])  # before the work
    use_all_cores()
    with politely_stopped(Bar(options.file.stem)) as progress:
        imported = import_classifier(options.file, settings, options.root, progress, pickled=True)
    for note in imported.notes:
        print(note, file=sys.stderr)
    imported.save(path)
    ((measured, accuracy),) = imported.header.metrics.items()
    print(f"{measured} {100 * accuracy:.2f} % on {settings.dataset}", file=sys.stderr)
    print(path)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = import_parser("import_classifier", __doc__)
    add_fields(parser.add_argument_group("what the file does not say", f"architectures: {', '.join(ARCHITECTURES)}"), ImportSettings)
    return parser


if __name__ == "__main__":
    sys.exit(main())
