"""Everything that the second edition records."""

from bijepa_book.evidence.second import series
from bijepa_book.evidence.second.recording import Recording


def recordings() -> list[Recording]:
    """All recordings, those that most claims need first."""
    return [*series.recordings()]
