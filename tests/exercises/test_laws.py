"""What a value does not show: cost, gradient, training. And right answers that look unlike the reference."""

import ast
import inspect
import math
import textwrap

import pytest

from rec_lib.exercises import core
from rec_lib.exercises.ch03 import TARGET, first_losses

ALSO_RIGHT = {
    "2.2-seen": (  # equal scores in another order, and a list
        """
        def top_unseen(scores, seen, k):
            left = scores.copy()
            left[seen] = -1
            return np.argsort(left)[::-1][:k]
        """,
        """
        def top_unseen(scores, seen, k):
            return sorted(set(range(len(scores))) - set(seen.tolist()), key=lambda i: -scores[i])[:k]
        """,
    ),
    "2.3-order": (
        """
        def sgd_step(p, q, r, gamma, lam):
            old = np.stack([p, q])
            return old + gamma * ((r - old[0] @ old[1]) * old[::-1] - lam * old)
        """,
    ),
    "2.6-rates": (
        """
        def click_rates(ids, y, fold):
            rates = np.full(len(ids), 0.5)
            for half in (0, 1):
                for id in np.unique(ids):
                    there = (ids == id) & (fold == 1 - half)
                    rates[(ids == id) & (fold == half)] = (y[there].sum() + 0.5) / (there.sum() + 1)
            return rates
        """,
    ),
    "2.7-wrong-axis": (
        """
        def group_shrink(theta, t):
            rows = []
            for row in theta:
                length = np.linalg.norm(row)
                rows.append(row * (1 - t / length) if length > t else 0 * row)
            return np.array(rows)
        """,
    ),
    "3.6-cross-product": (
        "def cross_product(x, c):\n    return (x @ c.T == c.sum(dim=1)).to(x.dtype)",
        "def cross_product(x, c):\n    return torch.stack([x[:, row > 0].prod(dim=1) for row in c], dim=1)",
    ),
    "3.6-cross-network": (
        """
        def cross_network(x_0, w, b):
            x = x_0
            for l in range(w.shape[0]):
                x = torch.einsum("bi,bj,j->bi", x_0, x, w[l]) + x + b[l]
            return x
        """,
    ),
    "4.2-bug": (
        """
        def step(h, U, lr):
            error = 1 / (1 + np.exp(-(U @ h)))
            error[0] -= 1
            return np.vstack([h - lr * error @ U, U - lr * np.outer(error, h)])
        """,
    ),
    "4.3-pairs": (  # counts are whole numbers
        """
        def pairs(baskets, n):
            counts = np.zeros((n, n), dtype=int)
            for basket in baskets:
                items = np.unique(np.array(basket, dtype=int))
                counts[np.ix_(items, items)] += 1
            np.fill_diagonal(counts, 0)
            return counts
        """,
    ),
    "4.3-no-effect": (
        """
        def in_batch_loss(u, v, log_q):
            corrected = u @ v.mT - log_q
            return (corrected.logsumexp(dim=1) - corrected.diagonal()).mean()
        """,
        "def in_batch_loss(u, v, log_q):\n    return F.cross_entropy((v @ u.T - log_q[:, None]).T, torch.arange(len(v)))",
    ),
    "4.4.1-bug": (
        """
        def next_law(A, v):
            total = sum(A[v, u] for u in range(len(A)))
            return np.array([A[v, u] / total for u in range(len(A))])
        """,
    ),
    "4.4.2-bug": (
        """
        def biased_step(A, t, v, p, q):
            near = np.where(A[t] > 0, 1.0, 1 / q)
            near[t] = 1 / p
            pi = A[v] * near
            return pi / pi.sum()
        """,
    ),
    "4.4.3-bug": (
        """
        def attention(a):
            e = np.exp(a - a.max(axis=1, keepdims=True))
            return e / e.sum(axis=1)[:, None]
        """,
    ),
    "4.6-middle-bucket": (
        """
        def bucket(vectors, x, b, w):
            return np.array([math.floor(float(row @ x + b) / w) for row in vectors])
        """,
    ),
    "3.10.1-single": (
        """
        def future_value(q_next, q_next_target):
            rows = torch.arange(len(q_next))
            return q_next_target[rows, q_next.max(dim=1).indices]
        """,
    ),
    "3.10.2-one-draw": (
        """
        def explorer(W, alpha, seed):
            rng = np.random.default_rng(seed)
            return W * (1 + alpha * rng.uniform(-1, 1, size=np.shape(W)))
        """,
    ),
    "3.8.1-neighbours": (
        """
        def attentional_pooling(pairs, W, b, h, p):
            scores = torch.einsum("bpd,td->bpt", pairs, W).add(b).clamp(min=0).matmul(h)
            weight = (scores - scores.amax(dim=1, keepdim=True)).exp()
            return (weight / weight.sum(dim=1, keepdim=True) * (pairs @ p)).sum(dim=1)
        """,
    ),
    "3.7.2-fm-term": (
        """
        def fm_term(v):  # one pass over the fields
            total, so_far = v[:, 0, 0] * 0, v[:, 0] * 0
            for i in range(v.shape[1]):
                total = total + (v[:, i] * so_far).sum(dim=1)
                so_far = so_far + v[:, i]
            return total
        """,
        """
        def fm_term(v):  # one pass over the coordinates
            parts = [a.sum(dim=1) ** 2 - (a * a).sum(dim=1) for a in v.unbind(dim=2)]
            return torch.stack(parts).sum(dim=0) / 2
        """,
        """
        def fm_term(v):
            return (torch.einsum("bif,bjf->b", v, v) - torch.einsum("bif,bif->b", v, v)) / 2
        """,
        """
        def fm_term(v):  # what came before each field, times the field
            return ((v.cumsum(dim=1) - v) * v).sum(dim=(1, 2))
        """,
    ),
    "3.7.3-pooling": (
        """
        def pooling(x, v):
            rows = x.unsqueeze(2) * v
            return (rows.sum(dim=1) ** 2 - (rows**2).sum(dim=1)) / 2
        """,
    ),
    "3.7.1-borrowed-table": (
        "def first_step(fm_table, gradient, lr):\n    return fm_table - lr * gradient",
        "def first_step(fm_table, gradient, lr):\n    return torch.sub(fm_table, gradient, alpha=lr)",
        "def first_step(fm_table, gradient, lr):\n    table = fm_table\n    table = table - lr * gradient\n    return table",
    ),
    "3.7.2-stuck-loss": (
        "def loss(logits, label):\n    p = torch.sigmoid(logits)\n    return F.binary_cross_entropy(p, label)",
        "def loss(logits, label):\n    return (F.softplus(logits) - label * logits).mean()",
        "def loss(logits, label):\n    return -(label * F.logsigmoid(logits) + (1 - label) * F.logsigmoid(-logits)).mean()",
    ),
    "3.2-leak": (
        """
        def held_out(seen, held, V, W, c, b):
            z = 1 / (1 + np.exp(-c - seen @ V))
            return np.array([b[u] + W[u] @ z[i] for i, u in zip(*np.nonzero(held))])
        """,
        "def held_out(seen, held, V, W, c, b):\n    return (b + 0.5 * (1 + np.tanh((seen @ V + c) / 2)) @ W.T)[held != 0]",
    ),
    "3.7.3-optimist": (
        "def network(f_bi, W, b, h):\n    return (torch.relu(f_bi @ W.T + b) * h).sum(dim=1)",
        "def network(f_bi, W, b, h):\n    return F.linear(f_bi, W, b).clamp(min=0) @ h",
    ),
    "3.7.2-shadow": (
        "shadow = 1.5 * (0.3 - 0.7)",
        """
        a = np.where(np.random.default_rng(1).random((2_000_000, 3)) < 0.3, 1, -1)
        shadow = (1.5 * a.prod(axis=1))[(a[:, 0] == 1) & (a[:, 1] == 1)].mean()
        """,
        "shadow = torch.tensor(-0.6)",
    ),
    "3.7.2-learning-rate": ("lr = 5e-3", "lr = 0.03"),
    "2.4-reliability": tuple(
        f"""
        def reliability(y, p):
            group = {cut}
            return np.array([(p[group == k].mean(), y[group == k].mean(), (group == k).sum()) for k in np.unique(group)])
        """
        for cut in (
            "np.clip(np.digitize(p, np.linspace(0, 1, 6)) - 1, 0, 4)",
            "np.digitize(p, [0.2, 0.4, 0.6, 0.8])",
            "np.minimum(np.floor(p / 0.2), 4)",
        )
    ),
    "2.4-adventure": ("points = 1.1", "points = 1.05"),
    "2.4-never-zero": (
        """
        def weight(z, n, alpha, beta, l1, l2):
            return np.where(np.abs(z) <= l1, 0, -(z - np.sign(z) * l1) / ((beta + np.sqrt(n)) / alpha + l2))
        """,
    ),
    "2.5-ffm-term": (
        """
        def ffm_term(v):
            return (torch.einsum("bfgd,bgfd->b", v, v) - torch.einsum("bffd,bffd->b", v, v)) / 2
        """,
    ),
    "3.3-residual-unit": (
        """
        def unit(x, W0, b0, W1, b1):
            inner = F.linear(x, W0, b0).clamp(min=0)
            return (x + F.linear(inner, W1, b1)).clamp(min=0)
        """,
    ),
    "3.3-shares": (
        """
        def shares(ids, n):
            real = (ids != 0).float()
            x = torch.zeros(len(ids), n + 1).scatter_add(1, ids, real / real.sum(dim=1, keepdim=True).clamp(min=1))
            return x[:, 1:]
        """,
    ),
    "3.5-inner-signal": ("def inner_signal(f, theta):\n    return (f.mT @ theta.mT).pow(2).sum(dim=1)",),
    "3.5-strangers": (
        """
        def outer_signal(f, w):
            pairs = torch.einsum("bia,bjc->bijac", f, f)
            return torch.einsum("bijac,nac->bn", pairs, w)
        """,
    ),
    "2.5-pair-number": ("def pair_number(user, film, n_users, n_films):\n    return film * n_users + user",),
    "3.4-negatives": (
        """
        def draw_negatives(taken, n_items, k, seed):
            rng = np.random.default_rng(seed)
            drawn = rng.integers(0, n_items, size=k)
            while np.isin(drawn, taken).any():
                again = np.isin(drawn, taken)
                drawn[again] = rng.integers(0, n_items, size=again.sum())
            return drawn
        """,
    ),
    "3.4-ties": (
        """
        def hit(own, others, k):
            first, last = (others > own).sum(), (others >= own).sum()
            return np.mean([place < k for place in range(first, last + 1)])
        """,
    ),
    "3.4-neumf": (
        """
        def neumf(p_G, q_G, p_M, q_M, W, b, h):
            K, D = p_G.shape[1], p_M.shape[1]
            z = p_M @ W[:, :D].T + q_M @ W[:, D:].T + b
            return (p_G * q_G * h[:K]).sum(dim=1) + F.relu(z) @ h[K:]
        """,
    ),
    "3.9-gru-step": (
        """
        def gru_step(i, h, W, U, b):
            H = h.shape[1]
            gates = torch.sigmoid(i @ W[:, : 2 * H] + h @ U[:, : 2 * H] + b[: 2 * H])
            u, r = gates[:, :H], gates[:, H:]
            new = torch.tanh(i @ W[:, 2 * H :] + b[2 * H :] + r * (h @ U[:, 2 * H :]))
            return h + u * (new - h)
        """,
    ),
    "3.9-padding": (
        """
        def auxiliary_loss(h, e, e_hat, real):
            clicked = torch.einsum("tbd,tbd->tb", h[:-1], e[1:])[real[1:]]
            drawn = torch.einsum("tbd,tbd->tb", h[:-1], e_hat[1:])[real[1:]]
            return -(torch.sigmoid(clicked).log() + (1 - torch.sigmoid(drawn)).log()).mean()
        """,
    ),
    "3.9-first-loss": ("first = math.log(4)", "first = 1.39"),
    "3.4-base-rate": ("logit = math.log(0.25)", "logit = np.log(0.2 / 0.8)"),
    "3.8.2-dice": (
        """
        def dice(s, mask, alpha):
            real = mask.unsqueeze(2).to(s.dtype)
            mean = (s * real).sum(dim=(0, 1)) / real.sum()
            var = ((s - mean) ** 2 * real).sum(dim=(0, 1)) / real.sum()
            p = torch.sigmoid((s - mean) / torch.sqrt(var + 1e-8))
            return s * (alpha + (1 - alpha) * p)
        """,
    ),
    "4.5-too-good": (
        """
        def history_before(watches, t, T):
            kept = list(watches[:t])[-T:]
            return np.array(kept + [0] * (T - len(kept)))
        """,
        """
        def history_before(watches, t, T):
            history = np.zeros(T, dtype=int)
            for place, before in enumerate(range(max(0, t - T), t)):
                history[place] = watches[before]
            return history
        """,
    ),
    "4.5-table-gradient": (
        """
        def table_gradient(ids, g, rows):
            grad = torch.zeros(rows, g.shape[1])
            for id, row in zip(ids.tolist(), g):
                grad[id] += row
            return grad
        """,
        """
        def table_gradient(ids, g, rows):
            return torch.zeros(rows, g.shape[1]).index_put((ids,), g, accumulate=True)
        """,
    ),
    "4.5-mean-of-watches": (
        """
        def mean_of_watches(e, history):
            out = torch.zeros(len(history), e.shape[1], dtype=e.dtype)
            for b, row in enumerate(history):
                real = row[row != 0]
                if len(real):
                    out[b] = e[real].mean(dim=0)
            return out
        """,
    ),
    "4.5-which-is-real": (
        "p1, p2, q1, q2 = sympy.symbols('p1 p2 q1 q2', positive=True)\nprobability = 1 / (1 + p2 * q1 / (p1 * q2))",
        "p1, p2, q1, q2 = sympy.symbols('p1 p2 q1 q2')\nprobability = (p1 / q1) / (p1 / q1 + p2 / q2)",
    ),
}
STILL_THE_STUB = {
    "4.3-no-effect": """
        def in_batch_loss(u, v, log_q):
            # a row is a user, a column an item
            scores = u @ v.T
            scores = scores - log_q.unsqueeze(1)

            return F.cross_entropy(scores, torch.arange(len(u)))
        """,
    "3.6-cross-network": """
        def cross_network(x_0, w, b):
            # layer by layer
            x = x_0

            for w_l, b_l in zip(w, b):
                x = x * (x @ w_l).unsqueeze(1) + b_l + x  # the residual last
            return x
        """,
    "4.5-too-good": """
        def history_before(watches, t, T):
            # a window of T watches
            last = watches[max(0, t - T + 1) : t + 1]

            return np.pad(last, (0, T - len(last)))
        """,
    "3.10.1-single": """
        def future_value(q_next, q_next_target):
            # who chooses, and who judges?
            chosen = q_next_target.argmax(dim=1, keepdim=True)

            return q_next_target.gather(1, chosen).squeeze(1)
        """,
    "3.10.2-one-draw": """
        def explorer(W, alpha, seed):
            # one number, or many?
            r = np.random.default_rng(seed).uniform(-1, 1)

            return W + alpha * r * W
        """,
    "3.9-padding": """
        def auxiliary_loss(h, e, e_hat, real):
            # what came next, and what was drawn
            positive = (h[:-1] * e[1:]).sum(dim=2)
            negative = (h[:-1] * e_hat[1:]).sum(dim=2)
            both = F.softplus(-positive) + F.softplus(negative)
            return (both * real[:-1]).sum() / both.numel()
        """,
    "3.8.1-neighbours": """
        def attentional_pooling(pairs, W, b, h, p):
            # shares of what?
            scores = torch.relu(pairs @ W.T + b) @ h

            a = torch.softmax(scores, dim=0)
            return (a.unsqueeze(2) * pairs).sum(dim=1) @ p
        """,
    "3.7.2-stuck-loss": """
        def loss(logits, label):
            # what is wrong here?
            probability = torch.sigmoid(logits)

            return F.binary_cross_entropy_with_logits(probability, label)
        """,
    "3.7.1-borrowed-table": '''
        def first_step(fm_table, gradient, lr):
            """My notes."""
            own = fm_table
            own -= lr * gradient
            return own
        ''',
    "3.2-leak": """
        def held_out(seen, held, V, W, c, b):
            # what may go in?
            rows = np.where(held > 0, held, seen)
            z = 1 / (1 + np.exp(-(rows @ V + c)))

            return (z @ W.T + b)[held > 0]
        """,
    "3.7.3-optimist": "def network(f_bi, W, b, h):\n    return torch.relu((f_bi @ W.T + b) @ h)",
    "3.3-shares": """
        def shares(ids, n):
            # which of the two is wrong?
            counts = F.one_hot(ids, n + 1)[:, :, 1:].sum(dim=1).float()

            return counts / ids.shape[1]
        """,
    "3.5-strangers": '''
        def outer_signal(f, w):
            """Found it?"""
            p = (f.unsqueeze(3) * f.unsqueeze(2)).sum(dim=1)
            return torch.einsum("bac,nac->bn", p, w)
        ''',
    "3.4-negatives": """
        def draw_negatives(taken, n_items, k, seed):
            # evenly over all of them
            generator = np.random.default_rng(seed)
            return generator.integers(0, n_items, size=k)
        """,
    "3.4-ties": """
        def hit(own, others, k):
            # strictly better ones
            return float((others > own).sum() < k)
        """,
    "3.8.2-dice": """
        def dice(s, mask, alpha):
            # units of an item
            mean = s.mean(dim=-1, keepdim=True)
            var = s.var(dim=-1, unbiased=False, keepdim=True)
            gate = torch.sigmoid((s - mean) / torch.sqrt(var + 1e-8))
            return gate * s + (1 - gate) * alpha * s
        """,
}
RIGHT = [(id, text) for id, texts in ALSO_RIGHT.items() for text in texts]
CODE = [e for chapter in core.chapters() for e in core.exercises(chapter) if e.kind in ("code", "bug")]


