"""A panel whose plotly takes its time to load, as on a busy machine: it comes up, with what was set meanwhile."""

import nbformat
from nbformat import v4

from rec_lib.cli.browser import LabPage
from rec_lib.cli.notebooks import KERNELSPEC

# anywidget waits two seconds for a widget's code. Every large piece of code takes three here.
SLOW = """window.Blob = class extends Blob {
    constructor(parts, options) {
        const slow = options?.type === 'text/javascript' && parts[0].length > 1e6;
        if (slow) window.slowed = (window.slowed ?? 0) + 1;
        super(slow ? ['await new Promise(resolve => setTimeout(resolve, 3000));\\n', ...parts] : parts, options);
    }
}"""
PANEL = """import plotly.graph_objects as go
from rec_lib.figures.core import new_figure
from rec_lib.widgets import Panel, show, slider

def draw(end):
    return new_figure(f"to {end}", "a line").add_trace(go.Scatter(x=[0, 1], y=[0, end]))

panel = Panel({"end": slider("end (units)", 0, 10, 2, 1)}, lambda end: end, draw, lambda end: f"It ends at {end}.")
show(panel)"""


def test_a_panel_comes_up_and_knows_what_was_set_meanwhile(lab, browser):
    cells = [v4.new_code_cell(source) for source in (PANEL, "panel.controls['end'].value = 7", PANEL)]
    nbformat.write(v4.new_notebook(cells=cells, metadata={"kernelspec": KERNELSPEC}), lab.folder / "slow.ipynb")
    view = LabPage(browser, lab)
    view.page.add_init_script(SLOW)
    view.open("slow.ipynb")
    view.run_all(seconds=60)
    assert view.failures() == []
    view.page.wait_for_timeout(500)
    seen = view.page.evaluate(
        """() => [...document.querySelectorAll('.rec-panel')].map(box => {
            const plot = box.querySelector('.js-plotly-plot'), line = box.querySelector('.rec-summary');
            const fits = Math.abs(plot._fullLayout.width - line.getBoundingClientRect().width) <= 1;
            return [plot.layout.title.text, plot.data[0].y[1], line.textContent, fits];
        })"""
    )
    slowed, trouble = view.page.evaluate("window.slowed"), view.trouble
    view.close()
    assert seen == [["to 7", 7, "It ends at 7.", True], ["to 2", 2, "It ends at 2.", True]]
    assert slowed == 1  # plotly's code came once for both
    assert trouble == []
