"""The driver sees what it is there to see: a notebook with seven faults shows all seven."""

import nbformat
from nbformat import v4

from rec_lib.cli.browser import LabPage
from rec_lib.cli.notebooks import KERNELSPEC

FAULTY = [
    v4.new_markdown_cell("![picture from elsewhere](http://example.com/x.png)\n\n$\\left( 1$ and $\\nosuch$"),
    v4.new_code_cell("import sys\nprint('careful', file=sys.stderr)"),
    v4.new_code_cell(
        "from IPython.display import display\n"
        "display({'application/vnd.jupyter.widget-view+json': {'model_id': 'gone', 'version_major': 2, 'version_minor': 0},"
        " 'text/plain': 'x'}, raw=True)"
    ),
    v4.new_code_cell("import plotly.graph_objects as go\ngo.FigureWidget(layout={'title': 'nothing in it'})"),
    v4.new_code_cell("1 / 0"),
    v4.new_code_cell("print('never reached')"),
]


def test_faults_are_seen(lab, browser):
    nbformat.write(v4.new_notebook(cells=FAULTY, metadata={"kernelspec": KERNELSPEC}), lab.folder / "faulty.ipynb")
    view = LabPage(browser, lab)
    view.open("faulty.ipynb")
    view.run_all(seconds=30)
    view.page.wait_for_timeout(500)
    failures, trouble = "\n".join(view.failures()), "\n".join(view.trouble)
    view.close()
    assert "code cell 0 wrote to stderr: careful" in failures
    assert "code cell 3: ZeroDivisionError" in failures
    assert "dead widget" in failures
    assert "empty figure: nothing in it" in failures
    assert "refuses" in failures
    assert r"does not know: \nosuch" in failures
    assert "example.com" in trouble
