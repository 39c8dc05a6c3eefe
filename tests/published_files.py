"""Tiny files in the layouts in which MNIST, CIFAR-10 and OrganMNIST are published."""

import gzip
import pickle
import struct
from pathlib import Path

import numpy as np

SPLITS = (("train", 40), ("val", 4), ("test", 10))


def write_published(folder: Path) -> Path:
    """Images drawn at random, their classes one after the other; of MNIST four, so that zeros and ones are in each split."""
    (folder / "MNIST").mkdir()
    (folder / "cifar-10-batches-py").mkdir()
    for part, count in (("train", 44), ("t10k", 12)):
        (folder / "MNIST" / f"{part}-images-idx3-ubyte.gz").write_bytes(_idx(_drawn(count, 28, 28)))
        (folder / "MNIST" / f"{part}-labels-idx1-ubyte.gz").write_bytes(_idx(np.arange(count, dtype=np.uint8) % 4))
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        (folder / "cifar-10-batches-py" / name).write_bytes(pickle.dumps({b"data": _drawn(10, 3072), b"labels": list(range(10))}, protocol=2))
    images = {f"{split}_images": _drawn(count, 28, 28) for split, count in SPLITS}
    labels = {f"{split}_labels": np.arange(count, dtype=np.uint8)[:, None] % 11 for split, count in SPLITS}
    np.savez(folder / "organamnist.npz", **images, **labels)
    return folder


def _drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def _idx(values: np.ndarray) -> bytes:
    return gzip.compress(b"\x00\x00\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes())
