"""What every top-n recommender promises: one list of checks, each a function of the model's class.

The contract tests run each check on each class of the catalogue; the mutant tests run them on broken ones.
The world is a checkerboard: red users take red items, black users black ones. Each user lacks three items of its own
colour, and these are the right answer. Two users in three are red, so popularity alone gets the black ones wrong.
"""

import contextlib
import inspect
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from rec_lib.data.interactions import Interactions
from rec_lib.models import ModelFileError, TopN
from rec_lib.schema import FIRST, OOV, PAD

USERS, ITEMS, LACKS = 24, 18, 3
SHAPE = (FIRST + USERS + 2, FIRST + ITEMS + 1)  # two users who took nothing, one item that nobody took
EMPTY, NOBODYS = FIRST + USERS, FIRST + ITEMS
STRANGERS = [PAD, OOV, EMPTY, EMPTY + 1, SHAPE[0], 10**9]  # without a row, with an empty one, beyond the matrix
KNOWN = np.arange(FIRST, FIRST + USERS)

# One other value for each constructor argument. A model with a new argument has to add it here.
OTHER: dict[str, object] = {
    "k": 2,
    "similarity": "jaccard",
    "shrinkage": 5.0,
    "dim": 3,
    "alpha": 0.3,
    "l2": 0.2,
    "iterations": 1,
    "network": "gmf",
    "hidden": (4,),
    "negatives": 1,
    "epochs": 3,
    "batch_size": 64,
    "lr": 0.03,
    "sgd_lr": 1.0,
    "init_sd": 0.01,
    "maxlen": 2,
    "per_user": 3,
    "temperature": 1.0,
    "normalise": False,
    "correction": False,
    "id_dropout": 0.6,
}


def colour_of_user(user: int) -> int:
    return int((user - FIRST) % 3 == 2)  # two in three are red (0)


def missing(user: int) -> set[int]:
    """The items of the user's colour that it has not taken, the same number of each item over the users."""
    own = range(FIRST + colour_of_user(user), FIRST + ITEMS, 2)
    return {own[(user + step * 2) % len(own)] for step in range(LACKS)}


def world() -> csr_matrix:
    pairs = [(u, i) for u in KNOWN for i in range(FIRST + colour_of_user(u), FIRST + ITEMS, 2) if i not in missing(u)]
    users, items = np.array(pairs).T
    return csr_matrix((np.ones(len(pairs), dtype=np.float32), (users, items)), shape=SHAPE)


def noisy_world(seed: int = 0) -> csr_matrix:
    """The checkerboard with some squares turned over: ties are rare, popularity is uneven."""
    rng = np.random.default_rng(seed)
    dense = world().toarray()
    flip = rng.random((USERS, ITEMS)) < 0.2
    inner = dense[FIRST : FIRST + USERS, FIRST : FIRST + ITEMS]
    inner[flip] = 1 - inner[flip]
    return csr_matrix(dense)


def build(cls: type[TopN], **settings) -> TopN:
    if "rng" in inspect.signature(cls).parameters:
        settings.setdefault("rng", np.random.default_rng(0))
    return cls(**settings)


def popular(matrix: csr_matrix, k: int) -> list[int]:
    """The k most taken items, ties by id, counted the plain way."""
    count = {i: int((matrix[:, [i]].toarray() != 0).sum()) for i in range(FIRST, matrix.shape[1])}
    return sorted(count, key=lambda i: (-count[i], i))[:k]


def check_finds_the_checkerboard(cls):
    model = build(cls).fit(world())
    items, scores = model.recommend(KNOWN, LACKS)
    assert items.shape == scores.shape == (USERS, LACKS)
    for user, found in zip(KNOWN, items, strict=True):
        if cls.personal:
            assert set(found.tolist()) == missing(user), f"user {user} lacks {missing(user)}, got {found}"
        else:
            taken = set(world()[[user]].indices.tolist())
            assert found.tolist() == [i for i in popular(world(), ITEMS) if i not in taken][:LACKS]


def check_scores_are_a_finite_number_for_every_user_and_item(cls):
    model = build(cls).fit(noisy_world())
    users = [*KNOWN, *STRANGERS]
    scores = model.score(users)
    assert scores.shape == (len(users), SHAPE[1]), f"got shape {scores.shape}"
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    assert np.ptp(scores[:USERS, FIRST:NOBODYS]) > 0, "all scores are equal"


