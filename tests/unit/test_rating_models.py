"""Rating models around the contract: refused settings and files, what no penalty leaves, the planted world."""

import numpy as np
import pytest
import torch
from contract.rating_checks import asked, build, stirred, train

from rec_lib.data.low_rank import low_rank
from rec_lib.data.table import Table
from rec_lib.models import MF, IAutoRec, ModelFileError, RatingModel, SVDpp, UAutoRec
from rec_lib.schema import FIRST, Schema, Sparse

UNREAL = (-0.1, float("nan"), float("inf"))
UNFIT = [{name: value} for name in ("l2", "init_sd") for value in UNREAL]


@pytest.mark.parametrize("settings", [{"dim": -1}, {"dim": 0, "bias": False}, *UNFIT])
def test_mf_refuses(settings):
    with pytest.raises(ValueError, match="vectors"):
        build(MF, **settings)


@pytest.mark.parametrize("settings", [{"dim": 0}, *UNFIT, *({"l2_y": v} for v in UNREAL)])
def test_svdpp_refuses(settings):
    with pytest.raises(ValueError, match="vectors"):
        build(SVDpp, **settings)


def test_without_vectors_the_biases_are_left():
    model = build(MF, dim=0)
    with torch.no_grad():
        model.b_user.copy_(torch.arange(11.0))
        model.b_item.copy_(torch.arange(13.0) / 100)
    y = model(asked().batch())
    torch.testing.assert_close(y[0], model.mu + 2 + 0.02)


def test_without_biases_unknown_ids_get_the_mean_and_known_ones_the_product():
    model = build(MF, bias=False)
    y, batch = model(asked().batch()), asked().batch()
    product = (model.p[batch["user"]] * model.q[batch["item"]]).sum(1)
    torch.testing.assert_close(y[:16], product[:16])
    torch.testing.assert_close(y[-9:], model.mu.expand(9))
    assert {name for name, _ in model.named_parameters()} == {"p", "q"}


def test_svdpp_counts_an_item_rated_twice_once():
    rows = train()
    twice = rows.rows(torch.cat([torch.arange(len(rows)), torch.tensor([0, 1])]))
    assert torch.equal(build(SVDpp, train=twice).rated, build(SVDpp).rated)


def test_the_base_class_wants_a_penalty():
    with pytest.raises(NotImplementedError, match="no penalty"):
        RatingModel(train()).penalty(train().batch())


def test_files_of_another_model_schema_or_size_are_refused(tmp_path):
    path = tmp_path / "model.npz"
    stirred(MF).save(path)
    model = stirred(SVDpp)
    before = model.predict(asked())
    for other, message in (
        (model, "a MF, not a SVDpp"),
        (build(MF, dim=3), r"'p' has shape \(11, 64\) in the file and \(11, 3\)"),
    ):
        with pytest.raises(ModelFileError, match=message):
            other.load(path)
    assert torch.equal(model.predict(asked()), before)
    path.write_text("hello")
    with pytest.raises(ModelFileError, match="no complete file"):
        model.load(path)
    np.savez(path, model=np.array("MF"), schema=np.array("[]"))
    with pytest.raises(ModelFileError):
        build(MF).load(path)
    with pytest.raises(FileNotFoundError):
        model.load(tmp_path / "none.npz")


# --- the planted world -----------------------------------------------------------------------------------------------


def test_planted_ratings_are_the_truth_and_noise():
    world = low_rank(1, users=200, items=150, per_user=60, noise=0.5)
    assert [len(t) for t in (world.train, world.valid, world.test)] == [9600, 1200, 1200]
    rows = torch.cat([torch.stack([t["user"], t["item"]]) for t in (world.train, world.valid, world.test)], dim=1)
    assert len(torch.unique(rows, dim=1).T) == 12_000, "a pair stands twice"
    assert torch.bincount(rows[0])[FIRST:].unique().tolist() == [60]
    t = world.train
    error = t["label"].numpy() - world.truth[t["user"], t["item"]]
    assert error.std() == pytest.approx(0.5, rel=0.03)
    assert error.mean() == pytest.approx(0, abs=0.02)
    inner = world.truth[FIRST:, FIRST:]
    spectrum = np.linalg.svd(inner - inner.mean(0) - inner.mean(1, keepdims=True) + inner.mean())[1]
    assert spectrum[2] > 1
    assert spectrum[3] < 1e-9, "rank 3 beside the biases"


