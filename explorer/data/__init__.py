"""Images by name, in [0, 1], and the pairs (clean, perturbed) that perturbation sets are learned from."""

from functools import partial

from .at_hand import Source, images_at_hand
from .base import DatasetEntry, ImageDataset, load_dataset
from .cifar10 import load_cifar10
from .cifar10_variants import load_corrupted_cifar10, load_new_cifar10
from .composites import left_counts, load_doubled, load_watermarked, watermark_masks
from .corruption_pairs import IN_DISTRIBUTION, OUT_OF_DISTRIBUTION, CorruptionPairs
from .digits import load_digits
from .framed import load_framed
from .idx import load_fashion_mnist, load_mnist
from .illumination_pairs import LIGHT_PAIRS
from .medmnist import load_organamnist
from .own_pairs import OWN_PAIRS
from .pair_source import GeneratedPairs, PairBatch, PairKind, PairSource, open_pairs, pair_kind
from .pairs import LinfPairs, Pairs, RtsPairs
from .pictures import read_picture
from .scenes import first_scenes, load_scenes
from .stored_corruptions import stored_corruptions

__all__ = [
    "DATASETS", "IN_DISTRIBUTION", "OUT_OF_DISTRIBUTION", "PAIRS", "STORED_PAIRS", "CorruptionPairs", "DatasetEntry", "GeneratedPairs", "ImageDataset", "LinfPairs", "PairBatch", "PairKind",
    "PairSource", "Pairs", "RtsPairs", "Source", "images_at_hand", "left_counts", "load_corrupted_cifar10", "load_dataset", "open_pairs", "pair_kind", "read_picture", "watermark_masks",
]  # fmt: skip

DATASETS = {
    "digits": DatasetEntry(load_digits, "1,797 scanned digits that come with scikit-learn, resized to 28×28; no download"),
    "scenes": DatasetEntry(load_scenes, "scenes of simple bodies in light, 4,000 / 500 / 1,000 rendered images of 3×32×32 in 8 shapes; no download", first_scenes),
    "mnist": DatasetEntry(load_mnist, "MNIST, 59,000 / 1,000 / 10,000 images of 28×28"),
    "cifar10": DatasetEntry(load_cifar10, "CIFAR-10, 49,000 / 1,000 / 10,000 images of 3×32×32"),
    "cifar10.1": DatasetEntry(load_new_cifar10, "CIFAR-10.1 (v6), 2,000 new test images of CIFAR-10's classes"),
    "fashion_mnist": DatasetEntry(load_fashion_mnist, "Fashion-MNIST, 59,000 / 1,000 / 10,000 images of 28×28"),
    "watermarked_mnist": DatasetEntry(load_watermarked("watermarked_mnist"), "MNIST with a faint zero or one in a margin, 20 classes (Budgets, §4.2)"),
    "watermarked_digits": DatasetEntry(load_watermarked("watermarked_digits"), "the same of the embedded digits; no download"),
    "doubled_cifar10": DatasetEntry(load_doubled("doubled_cifar10"), "CIFAR-10 in pairs of 3×36×64, a coloured border says which image counts (Budgets, §4.3)"),
    "doubled_digits": DatasetEntry(load_doubled("doubled_digits"), "the same of the embedded digits, 3×32×56; no download"),
    "framed_mnist": DatasetEntry(load_framed("framed_mnist"), "MNIST in the middle of 42×42 pixels, the clean images of RTS pairs (Perturbation sets, Appendix D.1)"),
    "framed_digits": DatasetEntry(load_framed("framed_digits"), "the same of the embedded digits; no download"),
    "organamnist": DatasetEntry(load_organamnist, "OrganMNIST (axial) of MedMNIST, 34,561 / 6,491 / 17,778 CT slices of 28×28 in 11 organs"),
}

PAIRS = {
    "rts": RtsPairs,
    "linf": LinfPairs,
    "corruptions": CorruptionPairs,
    "corruptions-original": partial(CorruptionPairs, pairing="original"),
    "corruptions-perturbed": partial(CorruptionPairs, pairing="perturbed"),
    "corruptions-others": partial(CorruptionPairs, corruptions=OUT_OF_DISTRIBUTION),
}
"""Pairs made from images; these and the stored ones have a source each, `open_pairs`."""

STORED_PAIRS: dict[str, PairKind] = {
    "own": OWN_PAIRS,
    "lights": LIGHT_PAIRS,
    **{f"stored-{name}": stored_corruptions(PAIRS[name]) for name in ("corruptions", "corruptions-original", "corruptions-perturbed", "corruptions-others")},
}
"""Pairs that lie in files: `PairKind(open, problems, at_hand)` by name."""
