"""Imports point one way; Streamlit and computing stay where they belong."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = [
    {"types", "errors", "locks", "configuration", "hardware", "provenance", "storage", "batches", "options"},
    {"registry", "randomness"},
    {"metrics"},
    {"data"},
    {"models"},
    {"checkpoints"},
    {"sets"},
    {"attacks", "bounds", "smoothing"},
    {"evaluation"},
    {"training"},
    {"command_line", "measuring"},
    {"figures"},
    {"papers", "studies"},
    {"runs"},
    {"train", "evaluate", "import_backbone", "import_classifier", "import_learned_set", "ui"},
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
MODULES = sorted((ROOT / "explorer").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imported(path: Path) -> set[str]:
    """Absolute names of all modules a file imports, also inside functions."""
    package = path.relative_to(ROOT).parent.parts
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def room(path: Path) -> str:
    part = path.relative_to(ROOT / "explorer").parts[0]
    return part.removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_its_own_layer_and_those_before(path):
    own = room(path)
    if own == "__init__":
        return
    assert own in LEVEL, f"{own} has no layer"
    rooms = {name.split(".")[1] for name in imported(path) if name.startswith("explorer.")}
    later = {each for each in rooms & LEVEL.keys() if LEVEL[each] > LEVEL[own]}
    beside = {each for each in rooms & LEVEL.keys() if LEVEL[each] == LEVEL[own] and each != own} - LAYERS[0] - LAYERS[1]
    assert not later | beside


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_streamlit_is_imported_in_the_ui_only(path):
    assert room(path) == "ui" or not any(name.split(".")[0] == "streamlit" for name in imported(path))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_computes_nothing(path):
    assert not {name.split(".")[0] for name in imported(path)} & {"torch", "numpy"}


@pytest.mark.parametrize("path", [*MODULES, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_unpickled(path):
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    unpickling = [call for call in calls if ast.unparse(call.func) in ("torch.load", "pickle.load", "pickle.loads")]
    if path.stem == "tensor_files":  # for commands that read tensors alone and write a new file
        unpickling = [call for call in unpickling if "weights_only=True" not in ast.unparse(call)]
    assert not unpickling


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_is_short(path):
    assert len(path.read_text().splitlines()) <= 120


def test_shipped_checkpoints_fit_into_25_megabytes():
    sizes = [path.stat().st_size for path in (ROOT / "checkpoints").rglob("*.safetensors")]
    assert sizes and sum(sizes) <= 25_000_000


def test_the_learned_sets_fit_into_9_megabytes():
    sizes = [path.stat().st_size for path in (ROOT / "checkpoints" / "learned_sets").glob("*.safetensors")]
    assert sizes and sum(sizes) <= 9_000_000
