"""The demos' sources where they draw nothing: their own tests, and their systems by ours."""

import json
import shutil
import subprocess
import sysconfig

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from bijepa_book.evidence.futures import well
from bijepa_core.regularizers import whitened
from tests.site.browsing import ROOT

SOURCES = ROOT / "book" / "interactive"


def node(*arguments: str) -> str:
    """What Node prints; it comes with the environment."""
    found = shutil.which("node", path=sysconfig.get_path("scripts")) or shutil.which("node")
    if found is None:
        pytest.skip("no Node")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_sources_pass_their_own_tests() -> None:
    files = sorted(map(str, (SOURCES / "test").glob("*.test.js")))
    assert files
    node("--test", *files)


def test_a_batch_whitened_in_the_page_has_the_identity_for_its_covariance() -> None:
    """Two batches of far and near directions; and each entry is the core's."""
    library = SOURCES / "node_modules" / "@jax-js" / "jax" / "dist" / "index.js"
    if not library.exists():
        pytest.skip("npm's packages are not there: make book installs them")
    generator = torch.Generator().manual_seed(0)
    normal, mixing = (torch.randn(2, n, 16, generator=generator) for n in (64, 16))
    s = normal * torch.logspace(-0.5, 0.5, 16) @ torch.linalg.qr(mixing).Q + 1
    source = SOURCES / "src" / "regularizers.js"
    script = f"""
        import {{ defaultDevice, init, numpy as np }} from {json.dumps(library.as_uri())};
        import {{ whitened }} from {json.dumps(source.as_uri())};
        await init("wasm");
        defaultDevice("wasm");
        const s = np.array(Float32Array.from({s.flatten().tolist()})).reshape([2, 64, 16]);
        console.log(JSON.stringify([...whitened(s).dataSync()]));
    """
    found = torch.tensor(json.loads(node("--input-type=module", "--eval", script))).view(2, 64, 16)
    covariance = found.mT @ found / 64
    assert (covariance - torch.eye(16)).abs().max() < 0.005  # the least variance is 0.05 or so
    assert (found - whitened(s.double())).abs().max() < 1e-4


@pytest.mark.parametrize("start", [(7.7, 10.6, 21.3), (40.0, -40.0, 80.0)])
def test_orbits_in_the_page_are_scipys(start: tuple[float, float, float]) -> None:
    """Two time units from the attractor, and from the farthest start that the page allows."""
    script = f"""
        import {{ later, orbit }} from {json.dumps((SOURCES / "src" / "system.js").as_uri())};
        console.log(JSON.stringify([...orbit({list(start)}, 200), later({list(start)}, 2)]));
    """
    found = np.array(json.loads(node("--input-type=module", "--eval", script)))

    def velocity(_: float, state: np.ndarray) -> list[float]:
        x, y, z = state
        return [10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z]

    times = np.arange(1, 201) / 100
    solved = solve_ivp(
        velocity, (0, 2), start, method="DOP853", t_eval=times, rtol=1e-12, atol=1e-12
    )
    assert np.abs(found[:-1] - solved.y.T).max() < 1e-6
    assert np.abs(found[-1] - solved.y[:, -1]).max() < 1e-3  # ten times fewer steps


def test_particles_in_the_page_follow_the_exact_law() -> None:
    """Of the future given the past, and of the past given the future."""
    count = 10_000
    given = {
        **{"sigma": well.SIGMA, "time": well.TIME, "dt": well.DT, "edge": well.EDGE},
        "stationary": well.stationary().tolist(),
    }
    well_source, random = (
        (SOURCES / "src" / f"{one}.js").as_uri() for one in ("double-well", "random")
    )
    script = f"""
        import {{ pairs }} from {json.dumps(well_source)};
        import {{ uniforms }} from {json.dumps(random)};
        const views = pairs({count}, {json.dumps(given)}, uniforms(0, 1));
        console.log(JSON.stringify(views.map((one) => [...one])));
    """
    x, y = torch.tensor(json.loads(node("--input-type=module", "--eval", script)))[..., None]
    for known, asked in ((x, y), (y, x)):
        level = well.below(well.law(known), asked).sort().values  # uniform, if the law is right
        gap = (level - (torch.arange(count) + 0.5) / count).abs().max()
        assert gap < 1.63 / count**0.5  # Kolmogorov and Smirnov at 1 %
