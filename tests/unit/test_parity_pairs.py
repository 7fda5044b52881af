"""The parity run's pairs without the peers: weights under other names, and re-creations that do what they say."""

import json
import re

import parity
import pytest
import torch
from pairs.core import asked, gru, original, output, recreated, torch_gru

from rec_lib.layers import GRU

IDS = [f"{pair.peer}-{pair.theirs}" for pair in parity.PAIRS]
each_pair = pytest.mark.parametrize("pair", parity.PAIRS, ids=IDS)


@each_pair
def test_every_weight_of_ours_is_handed_over_or_is_zero(pair):
    model = recreated(original(pair), pair.changes)
    before = {name: w.detach().clone() for name, w in pair.weights(model).items()}
    for name, p in model.named_parameters():
        if not p.any():
            continue  # neutral
        kept = p.detach().clone()
        with torch.no_grad():
            p.mul_(2)
        after = {n: w.detach().clone() for n, w in pair.weights(model).items()}
        with torch.no_grad():
            p.copy_(kept)
        assert any(not torch.equal(after[n], w) for n, w in before.items()), f"{name} goes nowhere"
    assert all(torch.isfinite(w).all() for w in before.values())


@each_pair
def test_each_change_moves_the_answer_and_its_cause_is_one_line(pair):
    rows, model = asked(pair), original(pair)
    whole = recreated(model, pair.changes)
    for change in pair.changes:
        less = recreated(model, parity.others(pair, change))
        moved = [(output(whole, rows, t) - output(less, rows, t)).abs().max().item() for t in (False, True)]
        assert max(moved) > 100 * parity.CLOSE, change.__name__
        assert change.__doc__
        assert "\n" not in change.__doc__


@each_pair
def test_without_changes_the_recreation_is_ours(pair):
    model, rows = original(pair), asked(pair)
    before = output(model, rows, False)
    recreated(model, pair.changes)
    assert torch.equal(output(model, rows, False), before)
    assert torch.equal(output(recreated(model, ()), rows, False), before)


@each_pair
def test_the_verdict_follows_the_answers(pair):
    """The re-creation's own answers are explained; ours pass for equal only if nothing was changed; noise is unexplained."""
    rows, model = asked(pair), original(pair)
    again = recreated(model, pair.changes)
    answers = {mode: output(again, rows, mode == "train").numpy() for mode in parity.MODES}
    found = parity.compare(pair, answers)["verdict"]
    assert found == "equal" if not pair.changes else found in ("differs", "equal in eval mode")
    off = {mode: y + 0.01 for mode, y in answers.items()}
    assert parity.compare(pair, off)["verdict"] == "unexplained"


def test_the_gru_in_torchs_order_answers_like_torchs():
    torch.manual_seed(0)
    ours, theirs = GRU(3, 4), torch.nn.GRU(3, 4)
    theirs.load_state_dict(torch_gru(ours, ""))
    x = torch.randn(5, 2, 3)
    torch.testing.assert_close(ours(x, torch.ones(5, 2, dtype=torch.bool)), theirs(x)[0])
    assert set(gru(ours, "", "_l0")) == set(theirs.state_dict())


def test_the_results_are_those_of_these_pairs():
    text = (parity.HERE / "results" / "parity.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    own = [(line["peer"], line["theirs"]) for line in lines if line["theirs"] not in ("EASE", "ItemKNN")]
    assert own == [(pair.peer, pair.theirs) for pair in parity.PAIRS]
    told = {"equal", "equal in eval mode", "differs"}
    assert {line["verdict"] for line in lines} <= told
    causes = [[cause["cause"] for cause in line["causes"]] for line in lines if "scores" not in line["ours"]]
    assert causes == [[parity.cause(change) for change in pair.changes] for pair in parity.PAIRS]
    written = (parity.HERE / "results" / "parity.md").read_text(encoding="utf-8")
    assert written == parity.table(lines, parity.versions())


def test_the_museums_speak_of_the_versions_that_were_compared():
    pinned = {name.lower(): version for name, version in (v.split() for v in parity.versions().values())}
    texts = [path.read_text(encoding="utf-8") for path in (parity.HERE.parent / "chapters").glob("*/*.ipynb")]
    museums = [text for text in texts if "### Museum of bugs" in text]
    said = [
        (name.lower(), version)
        for text in museums
        for name, version in re.findall(r"(RecBole|DeepCTR-Torch|torch-rechub|FuxiCTR)(?:\*\*)? (\d[\d.]*\d)", text)
    ]
    assert said
    assert all(pinned[name] == version for name, version in said)
