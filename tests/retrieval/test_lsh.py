"""LSH against plain loops, closed forms and Monte Carlo."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import halfnorm

from rec_lib.retrieval import LSH, CosineLSH, ExactIndex, OrAndLSH, probability, recall_at_k
from rec_lib.retrieval._buckets import Tables, bucket, mix, mix_across
from rec_lib.retrieval.lsh import ROWS


def cloud(seed, n=400, d=6, m=25):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)), rng


def code(index, v, h):
    """h(v) = floor((x·v + b)/w), one hash, one vector, by the book."""
    x = index.directions[:, h]
    return np.floor((sum(x[j] * v[j] for j in range(len(v))) + index.offsets[h]) / index.w)


def buckets_looked_up(index, q, t):
    """The query's own bucket in table t and, with probes, those across its nearest walls."""
    columns = range(t * index.K, (t + 1) * index.K)
    own = [code(index, q, h) for h in columns]
    walls = []
    for place, h in enumerate(columns):
        inside = (index.directions[:, h] @ q + index.offsets[h]) / index.w - own[place]
        walls += [(inside, place, -1), (1 - inside, place, +1)]
    result = [own]
    for _, place, step in sorted(walls)[: index.probes]:
        result.append([c + step * (place == i) for i, c in enumerate(own)])
    return result


def plain_hits(index, v, q):
    """Tables in which v lies in a bucket that q looks up."""
    hits = 0
    for t in range(index.L):
        mine = [code(index, v, h) for h in range(t * index.K, (t + 1) * index.K)]
        hits += mine in buckets_looked_up(index, q, t)
    return hits


def plain_answer(vectors, q, candidates, k):
    ranked = sorted((np.linalg.norm(vectors[row] - q), row) for row in candidates)[:k]
    return [row for _, row in ranked] + [-1] * (k - len(ranked))


@pytest.mark.parametrize(
    ("w", "K", "L", "min_hits", "probes"),
    [(3.0, 2, 4, 1, 0), (1.5, 1, 3, 1, 0), (4.0, 4, 5, 2, 0), (2.0, 3, 3, 1, 2), (2.0, 2, 4, 2, 4), (0.1, 4, 2, 1, 0)],
)
def test_lsh_equals_a_plain_loop(w, K, L, min_hits, probes):
    vectors, queries, rng = cloud(K * 10 + L, n=120, m=6)
    index = LSH(w, K, L, rng=rng, min_hits=min_hits, probes=probes).build(vectors)
    ids, _ = index.query(queries, 5)
    for i, q in enumerate(queries):
        candidates = [row for row, v in enumerate(vectors) if plain_hits(index, v, q) >= min_hits]
        assert index.examined[i] == len(candidates)
        assert ids[i].tolist() == plain_answer(vectors, q, candidates, 5)


@pytest.mark.parametrize(("w", "K", "L"), [(2.0, 2, 3), (1.0, 3, 4), (4.0, 1, 5), (1.0, 4, 1)])
def test_or_and_equals_a_plain_loop(w, K, L):
    vectors, queries, rng = cloud(K * 10 + L, n=120, m=6)
    index = OrAndLSH(w, K, L, rng=rng).build(vectors)
    ids, _ = index.query(queries, 5)
    for i, q in enumerate(queries):
        candidates = [
            row
            for row, v in enumerate(vectors)
            if all(any(code(index, v, g * L + j) == code(index, q, g * L + j) for j in range(L)) for g in range(K))
        ]
        assert index.examined[i] == len(candidates)
        assert ids[i].tolist() == plain_answer(vectors, q, candidates, 5)


def test_sign_hash_equals_a_plain_loop():
    vectors, queries, rng = cloud(7, n=120, m=6)
    index = CosineLSH(3, 2, rng=rng).build(vectors * rng.uniform(0.1, 9, (120, 1)))
    ids, _ = index.query(queries, 5)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for i, q in enumerate(queries / np.linalg.norm(queries, axis=1, keepdims=True)):
        sides = (index.directions.T @ q >= 0).reshape(2, 3)
        same = [any(((index.directions.T @ v >= 0).reshape(2, 3) == sides).all(axis=1)) for v in unit]
        assert ids[i].tolist() == plain_answer(unit, q, np.flatnonzero(same), 5)


def test_and_is_or_and_with_one_each():
    """K = 1 or L = 1: the two orders are the same sentence."""
    vectors, queries, _ = cloud(1)
    for K, L in ((1, 4), (3, 1)):
        a = LSH(1.5, K, L, rng=np.random.default_rng(5)).build(vectors)
        b = OrAndLSH(1.5, K, L, rng=np.random.default_rng(5)).build(vectors)
        np.testing.assert_array_equal(a.query(queries, 8)[0], b.query(queries, 8)[0])
        np.testing.assert_array_equal(a.examined, b.examined)


