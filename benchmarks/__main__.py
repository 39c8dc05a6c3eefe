"""python -m benchmarks [NAME …]: side by side with peers in one run; prints ratios and appends JSON lines."""

import argparse
import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path

from explorer.hardware import available_cores, keep_freed_memory, use_all_cores

MODULES = ("attack", "certification", "metrics", "spectra", "bounds", "budgets", "corruptions", "augmentation", "training", "joint_training", "live", "start", "runs", "sharing")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(MODULES)} (all)")
    parser.add_argument("--output", type=Path, default=Path("runs/benchmarks.jsonl"), help="JSON lines are appended here")
    options = parser.parse_args()
    unknown = set(options.names) - set(MODULES)
    if unknown:
        parser.error(f"unknown benchmark {', '.join(sorted(unknown))}. Known: {', '.join(MODULES)}")
    use_all_cores()
    keep_freed_memory()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    print(f"{'benchmark':58} {'measured':>10} {'limit':>8}  beside")
    for name in options.names or MODULES:
        for row in importlib.import_module(f"benchmarks.{name}").rows():
            measured = row.get("ratio", row.get("value"))
            print(f"{row['benchmark']:58} {measured:10.3f} {row['limit']:8g}  {row['peer']}", flush=True)
            machine = {"cores": available_cores(), "load": os.getloadavg()[0], "python": platform.python_version()}
            with open(options.output, "a", encoding="utf-8") as file:
                file.write(json.dumps({**row, "machine": machine, "time": time.strftime("%Y-%m-%dT%H:%M:%S")}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
