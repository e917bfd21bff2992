"""``python -m bijepa_book`` is the program ``bijepa``."""

import sys

from bijepa_book.cli import main

if __name__ == "__main__":
    sys.exit(main())
