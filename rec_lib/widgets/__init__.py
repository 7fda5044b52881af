"""Widgets: panels of controls, a figure and a sentence about it.

``PANELS`` lists them for the tests, which walk every control of each: name -> dotted name of a function without
arguments that returns a ``Panel``. Dotted names keep this list cheap to read: nothing is built until ``load``.
"""

from __future__ import annotations

from importlib import import_module

from rec_lib.widgets.core import Panel, check_choice, check_range, choice, show, slider, steps, switch

PANELS: dict[str, str] = {
    "afm": "rec_lib.widgets.afm.demo",
    "activeness": "rec_lib.widgets.drn.activeness_panel",
    "autorec": "rec_lib.widgets.autorec.demo",
    "cf": "rec_lib.widgets.cf.demo",
    "crosses": "rec_lib.widgets.crosses.demo",
    "dcn": "rec_lib.widgets.dcn.demo",
    "deep_crossing": "rec_lib.widgets.deep_crossing.demo",
    "deepwalk": "rec_lib.widgets.deepwalk.deepwalk_panel",
    "din": "rec_lib.widgets.din.demo",
    "drn": "rec_lib.widgets.drn.duel_panel",
    "eges": "rec_lib.widgets.eges.eges_panel",
    "evolution": "rec_lib.widgets.evolution.demo",
    "fm": "rec_lib.widgets.fm.demo",
    "ftrl": "rec_lib.widgets.lr.ftrl_demo",
    "gbdt_lr": "rec_lib.widgets.gbdt_lr.demo",
    "item2vec": "rec_lib.widgets.item2vec.batch_panel",
    "leaderboard": "rec_lib.widgets.leaderboard.demo",
    "ls_plm": "rec_lib.widgets.ls_plm.demo",
    "lsh": "rec_lib.widgets.lsh.demo",
    "mf": "rec_lib.widgets.mf.demo",
    "neural_cf": "rec_lib.widgets.neural_cf.demo",
    "node2vec": "rec_lib.widgets.node2vec.node2vec_panel",
    "pair": "rec_lib.widgets.pair.demo",
    "pareto": "rec_lib.widgets.pareto.demo",
    "pnn": "rec_lib.widgets.pnn.demo",
    "simpson": "rec_lib.widgets.lr.simpson_demo",
    "vectors": "rec_lib.widgets.vectors.demo",
    "word2vec": "rec_lib.widgets.word2vec.word2vec_panel",
    "wide_deep": "rec_lib.widgets.wide_deep.demo",
    "xray": "rec_lib.widgets.xray.demo",
    "youtube_recall": "rec_lib.widgets.youtube_recall.demo",
}


def load(name: str) -> Panel:
    """Build the panel of that name.

    Raises:
        ValueError: If no panel has this name; the message lists those that exist.
    """
    if name not in PANELS:
        raise ValueError(f"No panel {name!r}; expected one of {sorted(PANELS)}.")
    module, function = PANELS[name].rsplit(".", 1)
    panel: Panel = getattr(import_module(module), function)()
    return panel


__all__ = ["PANELS", "Panel", "check_choice", "check_range", "choice", "load", "show", "slider", "steps", "switch"]
