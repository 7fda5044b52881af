"""A panel (controls, plot, summary line) as a learner's hands and eyes meet it in the page."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
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

    @contextmanager
    def pressed(self, slider: int) -> Iterator[tuple[str, str]]:
        """One step with an arrow key, away from the end that it may stand at; readout before and after. Then back."""
        before = self.readout(slider)
        _, back = self._step(slider)
        yield before, self.readout(slider)
        self._key(slider, back)

    @contextmanager
    def dragged(self, slider: int) -> Iterator[tuple[str, str]]:
        """The handle dragged by the mouse to the farther end; readout before and after. Then back."""
        before = self.readout(slider)
        control = self.sliders.nth(slider)
        control.scroll_into_view_if_needed()
        track = control.locator(".noUi-base").bounding_box()
        start = self._handle(slider)[0]
        self._drag(slider, track["x"] + (track["width"] if start < track["x"] + track["width"] / 2 else 0))
        yield before, self.readout(slider)
        control.scroll_into_view_if_needed()
        self._drag(slider, start)

    def _step(self, slider: int) -> tuple[str, str]:
        """Move one step; the key that did it, and the key that undoes it."""
        before = self.readout(slider)
        self._key(slider, "ArrowRight")
        if self.readout(slider) != before:
            return "ArrowRight", "ArrowLeft"
        self._key(slider, "ArrowLeft")
        return "ArrowLeft", "ArrowRight"

    def _key(self, slider: int, key: str) -> None:
        self.sliders.nth(slider).locator(".noUi-handle").focus()
        self.page.keyboard.press(key)
        self.page.wait_for_timeout(300)

    def _handle(self, slider: int) -> tuple[float, float]:
        box = self.sliders.nth(slider).locator(".noUi-handle").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def _drag(self, slider: int, end: float) -> None:
        x, y = self._handle(slider)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(end, y, steps=10)
        self.page.mouse.up()
        self.page.wait_for_timeout(500)

    def latency(self, slider: int, presses: int = 40) -> Latency:
        """Key to redraw over ``presses`` single presses that go to and fro."""
        self.steady_picture()
        self.plot.evaluate(WATCH)
        there, back = self._step(slider)
        self.page.wait_for_timeout(500)
        self.page.evaluate("() => { window.delays = []; window.pressed = null }")
        for i in range(presses):
            self.page.keyboard.press(there if i % 2 else back)
            self.page.wait_for_function("n => window.delays.length > n", arg=i, timeout=5000)
            self.page.wait_for_timeout(100)
        delays = self.page.evaluate("() => window.delays")
        twentieths = statistics.quantiles(delays, n=20)
        return Latency(statistics.median(delays), twentieths[18], len(delays))