@pytest.mark.parametrize(("id", "source"), RIGHT, ids=[f"{id}-{k}" for k, (id, _) in enumerate(RIGHT)])
def test_another_way_is_right_too(id, source):
    exercise = core.find(id)
    outcome = core.grade(exercise, exercise.run(textwrap.dedent(source)))
    assert outcome.status == "right", outcome.message


@pytest.mark.parametrize("id", STILL_THE_STUB)
def test_a_bug_in_other_words_is_not_attempted(id):
    exercise = core.find(id)
    assert core.grade(exercise, exercise.run(textwrap.dedent(STILL_THE_STUB[id]))).status == "not attempted"


def test_every_bug_can_be_mended_in_another_way():
    assert {e.id for e in CODE if e.kind == "bug"} <= ALSO_RIGHT.keys()


@pytest.mark.parametrize("exercise", [e for e in CODE if e.kind == "bug"], ids=lambda e: e.id)
def test_a_stub_without_its_comments_is_not_attempted(exercise):
    assert core.grade(exercise, exercise.run(ast.unparse(ast.parse(exercise.stub)))).status == "not attempted"


@pytest.mark.parametrize(
    ("id", "source", "law"),
    [
        ("3.2-leak", "def held_out(seen, held, V, W, c, b):\n    z = 1 / (1 + np.exp(-(seen @ W + c)))\n    return (z @ V.T + b)[held > 0]", "value: "),
        ("3.7.2-stuck-loss", "def loss(logits, label):\n    return F.l1_loss(logits, label)", "certainty: "),
        ("3.7.1-borrowed-table", "def first_step(fm_table, gradient, lr):\n    fm_table += 0\n    return fm_table - lr * gradient + 1", "value: "),
        ("3.7.3-optimist", "def network(f_bi, W, b, h):\n    return torch.tanh(f_bi @ W.T + b) @ h", "relu: "),
        ("3.4-negatives", "def draw_negatives(taken, n_items, k, seed):\n    return taken[np.arange(k) % len(taken)]", "never what is taken: "),
        ("3.4-ties", "def hit(own, others, k):\n    return 1.0", "without ties: "),
    ],
)  # fmt: skip
def test_mending_the_wrong_thing_names_what_fails(id, source, law):
    exercise = core.find(id)
    outcome = core.grade(exercise, exercise.run(source))
    assert outcome.status == "wrong"
    assert outcome.message.startswith(law)


@pytest.mark.parametrize("exercise", CODE, ids=lambda e: e.id)
def test_messages_call_inputs_by_the_names_that_the_learner_sees(exercise):
    function = exercise.run(exercise.solution)
    names = list(inspect.signature(function).parameters)
    messages = [core.grade(exercise, exercise.run(wrong.source)).message for wrong in exercise.wrong]
    shown = [m.split("smallest failing input: ")[1] for m in messages if "smallest failing input: " in m]
    assert shown
    for line in shown:
        assert [name for name in names if f"{name} = " not in line] == []


def test_a_rate_that_is_too_small_stays_at_ln_2_and_one_that_is_too_large_leaves_it_upwards():
    assert all(abs(loss - math.log(2)) < 0.01 for loss in first_losses(1e-6))
    assert max(first_losses(1.0)) > 2
    assert first_losses(0.01)[-1] < TARGET
    assert first_losses(0.01) == first_losses(0.01)
