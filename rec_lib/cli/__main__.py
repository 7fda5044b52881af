"""``python -m rec_lib.cli COMMAND …``: what course.py runs inside the course's environment."""

import importlib
import sys

from rec_lib.paths import NoSuchHome, home

COMMANDS = ("lab", "reset", "doctor", "test", "measure", "bench", "notebooks", "screenshots")


def main(argv: list[str]) -> int:
    if not argv or argv[0] not in COMMANDS:
        print(f"usage: python -m rec_lib.cli {{{','.join(COMMANDS)}}} …   (python3 course.py explains them)")
        return 2
    try:
        home()
    except NoSuchHome as error:
        print(error)
        return 2
    return int(importlib.import_module(f"rec_lib.cli.{argv[0]}").main(argv[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
