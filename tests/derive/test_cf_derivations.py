"""The formulas of 2.2 held to the code, in value and gradient; and each contract notices a wrong formula."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from rec_lib.derive import Disagreement
from rec_lib.derive import similarity as derive
from rec_lib.models.neighbours import weighted_votes
from rec_lib.models.similarity import multiplications, ratio, shrink, similarity

HELD = {
    "cosine": (derive.cosine, similarity),
    "pearson": (derive.pearson, similarity),
    "alone": (derive.alone, similarity),
    "adjusted": (derive.adjusted, similarity),
    "shrinkage": (derive.shrinkage, shrink),
    "votes": (derive.votes, weighted_votes),
    "cost": (derive.cost, multiplications),
}


@pytest.mark.parametrize("name", HELD)
def test_derivation_agrees_with_the_code(name):
    derivation, code = HELD[name]
    assert "agrees" in repr(derivation.agrees_with(code))


def norms_over_the_common_films(R, kind):
    mask = csr_matrix((np.ones(R.nnz), R.indices, R.indptr), shape=R.shape)
    square = R.multiply(R).tocsr()
    return ratio((R @ R.T).toarray(), np.sqrt((square @ mask.T).toarray() * (mask @ square.T).toarray()))


def norms_over_everything(R, kind):
    """Pearson with the norms of the cosine."""
    mean = np.asarray(R.sum(1)).ravel() / np.diff(R.indptr)
    rest = csr_matrix((R.data - np.repeat(mean, np.diff(R.indptr)), R.indices, R.indptr), shape=R.shape)
    return similarity(rest, "cosine")


WRONG = {
    "cosine over P": (derive.cosine, norms_over_the_common_films),
    "pearson, norms over everything": (derive.pearson, norms_over_everything),
    "adjusted cosine centred on the item": (derive.adjusted, lambda R, kind: similarity(R, "pearson")),
    "shrinkage without n above": (derive.shrinkage, lambda value, n, shrinkage: value / (n + shrinkage)),
    "votes without their weight": (derive.votes, lambda W, R: (W @ R).toarray()),
    "cost of the mean film": (derive.cost, lambda degrees: degrees.sum() ** 2 / 5),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_contract_notices(name):
    derivation, code = WRONG[name]
    with pytest.raises(Disagreement):
        derivation.agrees_with(code)


def test_the_complex_step_is_the_derivative():
    x = derive.torch.tensor([0.3, 2.0], dtype=derive.torch.float64, requires_grad=True)
    y = derive._through(lambda a: a**3 + np.sqrt(a[::-1]), x)
    y.sum().backward()
    np.testing.assert_allclose(x.grad, 3 * x.detach() ** 2 + 0.5 / x.detach().sqrt(), rtol=1e-14)