def check_lists_hold_the_best_scores_in_order(cls):
    matrix = noisy_world()
    model = build(cls).fit(matrix)
    items, scores = model.recommend(KNOWN, 7)
    own = model.score(KNOWN)
    rank = {item: place for place, item in enumerate(popular(matrix, ITEMS + 1))}
    for row, user in enumerate(KNOWN):
        free = [i for i in range(FIRST, SHAPE[1]) if matrix[user, i] == 0]
        expected = sorted(free, key=lambda i: (-own[row, i], rank[i]))[:7]
        assert items[row].tolist() == expected, "not the best unseen items, equal scores by popularity"
        np.testing.assert_array_equal(scores[row], own[row, expected])


def check_seen_items_are_left_out_unless_asked_for(cls):
    matrix = world()
    model = build(cls).fit(matrix)
    for user, found in zip(KNOWN, model.recommend(KNOWN, ITEMS)[0], strict=True):
        assert not set(found.tolist()) & set(matrix[[user]].indices.tolist()), "a seen item is recommended"
    everything, _ = model.recommend(KNOWN, SHAPE[1], exclude_seen=False)
    for found in everything:
        assert sorted(found.tolist()) == [-1] * FIRST + list(range(FIRST, SHAPE[1])), "exclude_seen=False ranks all"


