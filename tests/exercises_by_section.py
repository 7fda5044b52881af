"""Exercise ids of a section, read from the chapter's module."""

import importlib


def exercise_ids(section: str) -> list[str]:
    """Ids such as "3.7.2-fm-term" for section "3.7.2"."""
    chapter = int(section.split(".")[0])
    module = importlib.import_module(f"rec_lib.exercises.ch{chapter:02d}")
    return [e.id for e in module.EXERCISES if e.id.rsplit("-")[0] == section]
