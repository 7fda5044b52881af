"""What every peer does with a job of the parity run: build, fill every weight, answer once in eval and once in training mode.

    python parity_LIBRARY.py job.npz result.npz

job     pairs: a JSON list of {theirs, options, fields, sizes}; k/w/NAME the weights of pair k, all of them; k/x/FIELD its
        columns of ids, (B,) or (B, T) filled up with 0, and of numbers
result  k/eval, k/train: logits (B,); or k/error: what the library said

A library's part is `build(theirs, options, fields, sizes) -> (module, ask)` with `ask(columns) -> logits (B,)`. Nothing of the course is imported here.
"""

import json
import sys
from collections.abc import Callable

import numpy as np
import torch

Ask = Callable[[dict[str, torch.Tensor]], torch.Tensor]
Build = Callable[[str, dict, list[str], dict[str, int]], tuple[torch.nn.Module, Ask]]


def answers(build: Build, spec: dict, weights: dict, columns: dict) -> dict[str, np.ndarray]:
    torch.manual_seed(0)
    module, ask = build(spec["theirs"], spec["options"], spec["fields"], spec["sizes"])
    module.load_state_dict(weights, strict=True)
    found = {}
    with torch.no_grad():
        for mode in ("eval", "train"):  # running statistics move in the second one only
            module.train(mode == "train")
            found[mode] = ask({name: column.clone() for name, column in columns.items()}).reshape(-1).numpy()
    return found


def logit(p: torch.Tensor) -> torch.Tensor:
    """For libraries whose forward ends in a sigmoid."""
    p = p.double()
    return torch.log(p) - torch.log1p(-p)


def run(build: Build) -> None:
    source, target = sys.argv[1:]
    with np.load(source, allow_pickle=False) as file:
        job = dict(file)
    torch.set_num_threads(1)
    result = {}
    for k, spec in enumerate(json.loads(str(job["pairs"]))):
        parts = {
            kind: {
                name.split("/", 2)[2]: torch.from_numpy(a) for name, a in job.items() if name.startswith(f"{k}/{kind}/")
            }
            for kind in "wx"
        }
        try:
            result |= {f"{k}/{mode}": y for mode, y in answers(build, spec, parts["w"], parts["x"]).items()}
        except Exception as error:  # a library may stop at anything; the report says at what
            result[f"{k}/error"] = f"{type(error).__name__}: {error}"
    np.savez(target, **result)
