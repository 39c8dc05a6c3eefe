"""What bounds cost beside a clean pass of the same network, and beside the best public engine where it is at hand.

Where the floor lies: interval propagation takes every layer twice, once for the centre and once for the radius with absolute weights;
CROWN-IBP adds two transposed convolutions a layer for each margin; a training step adds their gradients. AUTO_LIRPA names the source
tree of auto_LiRPA, which is then measured in the same run, interleaved. Both record the network once, before."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from explorer.bounds import Interval, bounds, cross_entropy_bound, elbo_lower_bound, margin_rows, trace
from explorer.models import build_model
from explorer.models.vae import elbo

PEER_VARIABLE = "AUTO_LIRPA"


@dataclass(frozen=True)
class Case:
    """One row: what is done, with what it is compared, the aims as multiples of it and in MiB, and what was found for the best public
    engine on a quiet machine."""

    name: str
    model: str
    batch: int
    work: str
    limit: float
    published: float
    memory_limit: float | None = None
    repetitions: int = 9


CASES = (
    Case("DM-small, IBP forward", "dm_small", 128, "ibp", 3.0, 4.4),
    Case("DM-small, IBP training step", "dm_small", 128, "ibp training", 2.3, 2.9),
    Case("DM-small, CROWN-IBP forward, 9 margins", "dm_small", 128, "crown-ibp", 25, 46, 110),
    Case("DM-small, fused CROWN-IBP training step", "dm_small", 128, "fused training", 6, 9.3),
    Case("DM-large, IBP forward", "dm_large", 32, "ibp", 2.5, 3.3, repetitions=7),
    Case("DM-large, CROWN-IBP forward, 9 margins", "dm_large", 32, "crown-ibp", 18, 31, 400, repetitions=7),
    Case("DM-large, fused CROWN-IBP training step", "dm_large", 32, "fused training", 4, 5, repetitions=7),
    Case("DM-small, CROWN, 9 margins", "dm_small", 32, "crown", 900, 1839, 600, repetitions=7),
)


def rows() -> Iterator[dict]:
    for case in CASES:
        yield from measure(case)
    yield measure_elbo()


def measure_elbo() -> dict:
    """The certified bound of the ELBO beside the ELBO, of the paper's VAE for MNIST."""
    torch.manual_seed(0)
    model = build_model("vae", {}).eval()
    x, noise = torch.rand(64, 1, 28, 28), torch.randn(64, model.latent_dim)

    def bound():
        with torch.no_grad():
            return elbo_lower_bound(model, x, 0.05, noise)

    def plain():
        with torch.no_grad():
            return elbo(model, x, noise)

    ratio, seconds, _ = _interleaved(bound, plain, None, 9)
    return {"benchmark": "bounds: elbo_lower_bound", "ratio": ratio, "limit": 3.0, "peer": "ELBO, batch 64", "details": {"seconds": seconds}}


def measure(case: Case) -> list[dict]:
    """Rows for the time, and for the memory where there is an aim."""
    work, clean, peer = _works(case)
    ratios, seconds, peer_ratios = _interleaved(work, clean, peer, case.repetitions)
    beside = f"clean pass, batch {case.batch}; best public engine found at {case.published:g}" + (f", here at {peer_ratios:.3g}" if peer else "")
    details = {"batch": case.batch, "repetitions": case.repetitions, "seconds": seconds, "threads": torch.get_num_threads(), "auto_lirpa_ratio": peer_ratios}
    found = [{"benchmark": f"bounds: {case.name}", "ratio": ratios, "limit": case.limit, "peer": beside, "details": details}]
    if case.memory_limit is not None and (memory := _memory_in_a_new_process(case, "ours")) is not None:
        here = f", here {_memory_in_a_new_process(case, 'peer'):.0f}" if peer else ""
        found.append({"benchmark": f"bounds: {case.name}, MiB", "value": memory, "limit": case.memory_limit, "peer": f"above a clean pass, in a process of its own{here}"})
    return found


