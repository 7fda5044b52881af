"""A side of a comparison: a process that does what it is told, one turn at a time, so that sides can take turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

PEERS = Path(__file__).parent.parent / "peers"
OWN = "rec_lib"
Job = tuple[Path, str, dict, Mapping[str, np.ndarray]]  # interpreter, script, spec, arrays: what makes a Side


class SideStopped(RuntimeError):
    """A side could not do its turn; the message is what it said."""


@dataclass(frozen=True)
class Answer:
    seconds: float  # CPU, all threads of the process
    wall: float  # by the clock
    memory: float  # peak of the process so far, MB
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


class Side:
    """One script of benchmarks/peers in a process of its own, with a job: arrays and a spec.

    python: the interpreter; peers see nothing of the course, the course's own interpreter does. threads: of every library.
    Raises SideStopped where the script cannot get ready.
    """

    def __init__(self, python: Path, script: str, spec: dict, arrays: Mapping[str, np.ndarray], threads: int = 1):
        self.folder = tempfile.TemporaryDirectory()
        source = Path(self.folder.name) / "job.npz"
        np.savez(source, spec=np.array(json.dumps(spec)), **arrays)
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        if str(python) == sys.executable:
            env["PYTHONPATH"] = str(PEERS.parents[1])
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
            env[name] = str(threads)
        self.log = (Path(self.folder.name) / "said").open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [str(python), str(PEERS / f"{script}.py"), str(source)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            cwd=self.folder.name,
            env=env,
            text=True,
        )
        try:
            ready = self._answer()
        except SideStopped:
            self.close()
            raise
        self.versions: dict[str, str] = ready["versions"]
        self.ready = Answer(ready["seconds"], ready["wall"], ready["memory"])

    def do(self, name: str, save: bool = False, **given: object) -> Answer:
        """One turn. `save` fetches what it returns, outside the time that is taken. Raises SideStopped."""
        path = Path(self.folder.name) / "turn.npz"
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(
                json.dumps({"do": name, "given": given, "save": str(path) if save else None}) + "\n"
            )
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the missing answer says why
        said = self._answer()
        arrays = {}
        if save:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
        return Answer(said["seconds"], said["wall"], said["memory"], arrays)

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def _answer(self) -> dict:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        said = json.loads(line) if line else {"error": self._last_words()}
        if "error" in said:
            raise SideStopped(said["error"])
        return said

    def _last_words(self) -> str:
        self.process.wait()
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()
        return lines[-1] if lines else f"ended with code {self.process.returncode}"


@dataclass
class Sides:
    """Sides that got ready, by name, and what stopped the others."""

    running: dict[str, Side] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)

    def turns(self, name: str, times: int, warm: int = 1, **given: object) -> dict[str, list[Answer]]:
        """All sides do it by turns, `warm` times that do not count, then `times` times. A side that stops drops out."""
        found: dict[str, list[Answer]] = {side: [] for side in self.running}
        for turn in range(warm + times):
            for side in list(self.running):
                try:
                    answer = self.running[side].do(name, **given)
                except SideStopped as error:
                    self.drop(side, error)
                    continue
                if turn >= warm:
                    found[side].append(answer)
        return {side: answers for side, answers in found.items() if side in self.running}

    def drop(self, side: str, error: SideStopped) -> None:
        self.stopped[side] = str(error)
        self.running.pop(side).close()


@contextmanager
def sides(jobs: Mapping[str, Job], threads: int = 1) -> Iterator[Sides]:
    """The sides of {name: job}, closed at the end."""
    found = Sides()
    with ExitStack() as stack:
        for name, (python, script, spec, arrays) in jobs.items():
            try:
                found.running[name] = Side(python, script, spec, arrays, threads)
            except SideStopped as error:
                found.stopped[name] = str(error)
        stack.callback(lambda: [side.close() for side in found.running.values()])
        yield found


def medians(answers: Mapping[str, list[Answer]]) -> dict[str, dict]:
    """For each side: "seconds", the median CPU seconds of a turn; "runs", those of each turn; "memory", its peak in MB."""
    return {
        side: {
            "seconds": statistics.median(a.seconds for a in runs),
            "runs": [a.seconds for a in runs],
            "memory": max(a.memory for a in runs),
        }
        for side, runs in answers.items()
    }
