"""Sums over lists beside the product with a matrix of zeros and ones: values, gradients, and gradients of gradients."""

import numpy as np
import torch
from scipy.sparse import csr_matrix

from rec_lib.layers.list_sums import ListSums


def test_sums_over_lists_are_a_product_with_zeros_and_ones():
    belongs = np.random.default_rng(0).random((5, 7)) < 0.4
    belongs[2] = belongs[:, 3] = belongs[-1] = belongs[:, -1] = False  # empty lists, and rows in no list
    there, back = csr_matrix(belongs), csr_matrix(belongs.T)
    lists = [torch.from_numpy(part.astype(np.int64)) for m in (there, back) for part in (m.indices, m.indptr[:-1])]
    table = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    plain = torch.from_numpy(belongs).double() @ table
    torch.testing.assert_close(ListSums.apply(table, *lists), plain)
    assert torch.autograd.gradcheck(lambda t: ListSums.apply(t, *lists), table)
    assert torch.autograd.gradgradcheck(lambda t: ListSums.apply(t, *lists).square(), table)
