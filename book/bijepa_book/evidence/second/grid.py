"""Everything that the second edition records."""

from bijepa_book.evidence.second import images, series, why
from bijepa_book.evidence.second.recording import Recording


def recordings() -> list[Recording]:
    """All recordings, those that most claims need first."""
    return [*series.recordings(), *why.recordings(), *images.recordings()]