@pytest.mark.parametrize("kind", [LSH, OrAndLSH])
def test_a_huge_bucket_is_exact_search(kind):
    vectors, queries, rng = cloud(2)
    index = kind(1e9, 3, 2, rng=rng).build(vectors)
    np.testing.assert_array_equal(index.query(queries, 10)[0], ExactIndex().build(vectors).query(queries, 10)[0])
    assert (index.examined == len(vectors)).all()


def test_a_tiny_bucket_finds_nothing_and_says_so_by_padding():
    vectors, queries, rng = cloud(3)
    for w in (1e-6, 1e-300):
        ids, distances = LSH(w, 4, 2, rng=rng).build(vectors).query(queries * 1e3, 3)
        if w == 1e-6:
            assert (ids == -1).all()
            assert np.isinf(distances).all()
        assert np.isin(ids, np.arange(-1, len(vectors))).all()


def test_more_tables_never_lose_a_candidate_and_more_hashes_never_gain_one():
    """Recall is monotone: with the same draws, L + 1 tables contain the answers of L."""
    vectors, queries, _ = cloud(4, n=2000)
    true = ExactIndex().build(vectors).query(queries, 10)[0]
    recalls = [
        recall_at_k(LSH(2.0, 3, L, rng=np.random.default_rng(9)).build(vectors).query(queries, 10)[0], true)
        for L in (1, 4, 16, 64)
    ]
    assert recalls == sorted(recalls)
    assert recalls[-1] > recalls[0] + 0.3


def test_candidates_come_at_the_rate_of_the_formula():
    """E[examined] = Σ P(candidate | distance), over many draws of the hashes."""
    vectors, queries, rng = cloud(5, n=300, m=4)
    distances = np.linalg.norm(vectors - queries[:, None], axis=2)
    w, K, L = 3.0, 3, 4
    p = probability.collision(distances, w)
    for kind, expected in (
        (lambda: LSH(w, K, L, rng=rng), probability.and_or(p, K, L)),
        (lambda: LSH(w, K, L, rng=rng, min_hits=2), probability.and_or(p, K, L, 2)),
        (lambda: OrAndLSH(w, K, L, rng=rng), probability.or_and(p, K, L)),
    ):
        counts = []
        for _ in range(300):
            index = kind().build(vectors)
            index.query(queries, 1)
            counts.append(index.examined)
        mean, error = np.mean(counts, 0), np.std(counts, 0) / np.sqrt(300)
        assert (np.abs(mean - expected.sum(1)) < 4.5 * error).all()


def test_sign_candidates_come_at_the_rate_of_the_angle():
    rng = np.random.default_rng(6)
    u = np.array([1.0, 0, 0])
    angles = np.array([0.2, 0.8, 1.6, 2.6])
    vectors = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    same = np.mean(
        [(i := CosineLSH(1, 1, rng=rng).build(vectors)).codes(vectors) == i.codes(u[None]) for _ in range(4000)], 0
    )
    np.testing.assert_allclose(same[:, 0], probability.sign_collision(angles), atol=4 * 0.5 / np.sqrt(4000))


@pytest.mark.parametrize(
    ("r", "p"), [(0.25, 0.0992), (0.5, 0.1954), (1, 0.3687), (2, 0.6095), (3, 0.7343), (4, 0.8005), (8, 0.9003)]
)
def test_closed_form_has_the_known_values_and_equals_the_integral(r, p):
    w, c = 1.7, 1.7 / r
    assert float(probability.collision(c, w)) == pytest.approx(p, abs=5e-5)
    integral, _ = quad(lambda t: halfnorm.pdf(t / c) / c * (1 - t / w), 0, w)
    assert float(probability.collision(c, w)) == pytest.approx(integral, abs=1e-9)


def test_closed_form_against_monte_carlo():
    rng = np.random.default_rng(0)
    for c in (0.3, 1.0, 2.5):
        x, b = rng.standard_normal((200_000, 3)), rng.uniform(0, 1.3, 200_000)
        u = np.array([0.4, -2.0, 1.0])
        v = u + c * np.array([1, 2, 2]) / 3
        rate = (np.floor((x @ u + b) / 1.3) == np.floor((x @ v + b) / 1.3)).mean()
        p = float(probability.collision(c, 1.3))
        assert abs(rate - p) < 4 * np.sqrt(p * (1 - p) / 200_000)


