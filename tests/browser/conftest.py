"""One JupyterLab and one browser for all browser tests; a picture of the page whenever one fails."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from rec_lib.cli.browser import LabPage, chromium, serve
from rec_lib.paths import root

DEFAULT = ("00_start_here.ipynb", "ch04_embeddings/04_04_2_node2vec.ipynb", "ch04_embeddings/04_06_lsh.ipynb")
REPORT = pytest.StashKey[list[str]]()


def notebooks() -> list[str]:
    """The start page and two widgets; with REC_LIB_BROWSER=all every notebook under chapters/."""
    if os.environ.get("REC_LIB_BROWSER") != "all":
        return list(DEFAULT)
    found = (root() / "chapters").rglob("[!.]*.ipynb")
    return sorted({str(path.relative_to(root() / "chapters").as_posix()) for path in found} | set(DEFAULT))


@pytest.fixture(scope="session")
def lab():
    with serve(root() / "chapters") as running:
        yield running


@pytest.fixture(scope="session")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module", params=notebooks())
def ran(request, lab, browser):
    """A notebook that was opened fresh and run from top to bottom."""
    page = LabPage(browser, lab)
    page.open(request.param)
    page.page.locator(".js-plotly-plot .main-svg").first.wait_for(
        timeout=30_000
    )  # stored pictures, nothing has run yet
    page.run_all()
    page.page.wait_for_timeout(1000)  # plots are drawn after their cell is done
    yield page
    page.close()


@pytest.fixture
def report(request):
    """Collects lines that are printed at the end, passed or not."""
    return request.config.stash.setdefault(REPORT, []).append


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    result = yield
    page = item.funcargs.get("ran") if hasattr(item, "funcargs") else None
    if result.when == "call" and result.failed and page is not None:
        file = Path(tempfile.mkdtemp(prefix="rec_lib_browser_")) / f"{item.originalname}.png"
        page.page.screenshot(path=file)
        result.sections.append(("screenshot", str(file)))
    return result


def pytest_terminal_summary(terminalreporter, config):
    lines = config.stash.get(REPORT, [])
    if lines:
        terminalreporter.section("seen in the browser")
        for line in lines:
            terminalreporter.write_line(line)
