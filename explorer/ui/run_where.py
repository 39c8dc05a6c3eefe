"""Where a run is to be carried out: this machine or a cluster, by how many processes, and with what."""

from dataclasses import replace

import streamlit as st

from explorer.errors import RunError
from explorer.runs import Specification, slurm_queue
from explorer.runs.backends import BACKENDS
from explorer.runs.placement import LOCAL, SLURM, Placement

from .components import plain

OWN = "the cluster's own"
DEVICES = {"cpu": "the CPU", "cuda": "a GPU"}
MOST_HERE, MOST_THERE = 64, 1000


def choose_placement(key: str, default: Placement, training: bool) -> Placement:
    """Controls for a placement; what this machine cannot do says why."""
    backends = [name for name, backend in BACKENDS.items() if backend.available()]
    titles = {name: backend.title for name, backend in BACKENDS.items()}
    backend = st.selectbox("Carried out by", backends, backends.index(default.backend) if default.backend in backends else 0, format_func=titles.get, key=f"{key}-backend")
    most = MOST_THERE if backend == SLURM else MOST_HERE
    share = "Each takes its rows of every batch." if training else "In a cluster each is a job of its own; finished batches are kept and merged."
    processes = st.number_input("Processes that share the work", 1, most, min(default.processes, most), key=f"{key}-processes", help=share)
    if backend == LOCAL:
        if SLURM not in backends:
            st.caption("A cluster can be chosen where Slurm's commands are (sbatch, squeue): they are not on this machine.")
        return replace(Placement(), processes=processes)
    try:
        known = slurm_queue.partitions()
    except RunError as error:
        st.warning(plain(str(error), 300))
        known = {}
    names = [OWN, *known] if not known or any(known.values()) else list(known)
    own = next((f"{OWN}: {name}" for name, chosen in known.items() if chosen), OWN)
    index = names.index(default.partition) if default.partition in names else 0
    partition = st.selectbox("Partition", names, index, format_func=lambda name: own if name == OWN else name, key=f"{key}-partition")
    left, right = st.columns(2)
    with left:
        gpus = st.number_input("GPUs for each", 0, 64, default.gpus, key=f"{key}-gpus")
        minutes = st.number_input("Minutes", 1, 60 * 24 * 365, default.minutes, key=f"{key}-minutes", help="A run that its limit stops can go on from there.")
    with right:
        cpus = st.number_input("Cores for each", 1, 1024, default.cpus, key=f"{key}-cpus")
        memory = st.number_input("Memory, GB", 0, 100_000, default.memory or 0, key=f"{key}-memory", help="Of each node; 0: the cluster's own.")
    return Placement(SLURM, processes, None if partition == OWN else partition, gpus, cpus, memory or None, minutes, default.account)


def placed(specification: Specification, placement: Placement) -> Specification:
    """The same work on the device that the placement has."""
    return replace(specification, device="cuda") if placement.gpus else specification


def where(placement: Placement, device: str) -> str:
    """In words."""
    many = f" by {placement.processes} processes" if placement.processes > 1 else ""
    if not placement.in_slurm:
        return f"on {DEVICES.get(device, device)}{many}"
    gpus = f", {placement.gpus} GPU{'s' if placement.gpus > 1 else ''} each" if placement.gpus else ""
    return f"in Slurm{f', partition {placement.partition}' if placement.partition else ''}{many}{gpus}, at most {placement.minutes} min"
