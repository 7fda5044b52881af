"""A panel (controls, plot, summary line) as a learner's hands and eyes meet it in the page."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

# What is drawn, in short: the SVG of every layer, hashed.
PICTURE = """plot => [...plot.querySelectorAll('.main-svg')].map(svg => svg.innerHTML).join('')
    .split('').reduce((hash, char) => (hash * 31 + char.charCodeAt(0)) | 0, 0)"""
# From a key that goes down to the first frame after plotly has drawn.
WATCH = """plot => {
    window.delays = []; window.pressed = null;
    document.addEventListener('keydown', () => { window.pressed = performance.now() }, true);
    plot.on('plotly_afterplot', () => {
        if (window.pressed === null) return;
        const start = window.pressed; window.pressed = null;
        requestAnimationFrame(() => window.delays.push(performance.now() - start));
    });
}"""


@dataclass(frozen=True)
class Latency:
    """Milliseconds from key to redraw."""

    p50: float
    p95: float
    presses: int


class PanelInPage:
    """One ``.rec-panel`` of a notebook that has run."""

    def __init__(self, page: Page, box: Locator) -> None:
        self.page, self.box = page, box
        self.plot = box.locator(".js-plotly-plot")
        self.sliders = box.locator(".widget-slider")
        self.plot.locator(".main-svg").first.wait_for(timeout=30_000)

    def picture(self) -> int:
        return int(self.plot.evaluate(PICTURE))

    def steady_picture(self) -> int:
        """The picture once two looks 300 ms apart agree."""
        seen, now = None, self.picture()
        while seen != now:
            self.page.wait_for_timeout(300)
            seen, now = now, self.picture()
        return now

    def summary(self) -> str:
        return str(self.box.locator(".rec-summary").inner_text())

    def readout(self, slider: int) -> str:
        return str(self.sliders.nth(slider).locator(".widget-readout").inner_text())

    def press(self, slider: int) -> tuple[str, str]:
        """Move a slider one step with the arrow keys, away from the end it may stand at; its readout before, after."""
        before = self.readout(slider)
        self.sliders.nth(slider).locator(".noUi-handle").focus()
        self.page.keyboard.press("ArrowRight")
        self.page.wait_for_timeout(300)
        if self.readout(slider) == before:
            self.page.keyboard.press("ArrowLeft")
            self.page.wait_for_timeout(300)
        return before, self.readout(slider)

    def drag(self, slider: int) -> tuple[str, str]:
        """Drag a slider's handle with the mouse to the farther end; its readout before and after."""
        before = self.readout(slider)
        control = self.sliders.nth(slider)
        control.scroll_into_view_if_needed()
        handle, track = control.locator(".noUi-handle").bounding_box(), control.locator(".noUi-base").bounding_box()
        x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
        middle = track["x"] + track["width"] / 2
        end = track["x"] + (track["width"] if x < middle else 0)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(end, y, steps=10)
        self.page.mouse.up()
        self.page.wait_for_timeout(500)
        return before, self.readout(slider)

    def latency(self, slider: int, presses: int = 40) -> Latency:
        """Key to redraw over ``presses`` single presses that go to and fro."""
        self.steady_picture()
        self.plot.evaluate(WATCH)
        self.press(slider)
        self.page.wait_for_timeout(500)
        self.page.evaluate("() => { window.delays = []; window.pressed = null }")
        self.sliders.nth(slider).locator(".noUi-handle").focus()
        for i in range(presses):
            self.page.keyboard.press("ArrowLeft" if i % 2 == 0 else "ArrowRight")
            self.page.wait_for_function("n => window.delays.length > n", arg=i, timeout=5000)
            self.page.wait_for_timeout(100)
        delays = self.page.evaluate("() => window.delays")
        twentieths = statistics.quantiles(delays, n=20)
        return Latency(statistics.median(delays), twentieths[18], len(delays))
