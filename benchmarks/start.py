"""What it costs to begin: seconds by the clock and peak memory of a process that imports rec_lib and trains LR, over `import torch`.

Fresh processes by turns, medians; LR on 80,000 rows that are there, and on MovieLens-100K, which is then loaded. Results go to results/start.jsonl.

Run  python course.py bench start
"""

import statistics
import sys
from pathlib import Path

from sides.options import short
from sides.process import Side
from sides.results import line, write

CASES = ("import torch", "import rec_lib", "import and train LR", "import, load MovieLens-100K and train LR")


def once(case: str) -> tuple[float, float]:
    """(seconds by the clock, peak MB)"""
    side = Side(Path(sys.executable), "start", {"case": case}, {})
    try:
        answer = side.do("run")
        return answer.wall, answer.memory
    finally:
        side.close()


def main() -> None:
    brief = short()
    found: dict[str, list[tuple[float, float]]] = {case: [] for case in CASES}
    for turn in range(3 if brief else 8):
        for case in CASES:
            taken = once(case)
            if turn:  # the first one warms up the disk's cache
                found[case].append(taken)
    lines = []
    for case in CASES[1:]:
        for job, k, measure in ((case, 0, "s"), (f"memory of {case}", 1, "MB")):
            over = [mine[k] - torch[k] for mine, torch in zip(found[case], found["import torch"], strict=True)]
            lines.append(line(job, "over import torch", "rec_lib", measure, statistics.median(over), values=over))
    for row in lines:
        print(row, flush=True)
    write("start", lines, {}, brief)


if __name__ == "__main__":
    main()
