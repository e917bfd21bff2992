"""Errors that carry a rule, what was received, and how to mend it.

Wrong arguments raise the ordinary ``ValueError`` or ``TypeError``; the classes here are for
what a caller may want to catch by name.
"""


class DataNotFoundError(FileNotFoundError):
    """A data set is not on this machine and could not be downloaded."""


class CorruptDataError(RuntimeError):
    """A data file is there, but its content is not what it should be."""


class CheckpointError(RuntimeError):
    """A checkpoint is cut short, unsafe, or belongs to another configuration."""


class FolderError(CheckpointError):
    """A folder for checkpoints or results cannot be written to, or another run is using it."""


class StoppedBySignal(KeyboardInterrupt):
    """Ctrl-C, SIGTERM or SIGHUP ended the work; what can be kept has been kept.

    Args:
        message: the full sentence shown to the user.
        signal: its number; a command ends with 128 and this.
    """

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal


class CollapseWarning(UserWarning):
    """In training the embedding hardly differs between samples any more."""


class NormalizationWarning(UserWarning):
    """Predictors normalize and the encoder does not, which fails for some seeds and not others."""


class NonFiniteLossError(FloatingPointError):
    """The training loss became NaN or infinite.

    Args:
        message: the full sentence shown to the user.
        step: the first step (counted from 0) whose loss was not finite.
        seeds: positions on the seed axis that were affected; empty without a seed axis.
    """

    def __init__(self, message: str, step: int, seeds: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.step = step
        self.seeds = seeds
