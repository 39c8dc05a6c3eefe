"""Images by name, in [0, 1], and the pairs (clean, perturbed) that perturbation sets are learned from."""

from .at_hand import Source, images_at_hand
from .base import DatasetEntry, ImageDataset, load_dataset
from .cifar10 import load_cifar10
from .digits import load_digits
from .idx import load_fashion_mnist, load_mnist
from .pairs import LinfPairs, Pairs, RtsPairs
from .pictures import read_picture

__all__ = ["DATASETS", "PAIRS", "DatasetEntry", "ImageDataset", "LinfPairs", "Pairs", "RtsPairs", "Source", "images_at_hand", "load_dataset", "read_picture"]

DATASETS = {
    "digits": DatasetEntry(load_digits, "1,797 scanned digits that come with scikit-learn, resized to 28×28; no download"),
    "mnist": DatasetEntry(load_mnist, "MNIST, 59,000 / 1,000 / 10,000 images of 28×28"),
    "cifar10": DatasetEntry(load_cifar10, "CIFAR-10, 49,000 / 1,000 / 10,000 images of 3×32×32"),
    "fashion_mnist": DatasetEntry(load_fashion_mnist, "Fashion-MNIST, 59,000 / 1,000 / 10,000 images of 28×28"),
}

PAIRS = {
    "rts": RtsPairs,
    "linf": LinfPairs,
}