def check_short_lists_end_in_minus_one(cls):
    matrix = world().tolil()
    matrix[FIRST, FIRST:] = 1  # took everything
    model = build(cls).fit(csr_matrix(matrix))
    items, scores = model.recommend([FIRST, FIRST + 1, EMPTY], ITEMS + 50)
    left = np.array([0, ITEMS + 1 - (ITEMS // 2 - LACKS), ITEMS + 1])
    np.testing.assert_array_equal((items >= FIRST).sum(axis=1), left)
    for row, n in enumerate(left):
        assert (items[row, :n] >= FIRST).all()
        assert (items[row, n:] == -1).all()
        assert np.isfinite(scores[row, :n]).all()
        assert (scores[row, n:] == -np.inf).all()
        assert len(set(items[row, :n].tolist())) == n, "an item stands twice"


def check_strangers_get_what_is_popular_and_are_named(cls):
    matrix = noisy_world()
    model = build(cls).fit(matrix)
    assert model.knows(KNOWN).all()
    assert not model.knows(STRANGERS).any()
    items, scores = model.recommend(STRANGERS, 6)
    for found in items:
        assert found.tolist() == popular(matrix, 6)
    share = np.bincount(matrix.indices, minlength=SHAPE[1]) / USERS
    np.testing.assert_allclose(scores, share[items])
    mixed, _ = model.recommend([KNOWN[0], OOV, KNOWN[5]], 6)
    np.testing.assert_array_equal(mixed[1], items[0])
    np.testing.assert_array_equal(mixed[[0, 2]], model.recommend(KNOWN[[0, 5]], 6)[0])


def check_an_item_that_nobody_took_comes_last_and_is_named(cls):
    model = build(cls).fit(noisy_world())
    assert model.knows_items(range(FIRST, NOBODYS)).all()
    assert not model.knows_items([PAD, OOV, NOBODYS, NOBODYS + 1, 10**9]).any()
    items, _ = model.recommend([*KNOWN, EMPTY], SHAPE[1])
    assert ((items == NOBODYS).sum(axis=1) == 1).all()
    for found in items:
        assert found[found >= 0][-1] == NOBODYS


def check_reserved_ids_are_never_recommended(cls):
    model = build(cls).fit(noisy_world())
    for exclude in (True, False):
        items, _ = model.recommend([*KNOWN, *STRANGERS], SHAPE[1] + 5, exclude_seen=exclude)
        assert not np.isin(items, (PAD, OOV)).any()


def check_a_user_alone_gets_what_it_gets_in_a_batch(cls):
    model = build(cls).fit(noisy_world())
    users = np.array([*KNOWN[::-1], *STRANGERS, KNOWN[3], KNOWN[3]])
    together, (_, top) = model.score(users), model.recommend(users, 5)
    for row, user in enumerate(users):
        np.testing.assert_allclose(model.score([user])[0], together[row], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(model.recommend([user], 5)[1][0], top[row], rtol=1e-5, atol=1e-6)
    items, scores = model.recommend([], 5)
    assert items.shape == scores.shape == (0, 5)
    assert model.score([]).shape == (0, SHAPE[1])


def check_a_saved_model_comes_back(cls):
    model = build(cls).fit(noisy_world())
    users = [*KNOWN, *STRANGERS]
    expected = model.score(users)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        model.save(path)
        assert [p.name for p in path.parent.iterdir()] == ["model.npz"], "a temporary file was left behind"
        again = build(cls).load(path)
        np.testing.assert_array_equal(again.score(users), expected)
        np.testing.assert_array_equal(again.recommend(users, 9)[0], model.recommend(users, 9)[0])
        np.testing.assert_array_equal(again.knows(users), model.knows(users))
        build(cls).fit(world()).save(path)
        np.testing.assert_array_equal(model.score(users), expected)


def check_a_bad_file_is_refused_and_changes_nothing(cls):
    model = build(cls).fit(noisy_world())
    expected = model.score(KNOWN)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        build(cls).fit(world()).save(path)
        whole = path.read_bytes()
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        other = {**arrays, "model": np.array("SomethingElse")}
        settings = {**arrays, "settings": np.array('{"no": "such"}')}
        for name in (n for n in arrays if arrays[n].ndim):
            np.savez(path, **{n: a for n, a in arrays.items() if n != name})
            with pytest.raises(ModelFileError):
                model.load(path)
        for bad in (other, settings):
            np.savez(path, **bad)
            with pytest.raises(ModelFileError, match="Build the model that was saved"):
                model.load(path)
        for bad in (b"", b"hello", whole[: len(whole) // 2]):
            path.write_bytes(bad)
            with pytest.raises(ModelFileError):
                model.load(path)
        np.savez_compressed(path, **arrays)
        packed = path.read_bytes()
        for at in range(
            30, len(packed), max(1, len(packed) // 40)
        ):  # zip, zlib and numpy each have errors of their own
            path.write_bytes(packed[:at] + b"}" * 12 + packed[at + 12 :])
            with contextlib.suppress(ModelFileError):  # or it is whole still, where nobody reads those bytes
                build(cls).load(path)
        with pytest.raises(FileNotFoundError):
            model.load(path.with_name("none.npz"))
    np.testing.assert_array_equal(model.score(KNOWN), expected)


def check_fit_reads_the_training_pairs_alone(cls):
    matrix = noisy_world()
    users = KNOWN[:4]
    held = np.array([min(missing(u)) for u in users])
    data = Interactions(matrix, users, held, np.full((4, 2), FIRST))
    np.testing.assert_array_equal(build(cls).fit(data).score(KNOWN), build(cls).fit(matrix).score(KNOWN))


def check_a_second_fit_forgets_the_first(cls):
    model = build(cls).fit(world())
    model.recommend(KNOWN, 3)
    smaller = noisy_world()[: FIRST + 12]
    again, fresh = model.fit(smaller), build(cls).fit(smaller)
    assert again is model
    if "rng" not in inspect.signature(cls).parameters:  # a generator has moved on
        np.testing.assert_array_equal(again.score(KNOWN), fresh.score(KNOWN))
    assert not model.knows(KNOWN[12:]).any(), "a user of the first fit is still known"


def check_the_callers_matrix_is_copied(cls):
    matrix = noisy_world()
    before = matrix.copy()
    model = build(cls).fit(matrix)
    expected = model.score(KNOWN)
    assert (matrix != before).nnz == 0, "fit changed the caller's matrix"
    assert matrix.dtype == before.dtype
    matrix.data[:] = 7
    matrix.indices[:] = FIRST
    np.testing.assert_array_equal(model.score(KNOWN), expected)


def check_entries_may_come_in_any_order(cls):
    """Unsorted indices, stored zeros and explicit duplicates of a COO matrix are the same interactions."""
    matrix = noisy_world()
    coo = matrix.tocoo()
    order = np.random.default_rng(1).permutation(coo.nnz)
    rows = np.concatenate([coo.row[order], [FIRST, FIRST + 1]])
    columns = np.concatenate([coo.col[order], [NOBODYS, NOBODYS]])
    values = np.concatenate([coo.data[order], [0, 0]])
    messy = csr_matrix((values, (rows, columns)), shape=SHAPE)
    np.testing.assert_allclose(build(cls).fit(messy).score(KNOWN), build(cls).fit(matrix).score(KNOWN), atol=1e-9)


def check_an_empty_matrix_gives_popular_lists_of_nothing(cls):
    for shape in ((6, 5), (FIRST, 5), (6, FIRST), (FIRST, FIRST)):
        model = build(cls).fit(csr_matrix(shape, dtype=np.float32))
        users = [OOV, FIRST, 5]
        assert not model.knows(users).any()
        assert np.isfinite(model.score(users)).all()
        items, scores = model.recommend(users, 4)
        assert not np.isnan(scores).any()
        n = shape[1] - FIRST
        for found in items:
            assert found.tolist() == [*range(FIRST, FIRST + n), -1, -1, -1, -1][:4]


def check_one_interaction_is_enough(cls):
    matrix = csr_matrix((np.ones(1), ([FIRST + 1], [FIRST + 2])), shape=(6, 7))
    model = build(cls).fit(matrix)
    items, scores = model.recommend([FIRST, FIRST + 1], 5)
    assert np.isfinite(model.score([FIRST, FIRST + 1])).all()
    assert not np.isnan(scores).any()
    assert items[0, 0] == FIRST + 2, "the stranger gets the one popular item"
    assert FIRST + 2 not in items[1]


def check_stars_of_one_value_give_finite_lists(cls):
    """All ratings equal: no variance, so a centred similarity divides by zero unless it is told what that means."""
    matrix = noisy_world()
    matrix.data[:] = 4
    model = build(cls).fit(matrix)
    assert np.isfinite(model.score(KNOWN)).all()
    assert not np.isnan(model.recommend(KNOWN, 5)[1]).any()


def check_questions_that_cannot_be_are_refused(cls):
    with pytest.raises(RuntimeError, match="fit"):
        build(cls).score([FIRST])
    with pytest.raises(RuntimeError, match="fit"):
        build(cls).recommend([FIRST], 3)
    with pytest.raises(RuntimeError, match="fit"):
        build(cls).save("never.npz")
    model = build(cls).fit(world())
    for k in (0, -1, 2.0, True, None):
        with pytest.raises(ValueError, match="k is"):
            model.recommend([FIRST], k)
    with pytest.raises(ValueError, match="negative"):
        model.score([-1])
    with pytest.raises(ValueError, match="beyond int64"):
        model.score(np.array([2**63], dtype=np.uint64))
    for users in (FIRST, [[FIRST]], [2.5], ["2"]):
        with pytest.raises(TypeError, match="integers"):
            model.score(users)
    with pytest.raises(TypeError, match="CSR"):
        build(cls).fit(world().toarray())
    with pytest.raises(ValueError, match="reserved"):
        build(cls).fit(csr_matrix((1, 9)))
    for row, column in ((OOV, FIRST), (FIRST, PAD)):
        bad = world().tolil()
        bad[row, column] = 1
        with pytest.raises(ValueError, match="reserved"):
            build(cls).fit(csr_matrix(bad))
    for value in (np.nan, np.inf):
        broken = world()
        broken.data[3] = value
        with pytest.raises(ValueError, match="NaN"):
            build(cls).fit(broken)
    for value in (-1.0, 1e160, 1e-160):  # no interaction, and squares that overflow or vanish
        broken = world().astype(np.float64)
        broken.data[3] = value
        with pytest.raises(ValueError, match="the entries run from"):
            build(cls).fit(broken)


def check_two_models_share_nothing(cls):
    a, b = build(cls).fit(noisy_world(0)), build(cls)
    expected = a.score(KNOWN)
    b.fit(noisy_world(1))
    np.testing.assert_array_equal(a.score(KNOWN), expected)


def check_every_option_does_something(cls):
    stars = noisy_world()
    stars.data[:] = np.random.default_rng(2).integers(1, 6, stars.nnz)
    usual = build(cls).fit(stars).score(KNOWN)
    for name in inspect.signature(cls).parameters:
        if name == "rng":
            continue
        assert name in OTHER, f"{cls.__name__} has a new option {name!r}: name another value of it in OTHER"
        assert not np.array_equal(build(cls, **{name: OTHER[name]}).fit(stars).score(KNOWN), usual), f"{name} is dead"


CHECKS: dict[str, Callable[[type[TopN]], None]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}
