"""Word2vec's derivations hold for the compiled step, and refuse steps with the bugs that are common."""

import numpy as np
import pytest

from rec_lib.derive import Disagreement, word2vec
from rec_lib.embeddings.kernels import step

PAIRS = [(d, step) for d in (word2vec.softmax, word2vec.negative, word2vec.slope, word2vec.tree, word2vec.cbow)]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=lambda x: getattr(x, "id", ""))
def test_derivations_agree_with_the_compiled_step(derivation, code):
    assert derivation.agrees_with(code)


def sign_lost(inputs, c, table, rows, yes, no, n, lr, softmax, e, gain):
    step(inputs, c, table, rows, yes + no, 0 * no, n, lr, softmax, e, gain)


def moved_first(inputs, c, table, rows, yes, no, n, lr, softmax, e, gain):
    """The row is moved before its old value goes into the slope of h."""
    step(inputs, c, table, rows, yes, no, n, lr, softmax, e, np.empty_like(gain))
    gain[:] = (e[:n, None] * table[rows[:n]]).sum(0)


@pytest.mark.parametrize("derivation", [word2vec.negative, word2vec.tree], ids=lambda d: d.id)
@pytest.mark.parametrize("bug", [sign_lost, moved_first])
def test_wrong_steps_are_refused(derivation, bug):
    with pytest.raises(Disagreement):
        derivation.agrees_with(bug)
