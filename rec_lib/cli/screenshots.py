"""Take the pictures that the README shows: the start page and two panels, in a real browser, after Run All.

python -m rec_lib.cli screenshots                 all of them, into assets/screenshots/
python -m rec_lib.cli screenshots node2vec lsh    these
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import Browser

from rec_lib.cli.browser import Lab, LabPage, chromium, serve
from rec_lib.paths import root

MAX_BYTES = 300_000
SHOTS = {  # name: notebook, what is cropped to, height of the window in pixels
    "start": ("00_start_here.ipynb", "h2:has-text('The map')", 1120),
    "node2vec": ("ch04_embeddings/04_04_2_node2vec.ipynb", ".rec-panel", 1400),
    "lsh": ("ch04_embeddings/04_06_lsh.ipynb", ".rec-panel", 1400),
}


def take(browser: Browser, lab: Lab, name: str, folder: Path) -> Path:
    """Run the notebook and store one picture.

    Raises:
        RuntimeError: if the notebook does not run cleanly (a picture of an error helps nobody), or the file is too large.
    """
    notebook, place, height = SHOTS[name]
    view = LabPage(browser, lab, width=1280, height=height)
    view.open(notebook)
    view.run_all()
    if failures := view.failures():
        raise RuntimeError(f"{notebook} does not run cleanly: {failures}")
    view.page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
    target = view.page.locator(place).last
    target.evaluate("element => element.scrollIntoView(true)")
    view.page.mouse.move(0, 0)  # no hover label in the picture
    view.page.wait_for_timeout(2000)  # plots follow the new width
    if place.startswith("h"):  # a heading stands for the page below it
        target = view.page.locator(".jp-WindowedPanel-outer")
    file = folder / f"{name}.png"
    target.screenshot(path=file)
    view.close()
    if (size := file.stat().st_size) >= MAX_BYTES:
        raise RuntimeError(f"{file.name} has {size / 1e3:.0f} KB, expected less than {MAX_BYTES / 1e3:.0f} KB")
    return file


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="screenshots", description="Take the README's pictures in a real browser.")
    parser.add_argument("names", nargs="*", default=list(SHOTS), help=f"of {', '.join(SHOTS)} (default: all)")
    names = parser.parse_args(argv).names
    if unknown := [name for name in names if name not in SHOTS]:
        parser.error(f"got {unknown}, expected names among {list(SHOTS)}")
    folder = root() / "assets" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    with serve(root() / "chapters") as lab, chromium() as browser:
        for name in names:
            file = take(browser, lab, name, folder)
            print(f"{file.stat().st_size / 1e3:6.0f} KB  {file.relative_to(root())}", flush=True)
    return 0
