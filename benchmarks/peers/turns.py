"""What every side of a timed comparison does: take a job, get ready, then do one thing at a time, when it is told to.

    python SCRIPT.py job.npz        job: the arrays, and spec, a JSON object

Lines of JSON on standard input, {"do": NAME, "given": {…}, "save": PATH or null}, each answered by a line on standard output:
{"seconds": CPU seconds of that turn, "wall": seconds by the clock, "memory": peak of the process in MB}, or {"error": …}. What a
turn returns, a dict of arrays, goes to PATH. The first answer is that of getting ready and names the versions used.

A side's part is `start(spec, arrays) -> {NAME: function}`. Nothing of the course is imported here.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

Turn = Callable[..., dict[str, np.ndarray] | None]
Start = Callable[[dict, dict[str, np.ndarray]], dict[str, Turn]]


def peak() -> float:
    """Most memory that the process has held, MB. On Linux getrusage would count what its parent held when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        (row,) = (row for row in status.read_text().splitlines() if row.startswith("VmHWM:"))
        return int(row.split()[1]) / 1024
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def serve(start: Start, *packages: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    with np.load(sys.argv[1], allow_pickle=False) as file:
        job = dict(file)
    spec = json.loads(str(job.pop("spec")))
    turns: dict[str, Turn] = {}

    def answer(do: Callable[[], dict | None], save: str | None, said: dict) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            arrays = do()
        except Exception as error:  # a library may stop at anything; the report says at what
            said = {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
        else:
            said["seconds"], said["wall"] = time.process_time() - cpu, time.perf_counter() - wall
            said["memory"] = peak()
            if save:
                np.savez(save, **(arrays or {}))
        answers.write(json.dumps(said) + "\n")
        answers.flush()

    answer(lambda: turns.update(start(spec, job)), None, {"versions": {name: version(name) for name in packages}})
    for line in sys.stdin:
        order = json.loads(line)
        turn, given = turns[order["do"]], order["given"]
        answer(lambda turn=turn, given=given: turn(**given), order["save"], {})
