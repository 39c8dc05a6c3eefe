"""What a user can meet. Each message says what was expected, what came, and what to do."""


class ExplorerError(Exception):
    """The base of every error that is shown to a user as a message instead of a traceback."""


class UnknownName(ExplorerError, KeyError):
    """A name that is in none of the tables."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class InvalidInput(ExplorerError, ValueError):
    """An array, image, radius or argument outside what the function accepts."""


class ConfigurationError(InvalidInput):
    """One or more impossible configuration fields, all reported at once."""

    def __init__(self, problems: list[str]):
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


class UnsupportedOperation(ExplorerError):
    """A network computes something that has no rule in the tables of bounds."""


class DataNotFound(ExplorerError, FileNotFoundError):
    """A data set whose files are not where they were looked for."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class CheckpointError(ExplorerError):
    """A checkpoint that cannot be used."""


class CheckpointUnreadable(CheckpointError):
    """Not a checkpoint at all, or a damaged one."""


class CheckpointTooNew(CheckpointError):
    """Written by a later format of this package."""


class CheckpointMismatch(CheckpointError):
    """The tensors in the file are not the ones its header promises."""


class OutputError(ExplorerError, OSError):
    """A file or folder that could not be written. What was there before is unchanged."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class RunError(ExplorerError):
    """A run that cannot be started, cancelled or deleted as it is."""


class RunUnreadable(RunError):
    """A folder that holds no run, a damaged one, or one of a later version."""


class Cancelled(ExplorerError):
    """The user asked a long computation to stop."""
