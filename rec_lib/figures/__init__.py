"""Figures: pure functions from data to a plotly figure, all in one template (``core``), each with alt text."""

from rec_lib.figures.core import DASHES, PALETTE, SYMBOLS, alt_text, new_figure, set_alt

__all__ = ["DASHES", "PALETTE", "SYMBOLS", "alt_text", "new_figure", "set_alt"]