def test_choice_makes_users_rate_what_they_like():
    def liked(choice):
        world = low_rank(0, per_user=20, choice=choice)
        return world.train["label"].mean().item() - world.truth[FIRST:, FIRST:].mean()

    assert abs(liked(0.0)) < 0.1
    assert liked(2.0) > 0.5


@pytest.mark.parametrize("sizes", [{"per_user": 300}, {"rank": 0}, {"users": 0}, {"noise": -1.0}])
def test_impossible_worlds_are_refused(sizes):
    with pytest.raises(ValueError, match="expected sizes"):
        low_rank(0, **sizes)


# --- AutoRec ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{"dim": 0}, {"l2": -0.1}, {"init_sd": -1.0}])
@pytest.mark.parametrize("cls", [IAutoRec, UAutoRec])
def test_autorec_refuses(cls, settings):
    with pytest.raises(ValueError, match="hidden layer"):
        build(cls, **settings)


@pytest.mark.parametrize("cls", [IAutoRec, UAutoRec])
def test_a_pair_with_an_unknown_side_gets_the_mean(cls):
    """Also where one side is known: the row is empty, or the place was never learnt."""
    model = stirred(cls)
    y = model.predict(asked())
    torch.testing.assert_close(y[-9:], model.mu.expand(9))
    assert (y[:-9] != model.mu).all()


@pytest.mark.parametrize("cls", [IAutoRec, UAutoRec])
def test_held_out_stars_never_reach_the_rows(cls):
    """The rows hold the training ratings and nothing else, and the stars of what is asked change no prediction."""
    rows, model = train(), stirred(cls)
    held = torch.zeros_like(model.ratings)
    held[rows[model.row], rows[model.place]] = rows["label"]
    assert torch.equal(model.ratings, held)
    batch = asked().batch()
    assert torch.equal(model(batch | {"label": batch["label"] + 1}), model(batch))


def test_a_pair_rated_twice_enters_with_its_mean():
    rows = train()
    twice = rows.rows(torch.cat([torch.arange(len(rows)), torch.tensor([0])]))
    twice.columns["label"][-1] = rows["label"][0] + 2
    changed = build(IAutoRec, train=twice).ratings - build(IAutoRec).ratings
    assert changed[rows["item"][0], rows["user"][0]] == 1
    assert changed.abs().sum() == 1


def test_autorec_of_the_whole_is_the_papers_objective_by_the_number_of_ratings():
    """(1/R) [Σ_i ‖r⁽ⁱ⁾ − h(r⁽ⁱ⁾)‖² over what is rated + (λ/2)(‖W‖² + ‖V‖²)] over the users with ratings."""
    model, rows = stirred(IAutoRec).double(), train()
    r = model.ratings
    e = torch.where(r > 0, r - model.decode(model.encode(r)), 0.0)
    weights = sum(w[model.known_user].square().sum() for w in (model.V, model.W))
    expected = (e.square().sum() + model.l2 / 2 * weights) / len(rows)
    torch.testing.assert_close(model.loss(rows.batch()), expected)


@pytest.mark.parametrize("cls", [IAutoRec, UAutoRec])
def test_only_the_weights_of_observed_places_move(cls):
    """A row's error reaches the encoder at the places that the row has, and the decoder at the places asked for."""
    rows = train()
    model = build(cls, l2=0.0)
    one = rows.batch(slice(0, 1))
    model.loss(one).backward()
    row = model.ratings[one[model.row].item()]
    moved = {
        name: set(p.grad.abs().sum(dim=1).nonzero().flatten().tolist()) for name, p in (("V", model.V), ("W", model.W))
    }
    assert moved == {"V": set(row.nonzero().flatten().tolist()), "W": {one[model.place].item()}}


def test_u_autorec_is_i_autorec_of_the_transposed_ratings():
    rows = train()
    size = max(len(build(IAutoRec).known_user), len(build(IAutoRec).known_item))
    square = Schema((Sparse("user", size), Sparse("item", size)))
    there = Table(square, rows.batch())
    back = Table(square, {"user": rows["item"], "item": rows["user"], "label": rows["label"]})
    a, b = build(IAutoRec, train=there), build(UAutoRec, train=back)
    torch.testing.assert_close(a(there.batch()), b(back.batch()))


@pytest.mark.parametrize("dim", [1, 3])
def test_its_predictions_have_at_most_rank_dim_beside_one_number_a_user(dim):
    """So an MF of the same size with free user biases can hold whatever an I-AutoRec says."""
    model = build(IAutoRec, dim=dim, init_sd=0.5).double()
    with torch.no_grad():
        filled = model.decode(model.encode(model.ratings)) - model.b
    assert torch.linalg.matrix_rank(filled) == dim
