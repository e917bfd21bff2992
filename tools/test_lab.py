"""Use each chapter's control in a real JupyterLab: python tools/test_lab.py [NOTEBOOK ...].

Every notebook is run at smoke scale in JupyterLab, in headless Chromium. Then each of the control's
buttons is pressed, and a picture and the panel's words must be there. Pictures of the panels go to
`_build/test-lab/`. Needs Chromium and playwright, and a few minutes.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "_build" / "test-lab"
MINUTES = 60_000  # in the browser's milliseconds
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


# A star stands in the margin of a cell that waits or runs, a number beside one that has run.
IDLE = """() => {
  const cells = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
  const prompts = cells.map(cell => cell.textContent);
  return prompts.some(text => /[0-9]/.test(text)) && !prompts.some(text => text.includes('*'));
}"""
FAILURES = ", ".join(
    f'[data-mime-type="application/vnd.jupyter.{kind}"]' for kind in ("error", "stderr")
)
DRAWN = """() => [...document.querySelectorAll('.jp-OutputArea .widget-vbox img')]
  .some(image => image.naturalWidth > 0)"""
ENABLED = """() => ![...document.querySelectorAll('.jp-OutputArea .jupyter-button')]
  .some(button => button.disabled)"""


def smoke(path: Path) -> dict[str, Any]:
    """The notebook with its parameters at smoke scale and without its outputs."""
    notebook: dict[str, Any] = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        if "parameters" in cell["metadata"].get("tags", []):
            cell["source"] = [*cell["source"], '\nscale = "smoke"']
    return notebook


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """A JupyterLab on a free port of this machine, showing a folder; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--ip=127.0.0.1", "--IdentityProvider.token=live"]
    command += [f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None"]
    settings = folder / ".settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # all cells on the page at once, not only those in view
    whole = json.dumps({"windowingMode": "none"})
    (settings / "tracker.jupyterlab-settings").write_text(whole)
    server = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(folder / ".settings")},
    )
    address = f"http://127.0.0.1:{port}/lab"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}?token=live", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait()


def wait(page: Any, otherwise: str, condition: str, minutes: int) -> None:
    """Ask the page, twice a second, until it says yes."""
    for _ in range(120 * minutes):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(500)
    raise TimeoutError(f"{otherwise} after {minutes} minutes.")


def use(page: Any, address: str, name: str) -> list[str]:
    """Run a notebook, press the buttons of its control, and say what is wrong.

    Args:
        page: a page of the browser.
        address: JupyterLab's.
        name: the notebook's file name.

    Returns:
        What is wrong, in sentences; empty if the control works.
    """
    page.goto(f"{address}/tree/{name}?token=live&reset")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=2 * MINUTES)
    page.wait_for_timeout(4000)  # the menu is there before it knows the notebook
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.wait_for_timeout(500)
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    wait(page, "a cell still runs", IDLE, 5)
    wrong = [
        f"a cell failed: {error.inner_text()[:300]}" for error in page.query_selector_all(FAILURES)
    ]
    buttons = page.locator(".jp-OutputArea .jupyter-button, .jp-OutputArea .widget-button")
    if page.locator(".jp-OutputArea .jupyter-widgets").count() == 0:
        return [*wrong, "no control is shown"]
    for i in range(buttons.count()):
        button = buttons.nth(i)
        button.scroll_into_view_if_needed()
        button.click()
        page.wait_for_timeout(500)
        wait(page, "a button stays disabled", ENABLED, 3)
    panel = page.locator(".jp-OutputArea .widget-vbox").first
    panel.scroll_into_view_if_needed()
    wait(page, "the control shows no picture", DRAWN, 1)
    panel.screenshot(path=PICTURES / f"{Path(name).stem}.png")
    return wrong


def main() -> None:
    """Use the controls of the notebooks named on the command line, or of all."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path)
    notebooks = parser.parse_args().notebooks or sorted((ROOT / "book").glob("*.ipynb"))
    PICTURES.mkdir(parents=True, exist_ok=True)
    browser_path = os.environ.get("BIJEPA_CHROMIUM") or shutil.which("chromium")
    failed = False
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        for path in notebooks:
            (folder / path.name).write_text(json.dumps(smoke(path)), "utf-8")
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        with jupyterlab(folder) as address:
            for path in notebooks:
                page = browser.new_page(viewport={"width": 1280, "height": 1000})
                try:
                    wrong = use(page, address, path.name)
                except TimeoutError as error:
                    wrong = [str(error)]
                print(f"{path.name}: {'; '.join(wrong) or 'works'}", flush=True)
                failed |= bool(wrong)
                page.close()
        browser.close()
    sys.exit(failed)


if __name__ == "__main__":
    main()
