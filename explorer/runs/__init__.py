"""Long work outside the page's process: a run is a frozen specification, a folder, and a worker that carries it out.

Importing this imports no torch: a worker that waits for its device costs little. What can be run stands in `kinds`."""

from .cancelling import cancel
from .launching import launch
from .specification import Specification, read_specification
from .state import ACTIVE, Snapshot, State
from .store import Run, Store

__all__ = ["ACTIVE", "Run", "Snapshot", "Specification", "State", "Store", "cancel", "launch", "read_specification"]
