"""JupyterLab in a real browser: what the browser tests and the screenshots are driven by.

``serve`` starts a JupyterLab of its own (own settings, port, token; progress in a temporary folder) on a copy of the
notebooks, ``chromium`` starts the browser, and ``LabPage`` does what a learner does: open a notebook, Run All, move a
slider, answer an exercise. Requests to anywhere but this machine are refused and noted, so a page that needs the
network shows it.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from playwright.sync_api import Browser, Locator, Page, Request, Route, sync_playwright
from playwright.sync_api import TimeoutError as Timeout

from rec_lib.cli.notebooks import kernel_environment

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
FLAGS = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync")
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # else cells off screen are not in the page
}
NOTEBOOK = "window.jupyterapp.shell.currentWidget"
LOADING = "Loading widget..."  # JupyterLab's words in place of a widget
SIGNS = {  # what JupyterLab shows where something cannot be shown
    "text=Error displaying widget": "dead widget",
    f"text={LOADING}": "dead widget",
    "math merror": "formula that MathJax refuses",
    "math mtext[mathcolor=red]": "macro that MathJax does not know",
}
# Figures without a trace that holds data, by title, and panels whose figure never came. Stored numbers may be
# {dtype, bdata}; a colour scale is no data.
EMPTY = """() => {
    const filled = v => Array.isArray(v) || ArrayBuffer.isView(v) ? v.length > 0 : Boolean(v?.bdata);
    const holds = trace => filled(trace.link?.value) || filled(trace.cells?.values) ||
        Object.entries(trace).some(([key, value]) => key !== 'colorscale' && filled(value));
    const empty = [...document.querySelectorAll('.js-plotly-plot')].filter(plot => !(plot.data ?? []).some(holds));
    const missing = [...document.querySelectorAll('.rec-panel')].filter(box => !box.querySelector('.js-plotly-plot'));
    return [...empty.map(plot => plot.layout?.title?.text ?? 'no title'), ...missing.map(() => 'a panel has none')];
}"""
IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome: ``$BROWSER_PATH``, the system's, or Playwright's own; None if there is none."""
    for name in (os.environ.get("BROWSER_PATH", ""), *NAMES):
        if name and (found := shutil.which(name)):
            return found
    with sync_playwright() as driver:
        own = driver.chromium.executable_path
    return own if Path(own).exists() else None


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser. Raises RuntimeError when none is installed."""
    path = find_chromium()
    if path is None:
        raise RuntimeError(
            f"no browser found: none of {', '.join(NAMES)} is on PATH and Playwright has none of its own. "
            "Install Chromium (Debian: apt-get install chromium) or run: python -m playwright install chromium"
        )
    root_needs = ("--no-sandbox",) if _is_root() else ()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=[*FLAGS, *root_needs])
        yield browser
        browser.close()


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address, its token, the folder it shows and its log."""

    address: str
    token: str
    folder: Path
    log: Path

    def url(self, notebook: str) -> str:
        return f"{self.address}/lab/tree/{quote(notebook)}?reset&token={self.token}"

    def status(self, path: str, token: str = "") -> int:
        """HTTP status of a request for ``path``."""
        request = urllib.request.Request(
            self.address + path, headers={"Authorization": f"token {token}"} if token else {}
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as error:
            return error.code


@contextmanager
def serve(source: Path) -> Iterator[Lab]:
    """JupyterLab on a temporary copy of the notebooks in ``source``. Raises RuntimeError with the log if it dies."""
    with tempfile.TemporaryDirectory(prefix="rec_lib_lab_") as place, kernel_environment() as environment:
        base = Path(place)
        folder = Path(shutil.copytree(source, base / "work", ignore=shutil.ignore_patterns(".ipynb_checkpoints")))
        for name, values in SETTINGS.items():
            file = base / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values), encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        lab = Lab(f"http://127.0.0.1:{port}", secrets.token_hex(16), folder, base / "lab.log")
        isolated = {
            "JUPYTER_CONFIG_DIR": str(base / "config"),
            "JUPYTER_DATA_DIR": str(base / "data"),
            "JUPYTERLAB_SETTINGS_DIR": str(base / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(base / "workspaces"),
            "JUPYTER_TOKEN": lab.token,
        }
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1"]
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"]
        command += ["--LabApp.expose_app_in_browser=True", *(["--allow-root"] if _is_root() else [])]
        with lab.log.open("w") as log:
            server = subprocess.Popen(command, env={**environment, **isolated}, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_until_up(lab, server)
            yield lab
        finally:
            server.terminate()  # JupyterLab shuts its kernels down on the way out
            server.wait(30)


def _wait_until_up(lab: Lab, server: subprocess.Popen[bytes], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if lab.status("/api", lab.token) == 200:
                return
        except OSError:
            time.sleep(0.1)  # the port is not open yet
    raise RuntimeError(f"JupyterLab did not come up in {seconds:.0f} s; its log ends:\n{lab.log.read_text()[-2000:]}")


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


class LabPage:
    """A browser page with JupyterLab in it.

    ``trouble`` collects what a learner would not see and a maintainer should: console errors, page errors, failed
    requests, and requests to other machines (refused).
    """

    def __init__(self, browser: Browser, lab: Lab, width: int = 1400, height: int = 1100) -> None:
        self.lab = lab
        self.notebook = ""
        self.trouble: list[str] = []
        self.page: Page = browser.new_page(viewport={"width": width, "height": height})
        self.page.route("**/*", self._only_this_machine)
        self.page.on("pageerror", lambda error: self.trouble.append(f"page error: {error}"))
        self.page.on("console", lambda m: self.trouble.append(f"console: {m.text}") if m.type == "error" else None)
        self.page.on("requestfailed", self._note_failure)

    def _only_this_machine(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        if url.hostname == "127.0.0.1" or url.scheme in ("data", "blob"):
            route.continue_()
        else:
            route.abort("blockedbyclient")

    def _note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page itself gave up, as it does when it is left
            self.trouble.append(f"request failed: {request.url[:200]} ({request.failure})")

    def open(self, notebook: str) -> None:
        """Open a notebook of the folder and wait for its kernel. (Before there is one, JupyterLab also says idle.)"""
        self.notebook = notebook
        self.page.goto(self.lab.url(notebook))
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        self.page.wait_for_function(IDLE, timeout=60_000)

    def run_all(self, seconds: float = 240) -> None:
        """Run All, as from the menu, and wait until every code cell has its number or one has failed."""
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        self._wait_for_cells(seconds)

    def _wait_for_cells(self, seconds: float) -> None:
        self.page.wait_for_timeout(200)  # let the prompts of a previous run turn into [*]
        self.page.wait_for_function(
            f"""() => {{
                const code = {NOTEBOOK}.content.widgets.filter(cell => cell.model.type === 'code');
                const failed = cell => cell.model.sharedModel.getOutputs().some(o => o.output_type === 'error');
                const ran = cell => !cell.model.sharedModel.source.trim() || /\\[\\d+\\]/.test(cell.promptNode?.textContent);
                return {IDLE} && (code.every(ran) || code.some(failed));
            }}""",
            timeout=1000 * seconds,
        )

    def failures(self) -> list[str]:
        """Errors and stderr in the outputs, widgets that did not come up, empty figures, formulas MathJax refused."""
        with suppress(Timeout):  # a widget that comes up late is none that does not come up
            self.page.wait_for_function(f"() => !document.body.innerText.includes('{LOADING}')", timeout=5000)
        outputs = self.page.evaluate(
            f"""() => {NOTEBOOK}.content.widgets.filter(c => c.model.type === 'code').flatMap((c, i) =>
                c.model.sharedModel.getOutputs().map(o => ({{cell: i, ...o}})))"""
        )
        found = []
        for output in outputs:
            if output["output_type"] == "error":
                found.append(f"code cell {output['cell']}: {output['ename']}: {output['evalue']}")
            elif output.get("name") == "stderr":
                found.append(f"code cell {output['cell']} wrote to stderr: {''.join(output['text'])[:300]}")
        for place, what in SIGNS.items():
            found += [f"{what}: {text[:200]}" for text in self.page.locator(place).all_text_contents()]
        return found + [f"empty figure: {title}" for title in self.empty_figures()]

    def empty_figures(self, seconds: float = 15) -> list[str]:
        """Titles of the figures that hold no data after so many seconds, and a line for each panel without figure."""
        with suppress(Timeout):
            self.page.wait_for_function(f"() => ({EMPTY})().length === 0", timeout=1000 * seconds)
        return [str(title) for title in self.page.evaluate(EMPTY)]

    def sources(self) -> list[str]:
        """The sources of all cells; of cells that are not code, the empty string."""
        code = f"{NOTEBOOK}.content.widgets.map(c => c.model.type === 'code' ? c.model.sharedModel.source : '')"
        return [str(source) for source in self.page.evaluate(f"() => {code}")]

    def cell(self, text: str) -> Locator:
        """The first code cell whose source holds ``text``. Raises LookupError if there is none."""
        for index, source in enumerate(self.sources()):
            if text in source:
                return self.page.locator(".jp-Notebook .jp-Cell").nth(index)
        raise LookupError(f"no code cell holds {text!r}")

    def replace_and_run(self, cell: Locator, source: str, seconds: float = 60) -> str:
        """Type ``source`` over a cell, press Shift+Enter and return the text of its output."""
        cell.scroll_into_view_if_needed()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Shift+Enter")
        self._wait_for_cells(seconds)
        return str(cell.locator(".jp-OutputArea").first.inner_text())

    def save(self) -> None:
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def close(self) -> None:
        self.page.close(run_before_unload=False)
