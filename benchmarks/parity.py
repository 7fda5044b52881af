"""Chapter 3's models beside those of RecBole, DeepCTR-Torch, torch-rechub and FuxiCTR, number by number.

Each peer's model, built in the peers' own environment, gets our random weights, every one of them by name, and the same rows;
so do copies of ours with what the peer does otherwise re-created (pairs/changes.py). Compared are logits, in eval and in
training mode, without dropout. Three things are printed and written for each pair: how far the peer is from ours, how far
from the re-creation, and how far it is from a re-creation that lacks one of the changes: a cause that makes no difference is none.

A pair is equal (both modes), equal in eval mode, or different. What a re-creation does not explain fails the run; a
library that cannot be installed, or that stops, is a line of its own.

Results go to results/parity.jsonl, a line a pair, and results/parity.md. Half a minute.

Run  python course.py bench parity
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from pairs import deepctr, fuxictr, recbole, rechub
from pairs.core import SIZES, Change, Pair, asked, original, output, recreated
from peers.environment import WANTED, environment
from scipy.sparse import csr_matrix

from rec_lib.models.ease import EASE
from rec_lib.models.itemcf import ItemCF

HERE = Path(__file__).parent
PEERS = {"recbole": "recbole", "deepctr": "deepctr-torch", "rechub": "torch-rechub", "fuxictr": "fuxictr"}
PAIRS = (*recbole.PAIRS, *deepctr.PAIRS, *rechub.PAIRS, *fuxictr.PAIRS)
CLOSE = 1e-5  # of the largest logit, or of 1
MODES = ("eval", "train")


def job(pairs: list[Pair]) -> dict[str, np.ndarray]:
    """The arrays of a peer's process: rows, and the weights of each pair's re-creation under the peer's names."""
    specs, arrays = [], {}
    for k, pair in enumerate(pairs):
        model = recreated(original(pair), pair.changes)
        specs.append({"theirs": pair.theirs, "options": pair.options, "fields": pair.fields, "sizes": SIZES})
        with torch.no_grad():
            arrays |= {f"{k}/w/{name}": w.detach().contiguous().numpy() for name, w in pair.weights(model).items()}
        arrays |= {f"{k}/x/{name}": column.numpy() for name, column in asked(pair).items()}
    return arrays | {"pairs": np.array(json.dumps(specs))}


def run(python: Path, script: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A peer's process. Raises RuntimeError with the last line that it said."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "job.npz", Path(folder) / "result.npz"
        np.savez(source, **arrays)
        command = [str(python), str(HERE / "peers" / f"{script}.py"), str(source), str(target)]
        path = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # the peers see no course
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=path, check=False)
        if done.returncode:
            raise RuntimeError((done.stderr.strip() or "no message").splitlines()[-1])
        with np.load(target, allow_pickle=False) as file:
            return dict(file)


def distance(model: torch.nn.Module, pair: Pair, theirs: dict[str, np.ndarray]) -> dict[str, float]:
    """Largest difference of the logits in each mode."""
    rows = asked(pair)
    return {m: float(np.abs(output(model, rows, m == "train").numpy() - theirs[m]).max()) for m in MODES}


def compare(pair: Pair, theirs: dict[str, np.ndarray]) -> dict:
    """The verdict on a pair, and the figures that it stands on."""
    model = original(pair)
    ours = distance(model, pair, theirs)
    explained = distance(recreated(model, pair.changes), pair, theirs)
    near = CLOSE * max(1.0, *(float(np.abs(theirs[m]).max()) for m in MODES))
    causes = [
        {
            "cause": cause(change),
            "without": max(distance(recreated(model, others(pair, change)), pair, theirs).values()),
        }
        for change in pair.changes
    ]
    if max(explained.values()) > near or any(c["without"] <= near for c in causes):
        verdict = "unexplained"
    elif max(ours.values()) <= near:
        verdict = "equal"
    else:
        verdict = "equal in eval mode" if ours["eval"] <= near else "differs"
    return {"verdict": verdict, "ours": ours, "recreated": explained, "causes": causes, "near": near}


def cause(change: Change) -> str:
    return " ".join((change.__doc__ or "").split())


def others(pair: Pair, without: Change) -> tuple[Change, ...]:
    return tuple(change for change in pair.changes if change is not without)