def _works(case: Case) -> tuple[Callable[[], object], Callable[[], object], Callable[[], object] | None]:
    """Our work, the clean pass, and the peer's work where it is at hand."""
    torch.manual_seed(0)
    large = case.model == "dm_large"
    model = build_model(case.model, {"channels": 3, "height": 32, "width": 32} if large else {}).eval()
    x = torch.rand(case.batch, *((3, 32, 32) if large else (1, 28, 28)))
    labels = torch.randint(10, (case.batch,))
    box, rows_ = Interval.around(x, 0.01 if large else 0.1, 0.0, 1.0), margin_rows(labels, 10)
    peer = _peer(case.work, model, x, box, labels, rows_) if os.environ.get(PEER_VARIABLE) else None
    return _ours(case.work, model, box, labels, rows_), _clean(case.work, model, x, labels), peer


def _ours(work: str, model, box, labels, specification) -> Callable[[], object]:
    network = trace(model, box.lower)

    def forward():
        with torch.no_grad():
            return bounds(network, box, work, specification, ends="lower")

    def training():
        method = "ibp" if work == "ibp training" else "crown-ibp"
        return _step(model, lambda: cross_entropy_bound(network, box, labels, method).mean())

    return training if "training" in work else forward


def _clean(work: str, model, x, labels) -> Callable[[], object]:
    def forward():
        with torch.no_grad():
            return model(x)

    return (lambda: _step(model, lambda: F.cross_entropy(model(x), labels))) if "training" in work else forward


def _step(model, loss: Callable[[], torch.Tensor]) -> None:
    model.zero_grad(set_to_none=True)
    loss().backward()


def _peer(work: str, model, x, box, labels, specification) -> Callable[[], object]:
    """auto_LiRPA on the same network and box: lower bounds of the margins; for training their cross-entropy."""
    sys.path.insert(0, os.environ[PEER_VARIABLE])
    from auto_LiRPA import BoundedModule, BoundedTensor
    from auto_LiRPA.perturbations import PerturbationLpNorm

    bounded = BoundedModule(model, x, device="cpu")
    inputs = BoundedTensor(x, PerturbationLpNorm(norm=float("inf"), x_L=box.lower, x_U=box.upper))
    method = {"ibp": "IBP", "ibp training": "IBP", "crown-ibp": "CROWN-IBP", "fused training": "CROWN-IBP", "crown": "CROWN"}[work]

    def margins():
        return bounded.compute_bounds(x=(inputs,), C=specification, method=method, bound_upper=False)[0]

    def forward():
        with torch.no_grad():
            return margins()

    def training():
        return _step(bounded, lambda: F.cross_entropy(torch.cat([torch.zeros(len(x), 1), -margins()], 1), torch.zeros(len(x), dtype=torch.long)))

    return training if "training" in work else forward


def _interleaved(work, clean, peer, repetitions: int) -> tuple[float, float, float | None]:
    work(), clean(), clean()
    if peer:
        peer()
    ours, peers, times = [], [], []
    for _ in range(repetitions):
        base = statistics.median(_seconds(clean) for _ in range(5))
        times.append(_seconds(work))
        if peer:
            peers.append(_seconds(peer))
        base = (base + statistics.median(_seconds(clean) for _ in range(5))) / 2
        ours.append(times[-1] / base)
        if peer:
            peers[-1] /= base
    return statistics.median(ours), statistics.median(times), statistics.median(peers) if peer else None


def _seconds(run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _memory_in_a_new_process(case: Case, whose: str) -> float | None:
    """MiB; None where the system does not tell. In this process the memory that earlier work has left would be taken again."""
    found = subprocess.run([sys.executable, "-m", "benchmarks.bounds", case.name, whose], capture_output=True, text=True, check=True).stdout.split()
    return float(found[-1]) if found else None


def _memory(run) -> float | None:
    """MiB that the process grows by at most while it runs; None where the system does not tell."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    before = _status("VmRSS")
    run()
    return (_status("VmHWM") - before) / 1024


def _status(name: str) -> int:
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))


def _print_memory(name: str, whose: str) -> None:
    """What a first run of the work takes beyond what two clean passes have left."""
    ours, clean, peer = _works(next(case for case in CASES if case.name == name))
    work = ours if whose == "ours" else peer
    clean(), clean()
    if (memory := _memory(work)) is not None:
        print(memory)


if __name__ == "__main__":
    _print_memory(*sys.argv[1:])
