"""Predict, then learn: no prediction knows its own label or a later one."""

import numpy as np
import torch
from contract.ctr_checks import table

from rec_lib.experiments.online import progressive
from rec_lib.models.ftrl import FTRL
from rec_lib.models.lr import LR


def run(stream, batch_size):
    model = LR(stream.schema)
    return model, progressive(model, stream, [FTRL(model.parameters(), alpha=0.5)], batch_size)


def test_predictions_do_not_know_what_comes_later():
    stream = table(60)
    _, before = run(stream, 4)
    stream.columns["label"] = torch.cat([stream["label"][:40], 1 - stream["label"][40:]])
    _, after = run(stream, 4)
    assert np.array_equal(before[:44], after[:44])  # labels from row 40 on teach from row 44 on
    assert not np.array_equal(before[44:], after[44:])


def test_it_is_the_plain_loop_of_rows():
    stream = table(40)
    model = LR(stream.schema)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    said = []
    for row in range(40):
        batch = stream.batch(slice(row, row + 1))
        said.append(model.predict_proba(batch).item())
        optimizer.zero_grad()
        model.loss(batch).backward()
        optimizer.step()
    other = LR(stream.schema)
    got = progressive(other, stream, [torch.optim.SGD(other.parameters(), lr=0.1)], 1)
    np.testing.assert_allclose(got, said, rtol=1e-5)
    torch.testing.assert_close(other.linear.w.table, model.linear.w.table)


def test_the_size_of_a_batch_does_not_rescale_gradients():
    """What the weight of a user learns from its only row is the same, alone or among 23 others."""
    stream = table(24)
    users = stream["user"].tolist()
    row = next(row for row in range(24) if users.count(users[row]) == 1)
    alone, _ = run(stream.rows(torch.tensor([row])), 1)
    among, _ = run(stream, 24)
    learned = alone.linear.w.rows("user")[users[row]]
    assert learned != 0
    torch.testing.assert_close(among.linear.w.rows("user")[users[row]], learned)
    assert len(run(stream, 7)[1]) == 24
