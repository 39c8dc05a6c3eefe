"""What a run is to do: frozen, as JSON, with a fingerprint."""

import hashlib
import json
import shlex
from dataclasses import asdict, dataclass, field
from pathlib import Path

from explorer.configuration import from_mapping
from explorer.errors import ConfigurationError, RunUnreadable
from explorer.options import option_text

FORMAT = 1
LARGEST_FILE = 1 << 20
FILE = "specification.json"


@dataclass(frozen=True)
class Specification:
    """A kind of work, what it works on, how, on which device, and its seed; all of it plain JSON values.

    `kinds.specify` makes one with every field filled in and checked."""

    kind: str
    inputs: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    device: str = "cpu"
    seed: int = 0
    format: int = FORMAT

    def text(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits, the same for the same work."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    @property
    def command(self) -> str:
        """The command line that submits this run again."""
        words = ["python", "-m", "explorer.runs", "submit", self.kind]
        for name, value in {**self.inputs, **self.parameters, "device": self.device, "seed": self.seed}.items():
            words += [f"--{name.replace('_', '-')}", option_text(value)]
        return shlex.join(words)


def read_specification(path: Path) -> Specification:
    """The specification in a file. Raises RunUnreadable saying what is wrong with it."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise RunUnreadable(f"{path} has more than {LARGEST_FILE >> 20} MB: it is no specification of a run.")
        content = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(content, ensure_ascii=False).encode()
    except OSError as error:
        raise RunUnreadable(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise RunUnreadable(f"{path} is damaged: it is not JSON. Delete the run, or copy its folder again.") from None
    if not isinstance(content, dict) or type(content.get("format")) is not int:
        raise RunUnreadable(f"{path} is not the specification of a run: expected an object with a format number.")
    if content["format"] > FORMAT:
        raise RunUnreadable(f"{path} has format {content['format']}, this version reads up to {FORMAT}. Update the explorer.")
    try:
        return from_mapping(Specification, content, path.name)
    except ConfigurationError as error:
        raise RunUnreadable(f"{path} is not the specification of a run: {error}") from None
