"""python -m explorer.data NAME [--root DIR]: read a data set, and download it where it is missing and the network allows."""

import argparse
import sys
from pathlib import Path

from explorer.data import DATASETS, load_dataset
from explorer.errors import ExplorerError


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m explorer.data", description=__doc__)
    parser.add_argument("name", help=", ".join(DATASETS))
    parser.add_argument("--root", type=Path, help="folder of the data sets (EXPLORER_DATA, then ./data)")
    options = parser.parse_args(arguments)
    try:
        for split in ("train", "validation", "test"):
            dataset = load_dataset(options.name, split, options.root)
            print(f"{split:10} {len(dataset):6} images {tuple(dataset.images.shape[1:])}, fingerprint {dataset.fingerprint()}")
    except ExplorerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
