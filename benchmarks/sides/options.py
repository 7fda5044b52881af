"""The one option of the comparisons."""

from __future__ import annotations

import argparse


def short() -> bool:
    """Whether the script was asked for its short form: fewer cases, fewer turns, results in the learner's own folder."""
    options = argparse.ArgumentParser()
    options.add_argument("--short", action="store_true")
    return options.parse_args().short
