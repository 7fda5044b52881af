"""What the recurrent unit and the auxiliary loss must agree with: torch's own GRU, and loops over rows and steps."""

import math

import torch


def draw(seed, *shapes):
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=g, dtype=torch.float64) for shape in shapes]


def check_is_torchs_gru(cls):
    """z = 1 − u: the weights of that gate change their sign. torch's second bias is 0 but for r and z, where only the sum counts."""
    torch.manual_seed(0)
    ours, theirs = cls(3, 4).double(), torch.nn.GRU(3, 4).double()
    with torch.no_grad():
        ours.b.copy_(draw(2, (12,))[0])
        theirs.bias_hh_l0.zero_()
        for to, source in (
            (theirs.weight_ih_l0, ours.W.T),
            (theirs.weight_hh_l0, ours.U.T),
            (theirs.bias_ih_l0, ours.b),
        ):
            u, r, new = source.chunk(3)
            to.copy_(torch.cat([r, -u, new]))
    (i,) = draw(1, (6, 5, 3))
    states = ours(i, torch.ones(6, 5, dtype=torch.bool))
    torch.testing.assert_close(states, theirs(i)[0])
    states.square().sum().backward()
    theirs(i)[0].square().sum().backward()
    r, z, new = theirs.weight_hh_l0.grad.chunk(3)
    torch.testing.assert_close(ours.U.grad.T, torch.cat([-z, r, new]))


def auxiliary_by_loops(h, e, e_hat, mask):
    """−log σ(h_t · e[t+1]) − log(1 − σ(h_t · ê[t+1])), every row, every step that has a real next one; their mean."""
    T, B, D = h.shape
    losses = []
    for row in range(B):
        for t in range(T - 1):
            if mask[t + 1, row]:
                clicked = sum((h[t, row, d] * e[t + 1, row, d]).item() for d in range(D))
                drawn = sum((h[t, row, d] * e_hat[t + 1, row, d]).item() for d in range(D))
                losses.append(math.log(1 + math.exp(-clicked)) + math.log(1 + math.exp(drawn)))
    return sum(losses) / len(losses) if losses else 0.0


def check_auxiliary_loss(function):
    """Padding holds numbers here, as the extractor's states do: it must not count."""
    h, e, e_hat = draw(3, (5, 4, 3), (5, 4, 3), (5, 4, 3))
    mask = torch.arange(5)[:, None] < torch.tensor([5, 3, 1, 0])
    assert abs(function(h, e, e_hat, mask).item() - auxiliary_by_loops(h, e, e_hat, mask)) < 1e-12
    nothing = function(h, e, e_hat, torch.zeros_like(mask))
    assert nothing.item() == 0