def test_without_the_offset_the_collision_depends_on_the_place():
    """Erratum: floor(x·v / w) without b. Same distance, every probability from 0 up; far away it is as with b."""
    x = np.random.default_rng(0).standard_normal(400_000)
    at = np.array([-0.5, -0.25, 0.0, 0.1, 0.5, 1.0, 3.0, 40.0])
    rates = np.array([(np.floor(x * a) == np.floor(x * (a + 0.5))).mean() for a in at])
    formula = probability.collision_without_offset(at, 0.5, 1.0)
    np.testing.assert_allclose(rates, formula, atol=4 * 0.5 / np.sqrt(400_000))
    assert formula[1] == 0
    assert formula[2] == pytest.approx(0.47725, abs=1e-5)  # Φ(2) - 1/2
    assert formula[-1] == pytest.approx(float(probability.collision(0.5, 1.0)), abs=0.01)
    np.testing.assert_allclose(probability.collision_without_offset(-at - 0.5, 0.5, 1.0), formula, atol=1e-12)


def test_with_the_offset_it_does_not():
    rng = np.random.default_rng(1)
    x, b = rng.standard_normal(200_000), rng.uniform(0, 1, 200_000)
    for a in (-0.5, -0.25, 0.0, 0.1, 3.0):
        rate = (np.floor(x * a + b) == np.floor(x * (a + 0.5) + b)).mean()
        assert rate == pytest.approx(float(probability.collision(0.5, 1.0)), abs=0.005)


def test_collision_limits():
    assert probability.collision(0.0, 1.0) == 1
    assert probability.collision(1e-9, 1.0) == pytest.approx(1)
    assert 0 <= probability.collision(1e9, 1.0) < 1e-8
    c = np.geomspace(1e-6, 1e6, 400)
    assert (np.diff(probability.collision(c, 1.0)) <= 0).all()


def test_amplification_has_the_known_values():
    p = np.array([0.8, 0.4])
    assert probability.and_or(p, 5, 10) == pytest.approx([0.9811, 0.0978], abs=5e-5)
    assert probability.or_and(p, 4, 4) == pytest.approx([(1 - 0.2**4) ** 4, (1 - 0.6**4) ** 4])
    assert probability.and_or(p, 4, 4) == pytest.approx([0.8785, 0.0985], abs=5e-5)
    assert probability.and_or(0.6, 2, 5, min_hits=1) == pytest.approx(1 - (1 - 0.36) ** 5)
    assert probability.and_or(0.6, 2, 5, min_hits=5) == pytest.approx(0.36**5)
    assert probability.threshold(5, 10) == pytest.approx(0.1**0.2)


@pytest.mark.parametrize("bad", [-0.1, [1.0, np.nan]])
def test_a_distance_is_not_negative(bad):
    with pytest.raises(ValueError, match="at least 0"):
        probability.collision(bad, 1.0)


def test_an_angle_is_between_zero_and_pi():
    with pytest.raises(ValueError, match="radians"):
        probability.sign_collision(90)


@pytest.mark.parametrize("kind", [LSH, OrAndLSH])
@pytest.mark.parametrize(
    ("w", "K", "L", "error", "says"),
    [
        (0, 2, 2, ValueError, "w is 0"),
        (-1.0, 2, 2, ValueError, "bucket width"),
        (np.nan, 2, 2, ValueError, "w is nan"),
        (np.inf, 2, 2, ValueError, "w is inf"),
        ("1", 2, 2, TypeError, "w is '1'"),
        (True, 2, 2, TypeError, "w is True"),
        (1.0, 2.0, 2, TypeError, "K is 2.0"),
        (1.0, 0, 2, ValueError, "K is 0"),
        (1.0, 2, 2.5, TypeError, "L is 2.5"),
        (1.0, 2, -3, ValueError, "L is -3"),
        (1.0, 2, "2", TypeError, "L is '2'"),
        (1.0, 65536, 2, ValueError, "K is 65536; expected at most 65535"),
        (1.0, 2, 65536, ValueError, "L is 65536; expected at most 65535"),
    ],
)
def test_bad_settings_are_refused(kind, w, K, L, error, says):
    with pytest.raises(error, match=says):
        kind(w, K, L, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"min_hits": 4}, ValueError, "min_hits is 4 and L is 3"),
        ({"min_hits": 0}, ValueError, "min_hits is 0"),
        ({"probes": 5}, ValueError, "2K = 4"),
        ({"probes": -1}, ValueError, "probes is -1"),
        ({"probes": 1.0}, TypeError, "probes is 1.0"),
        ({"rng": 0}, TypeError, "default_rng"),
        ({"rng": np.random.RandomState(0)}, TypeError, "default_rng"),
    ],
)
def test_bad_options_are_refused(settings, error, says):
    with pytest.raises(error, match=says):
        LSH(1.0, 2, 3, **({"rng": np.random.default_rng(0)} | settings))


