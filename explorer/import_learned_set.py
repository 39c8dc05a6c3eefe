"""python -m explorer.import_learned_set FILE.pth [--radius 28]: make a checkpoint of a set that the paper's published code has trained, or of a
segmenter that it has trained in one.

The networks of MNIST (fully connected, convolutional, spatial transformers), of CIFAR-10's corruptions and of multi-illumination scenes are
recognised by their tensors, and the U-Nets that name materials; those of scenes are the same at every resolution: name one other than mip5 with
--dataset multi_illumination-mip4. Only tensors and numbers are read from the file; nothing that it carries is executed."""

import argparse
import sys

import torch

from explorer.checkpoints import save
from explorer.command_line import free_place, import_parser, politely_stopped, run_command
from explorer.configuration import from_mapping
from explorer.hardware import pick_device, use_all_cores
from explorer.options import add_fields, changed, joined
from explorer.papers.learned_sets.published import PublishedSettings, import_published
from explorer.training import Bar


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns 0, 1 for an error that the user can mend, 130 when stopped."""
    return run_command(run, arguments, "stopped. Nothing was written.")


def run(arguments: list[str]) -> int:
    options = _parser().parse_args(joined(arguments))
    settings = from_mapping(PublishedSettings, changed(PublishedSettings, vars(options)), "import")
    use_all_cores()
    with politely_stopped(Bar(options.file.stem)) as progress:
        imported = import_published(options.file, settings, options.root, pick_device(options.device), progress, lambda name: free_place(options, name))
    for note in imported.notes:
        print(note, file=sys.stderr)
    path = free_place(options, imported.header.name)  # once more: it took a while
    save(path, imported.model, imported.header, torch.float32)
    print(path)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = import_parser("import_learned_set", __doc__)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (auto)")
    add_fields(parser.add_argument_group("what the file does not say"), PublishedSettings)
    return parser


if __name__ == "__main__":
    sys.exit(main())
