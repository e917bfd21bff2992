"""``python -m bijepa_core`` is the program ``bijepa``."""

import sys

from bijepa_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