def test_zero_vectors_have_no_direction():
    index = CosineLSH(2, 2, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"vectors\[1\] is the zero vector"):
        index.build([[1.0, 0.0], [0.0, 0.0]])
    index.build([[1.0, 0.0]])
    with pytest.raises(ValueError, match=r"queries\[0\] is the zero vector"):
        index.query([0.0, 0.0], 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tiny_vectors_keep_their_direction_or_are_refused(dtype):
    tiny = np.finfo(dtype).tiny
    directions = np.array([[3, 4], [-4, 3], [1, 0]], dtype)
    index = CosineLSH(1, 9, rng=np.random.default_rng(0)).build(directions * tiny)
    np.testing.assert_allclose(index.vectors, [[0.6, 0.8], [-0.8, 0.6], [1, 0]], rtol=1e-6)
    assert index.query([30.0, 40.0], 1)[0].tolist() == [[0]]
    with pytest.raises(ValueError, match=rf"vectors\[2\] is the zero vector, or too near to it for {dtype.__name__}"):
        CosineLSH(1, 1, rng=np.random.default_rng(0)).build(directions * (tiny / 2))


def test_the_same_generator_gives_the_same_hashes():
    vectors, queries, _ = cloud(8)
    a, b, c = (LSH(2.0, 3, 3, rng=np.random.default_rng(s)).build(vectors) for s in (1, 1, 2))
    np.testing.assert_array_equal(a.query(queries, 5)[0], b.query(queries, 5)[0])
    assert (a.directions != c.directions).any()


def test_buckets_hold_every_row_once_a_table():
    vectors, _, rng = cloud(9)
    tables = LSH(2.0, 3, 4, rng=rng).build(vectors).tables
    for t in range(4):
        part = tables.rows[tables.starts[tables.first[t]] : tables.starts[tables.first[t + 1]]]
        assert sorted(part) == list(range(len(vectors)))
        assert (np.diff(tables.keys[tables.first[t] : tables.first[t + 1]].astype(object)) > 0).all()


def test_every_key_is_found_and_no_other():
    """Also the first and the last of all keys, tables of one bucket, and keys that share their first bits."""
    rng = np.random.default_rng(10)
    keys = rng.integers(2**64, size=(500, 4), dtype=np.uint64)
    keys[:, 1] = rng.choice(np.array([0, 2**64 - 1], np.uint64), 500)
    keys[:, 2] = 7
    keys[:, 3] >>= np.uint64(50)
    tables = Tables.build(keys)
    asked = [0, 7, 8, 2**63, 2**64 - 1, *rng.integers(2**64, size=20, dtype=np.uint64)]
    for t in range(4):
        for key in {*keys[:, t].tolist(), *map(int, asked)}:
            begin, end = bucket(tables, t, np.uint64(key))
            assert tables.rows[begin:end].tolist() == np.flatnonzero(keys[:, t] == np.uint64(key)).tolist()


@pytest.mark.parametrize(("w", "min_hits", "probes"), [(0.1, 1, 0), (0.1, 2, 3), (6.0, 3, 0)])
def test_no_query_sees_the_hits_of_another(w, min_hits, probes):
    """Buckets of a few rows among many, buckets that hold most rows; more vectors than are hashed at once."""
    vectors, queries, rng = cloud(11, n=2500, d=2, m=40)
    index = LSH(w, 2, 3, rng=rng, min_hits=min_hits, probes=probes).build(vectors)
    assert ROWS < len(vectors)
    together, _ = index.query(queries, 5)
    examined = index.examined
    assert examined.max() < 100 if w == 0.1 else examined.max() > 1000
    keys, looked = mix(index.codes(vectors), 3), index._keys(queries)
    for i, q in enumerate(queries):
        hits = (keys[:, :, None] == looked[i]).any(axis=2).sum(axis=1)
        assert examined[i] == (hits >= min_hits).sum()
        assert together[i].tolist() == plain_answer(vectors, q, np.flatnonzero(hits >= min_hits), 5)
        assert together[i].tolist() == index.query(q, 5)[0][0].tolist()


def test_keys_across_walls_are_those_of_the_codes_one_step_aside():
    codes = np.array([[5, -3, 0, 2**62]])
    inside = np.array([[0.25, 0.5, 0.9, 0.2]])
    found = mix_across(
        codes, inside, 2, 3
    )  # nearest: 0.25 lower of 5; 0.5 lower, then upper of -3 | 0.1 upper; 0.2; 0.8
    wanted = [[[5, -3], [4, -3], [5, -4], [5, -2]], [[0, 2**62], [1, 2**62], [0, 2**62 - 1], [0, 2**62 + 1]]]
    for t in range(2):
        assert found[0, t].tolist() == mix(np.array(wanted[t]), 1)[:, 0].tolist()
