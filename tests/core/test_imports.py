"""What only plots, controls or one data set need is loaded when it is used, not with the core."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LATE = {"IPython", "ipywidgets", "joblib", "matplotlib", "scipy", "sklearn", "torchvision"}
PROGRAM = """
import importlib, json, pkgutil, sys
import bijepa_core
names = [m.name for m in pkgutil.walk_packages(bijepa_core.__path__, "bijepa_core.")]
for name in names:
    importlib.import_module(name)
print(json.dumps({"imported": names, "loaded": sorted(sys.modules)}))
"""


def test_importing_the_whole_core_loads_nothing_that_can_wait() -> None:
    """In a fresh interpreter: this one has long loaded all of it."""
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {"bijepa_core.data.mnist", "bijepa_core.evaluation.probes"} <= set(answer["imported"])
    assert LATE.isdisjoint(answer["loaded"]), LATE & set(answer["loaded"])