def rankers(python: Path) -> list[dict]:
    """EASE and ItemKNN of RecBole: scores of all users, relative to the largest."""
    rng = np.random.default_rng(0)
    taken = (rng.random((40, 25)) < 0.3) * rng.uniform(1, 2, (40, 25))
    taken[:2] = taken[:, :2] = 0
    lines = []
    for name, ours, matrix in (
        ("EASE", EASE(l2=5.0), (taken > 0).astype(np.float64)),
        ("ItemKNN", ItemCF(k=6, similarity="cosine", shrinkage=0.0), taken),
    ):
        line = {"peer": "recbole", "theirs": name, "said": "", "causes": []}
        try:
            theirs = run(python, "parity_recbole_cf", {"matrix": matrix, "l2": np.array(5.0), "k": np.array(6)})[name]
        except RuntimeError as error:
            lines.append(line | {"verdict": f"stopped: {error}"})
            continue
        score = ours.fit(csr_matrix(matrix))._score(np.arange(len(matrix)))
        apart = float(np.abs(score - theirs).max() / np.abs(theirs).max())
        verdict = "equal" if apart <= CLOSE else "unexplained"
        lines.append(line | {"verdict": verdict, "ours": {"scores": apart}, "near": CLOSE})
    return lines


def versions() -> dict[str, str]:
    wanted = dict(re.findall(r"^([\w-]+)==(\S+)$", WANTED.read_text(encoding="utf-8"), flags=re.M))
    return {peer: f"{name} {wanted[name]}" for peer, name in PEERS.items()}


def table(lines: list[dict], names: dict[str, str]) -> str:
    """The results as Markdown."""
    head = (
        "# Parity\n\nWritten by `python course.py bench parity`: our random weights in another library's model, the same rows, the\n"
        f"largest difference of the logits. Equal means at most {CLOSE:g} of the largest logit, or of 1. What differs is re-created\n"
        "in our code; the last figure is how far the peer is from that re-creation.\n"
    )
    rows = ["| Library | Model | Verdict | eval | training | from the re-creation |", "|---|---|---|---|---|---|"]
    notes = []
    for line in lines:
        ours, again = line.get("ours", {}), line.get("recreated", {})
        figures = [f"{ours[m]:.1e}" if m in ours else "" for m in MODES]
        if "scores" in ours:
            figures = [f"{ours['scores']:.1e}", ""]
        figures.append(f"{max(again.values()):.1e}" if line["causes"] and again else "")
        rows.append(f"| {names[line['peer']]} | {line['theirs']} | {line['verdict']} | {' | '.join(figures)} |")
        parts = [f"{c['cause']} (without it {c['without']:.1e})" for c in line["causes"]]
        if parts or line["said"]:
            neutral = [f"neutral: {line['said']}"] if line["said"] else []
            notes.append(f"- **{names[line['peer']]}, {line['theirs']}**: {'; '.join(parts + neutral)}.")
    alone = (
        "Without a partner in these versions: AutoRec, Deep Crossing, DRN. Of theirs, the mixtures of DCN-v2 have none in ours.\n"
        "Dropout is off in the comparison; the libraries put it in different places.\n"
    )
    return "\n".join([head, *rows, "", alone, "## Causes, and what was set to neutral values", "", *notes, ""])


def main() -> int:
    torch.set_num_threads(1)
    python, lines, names = environment(), [], versions()
    for peer in PEERS:
        pairs = [pair for pair in PAIRS if pair.peer == peer]
        try:
            found, stopped = run(python, f"parity_{peer}", job(pairs)), None
        except RuntimeError as error:
            found, stopped = {}, f"not run: {error}"
        for k, pair in enumerate(pairs):
            line = {"peer": peer, "theirs": pair.theirs, "said": pair.said, "causes": []}
            if stopped is None and f"{k}/error" not in found:
                line |= compare(pair, {m: found[f"{k}/{m}"] for m in MODES})
            else:
                line["verdict"] = stopped or f"stopped: {found[f'{k}/error']}"
            lines.append(line)
        lines += rankers(python) if peer == "recbole" else []
    for line in lines:
        print(f"{names[line['peer']]:20} {line['theirs']:16} {line['verdict']}", flush=True)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (HERE / "results" / "parity.jsonl").write_text(text, encoding="utf-8")
    (HERE / "results" / "parity.md").write_text(table(lines, names), encoding="utf-8")
    return int(any(line["verdict"].startswith(("unexplained", "stopped")) for line in lines))


if __name__ == "__main__":
    sys.exit(main())
