"""Which device to compute on, and how many threads."""

import ctypes
import os
import sys

import torch

from .errors import InvalidInput


KEPT_BYTES, LARGEST_KEPT = 1 << 30, 32 << 20  # at most so much in all, and of blocks up to so much


def available_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def use_all_cores(spare: int = 0) -> None:
    """Give torch as many threads as this process has cores, less `spare`; more cost far more than they bring.

    An explicit OMP_NUM_THREADS is left alone."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, available_cores() - spare))


def keep_freed_memory() -> None:
    """Let this process use freed memory again instead of handing it back to the system (glibc's mallopt). Tensors come and go with every
    operation, and pages that are fresh each time cost more than the arithmetic on them. Other systems are left as they are."""
    if not sys.platform.startswith("linux"):
        return
    trim_threshold, mmap_threshold = -1, -3
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    set_option(trim_threshold, KEPT_BYTES)
    set_option(mmap_threshold, LARGEST_KEPT)


def pick_device(name: str = "auto") -> torch.device:
    """`auto` is the GPU where there is one. Raises InvalidInput for a device this machine lacks."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InvalidInput(f"unknown device {name!r}. Expected auto, cpu, cuda or cuda:N.") from None
    if device.type not in ("cpu", "cuda"):
        raise InvalidInput(f"device {name!r} is not supported. Expected auto, cpu, cuda or cuda:N.")
    if device.type == "cuda" and not (device.index or 0) < torch.cuda.device_count():
        raise InvalidInput(f"device {name!r} is not on this machine ({torch.cuda.device_count()} GPUs). Use cpu or auto.")
    return device


def describe_device(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"
