"""python -m explorer.import_backbone FILE [--dataset cifar10]: make a checkpoint of published weights of EDSR or of the compressive autoencoder.

FILE is what torch.save wrote of a state_dict: edsr_baseline_x4.pt, or the model_final.state of DeepAugment. Only tensors are read from it
(weights_only); they are told by their shapes, and a new safetensors file is written."""

import argparse
import hashlib
import sys

from explorer.checkpoints import Header, save
from explorer.command_line import free_place, import_parser, run_command
from explorer.data import load_dataset
from explorer.errors import InvalidInput
from explorer.hardware import use_all_cores
from explorer.models import build_model
from explorer.models.tensor_files import read_tensor_file
from explorer.papers.adversarial_augmentation.backbone_config import KIND
from explorer.papers.adversarial_augmentation.backbone_training import likeness
from explorer.papers.adversarial_augmentation.published_backbones import recognised
from explorer.provenance import code_revision, library_versions

UNLIKE = 0.5  # an SSIM below which the weights hardly belong together


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns 0, 1 for an error that the user can mend, 130 when stopped."""
    return run_command(run, arguments, "stopped. Nothing was written.")


def run(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    path = free_place(options, options.name or options.file.stem)
    use_all_cores()
    images = load_dataset(options.dataset, "test", options.root, options.limit)
    tensors, content = read_tensor_file(options.file)
    try:
        found = recognised(tensors)
        if found.config["channels"] != images.images.shape[1]:
            raise InvalidInput(f"it takes images of {found.config['channels']} channels, those of {options.dataset!r} have {images.images.shape[1]}.")
    except InvalidInput as error:
        raise InvalidInput(f"{options.file.name}: {error}") from None
    model = build_model(found.model, found.config)
    model.load_state_dict(found.tensors)
    metrics = likeness(model.eval(), images.images)
    header = Header(
        kind=KIND, name=path.stem[:60], model=found.model, model_config=found.config, dataset={"name": options.dataset, "fingerprint": images.fingerprint(), "measured": len(images)},
        training={"imported_from": options.file.name[:200], "sha256": hashlib.sha256(content).hexdigest()}, metrics=metrics, seed=0, radius=0.0, percentile_radii={},
        description=f"Imported from {options.file.name[:100]}.", versions=library_versions(), revision=code_revision(),
    )  # fmt: skip
    save(path, model, header)
    print(f"{found.model} {found.config}: SSIM {metrics['ssim']:.3f} between {len(images)} test images of {options.dataset} and what it makes of them", file=sys.stderr)
    if metrics["ssim"] < UNLIKE:
        print("so little that its tensors may stand in another order, or expect another range of pixels", file=sys.stderr)
    print(path)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = import_parser("import_backbone", __doc__)
    parser.add_argument("--dataset", default="cifar10", help="whose test images it is tried on (cifar10)")
    parser.add_argument("--limit", type=int, default=500, help="on how many of them (500)")
    parser.add_argument("--name", default="", help="of the checkpoint (the file's)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
