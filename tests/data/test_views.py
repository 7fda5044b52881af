"""The views of MovieLens against plain loops, and against the future: no row may know what comes after it."""

import numpy as np
import pandas as pd
import pytest
import torch
from movielens_files import CSV, U, write

from rec_lib.data import views
from rec_lib.data.encoder import Encoder
from rec_lib.data.movielens import MovieLens, load
from rec_lib.evaluation.splits import random_split, time_split
from rec_lib.schema import FIRST, OOV, PAD


@pytest.fixture(scope="module")
def small() -> MovieLens:
    """12 users, 30 films, timestamps with many ties."""
    rng = np.random.default_rng(0)
    pairs = rng.choice(12 * 30, 200, replace=False)
    ratings = pd.DataFrame({"user": 1 + pairs // 30, "item": 1 + pairs % 30})
    ratings["rating"] = rng.integers(1, 6, 200).astype(float)
    ratings["timestamp"] = 900_000_000 + 600 * rng.integers(0, 12, 200)
    users = pd.DataFrame(
        {"gender": list("MF") * 6, "age": rng.integers(7, 74, 12), "occupation": "writer", "zip": "0520"},
        index=pd.RangeIndex(1, 13, name="user"),
    )
    genres = [tuple(sorted({"Drama", "Comedy", "War"} - set(rng.choice(["Drama", "War"], 1)))) for _ in range(30)]
    items = pd.DataFrame(
        {"title": [f"Film {i}" for i in range(30)], "year": 1990 + np.arange(30) % 5, "genres": genres}
    )
    return MovieLens("small", ratings, users, items.set_axis(pd.RangeIndex(1, 31, name="item")))


@pytest.fixture(scope="module")
def ml() -> MovieLens:
    return load()


def test_every_view_encodes_a_film_alike(small):
    code = views.encoders(small)["item"]
    click, star = views.ctr(small), views.ratings(small)
    stars = small.ratings.set_index(["user", "item"])["rating"]
    for table in (click, star):
        user = views.encoders(small)["user"].decode(table["user"])
        assert (
            stars.loc[list(zip(user, code.decode(table["item"]), strict=True))].to_numpy()
            == (table["rating"] if table is click else table["label"]).numpy()
        ).all()
    titles = views.item_titles(small)
    assert len(titles) == code.size
    assert titles[code.encode(7)] == "Film 6 (1991)"
    sessions = views.sequences(small, shortest=1)
    assert sum(map(len, sessions)) == (small.ratings["rating"] >= 4).sum()
    assert set(np.concatenate(sessions)) == set(code.encode(small.ratings["item"][small.ratings["rating"] >= 4]))


def test_clicks_carry_the_tables_of_user_and_film(small):
    table, code = views.ctr(small), views.encoders(small)
    assert [f.name for f in table.schema.fields] == "user item gender age occupation zip year genres".split()
    for row in range(len(table)):
        user = small.users.loc[code["user"].decode(table["user"][row])]
        film = small.items.loc[code["item"].decode(table["item"][row])]
        assert code["gender"].decode(table["gender"][row]) == user["gender"]
        assert code["age"].decode(table["age"][row]) == max(a for a in views.AGES if a <= user["age"])
        assert code["zip"].decode(table["zip"][row]) == "0"
        assert code["year"].decode(table["year"][row]) == film["year"]
        bag = table["genres"][row][table["genres"][row] != PAD]
        assert tuple(code["genres"].decode(bag)) == film["genres"]
        assert table["label"][row] == float(table["rating"][row] >= 4)


@pytest.mark.parametrize("length", [1, 3, 20])
def test_the_history_is_what_a_plain_loop_finds(small, length):
    table = views.ctr(small, history=length)
    user, item, time_, liked = (table[name].tolist() for name in ("user", "item", "timestamp", "label"))
    for row in range(len(table)):
        before = [
            item[other]
            for other in range(len(table))
            if user[other] == user[row] and liked[other] and time_[other] < time_[row]
        ][-length:]
        assert table["history"][row].tolist() == before + [PAD] * (length - len(before))


def test_a_history_without_likes_is_empty(small):
    nothing = MovieLens("none", small.ratings.assign(rating=1.0), small.users, small.items)
    assert (views.ctr(nothing, history=4)["history"] == PAD).all()
    assert views.sequences(nothing, shortest=1) == []
    one = nothing.ratings.assign(rating=np.where(small.ratings["user"] == 3, 5.0, 1.0))
    table = views.ctr(MovieLens("one", one, small.users, small.items), history=4)
    third = table["user"] == views.encoders(small)["user"].encode(3)
    assert (table["history"][~third] == PAD).all()
    assert (table["history"][third] != PAD).any()


def test_no_history_knows_the_present_or_the_future(ml):
    table = views.ctr(ml, history=20)
    when = pd.Series(
        table["timestamp"].numpy(), pd.MultiIndex.from_arrays([table["user"].numpy(), table["item"].numpy()])
    )
    stars = pd.Series(table["rating"].numpy(), when.index)
    real = table["history"] != PAD
    users = table["user"][:, None].expand_as(table["history"])[real].numpy()
    films = table["history"][real].numpy()
    now = table["timestamp"][:, None].expand_as(table["history"])[real].numpy()
    at = pd.MultiIndex.from_arrays([users, films])
    assert (when.reindex(at).to_numpy() < now).all(), (
        "a history holds a film of this second or later, or of another user"
    )
    assert (stars.reindex(at).to_numpy() >= 4).all()
    assert (table["history"] != table["item"][:, None]).all(), "a history holds its own row's film"
    assert (real[:, :-1] | ~real[:, 1:]).all(), "padding stands before a film"


def test_rows_stand_in_the_order_of_time_and_ties_in_a_seeded_one(ml):
    one, again, other = views.ctr(ml, seed=1), views.ctr(ml, seed=1), views.ctr(ml, seed=2)
    assert (one["timestamp"].diff() >= 0).all()
    assert torch.equal(one["item"], again["item"])
    assert torch.equal(one["timestamp"], other["timestamp"])
    assert not torch.equal(one["item"], other["item"])


def test_a_data_set_without_demographics_has_fewer_fields(tmp_path):
    table = views.ctr(load("ml-latest-small", write(tmp_path, CSV)), history=2)
    assert [f.name for f in table.schema.fields] == ["user", "item", "year", "genres", "history"]
    assert table["genres"][(table["rating"] == 4).nonzero()[0, 0]].tolist() == [PAD] * table["genres"].shape[1]


def test_what_a_user_left_blank_is_unknown(tmp_path):
    small = load("ml-100k", write(tmp_path, U, u_user="1|24||technician|\n2|53|F|other|V3N4P\n"))
    table = views.ctr(small)
    blank = table["user"] == views.encoders(small)["user"].encode(1).item()
    for name in ("gender", "zip"):
        assert table[name].tolist() == [OOV if empty else FIRST for empty in blank]


def test_a_film_without_a_year_is_of_an_unknown_one(tmp_path):
    small = load("ml-100k", write(tmp_path, U))
    table, code = views.ctr(small), views.encoders(small)
    assert table["year"][table["item"] == code["item"].encode(3).item()].tolist() == [OOV]
    assert views.item_titles(small)[FIRST:] == [
        "Toy Story (1995)",
        "Misérables, Les (1995)",
        "unknown",
        "Land Before Time III: The Time of the Great Giving (1995)",
    ]


def test_a_time_split_never_trains_on_the_future_and_no_split_shares_rows(ml):
    stamps = views.ctr(ml)["timestamp"]
    for parts in (time_split(stamps), random_split(len(stamps), seed=0)):
        assert torch.equal(torch.cat(parts).sort().values, torch.arange(len(stamps)))
    train, valid, test = (stamps[part] for part in time_split(stamps))
    assert train.max() <= valid.min()
    assert valid.max() <= test.min()


@pytest.mark.parametrize("gap", [5, 10, 25])
def test_sessions_are_one_users_likes_cut_at_the_gap(small, gap):
    code = views.encoders(small)["item"]
    expected = []  # sessions as lists of sets: the films of one second, whose order nobody knows
    for _, own in small.ratings[small.ratings["rating"] >= 4].groupby("user"):
        before = -np.inf
        for stamp, films in own.groupby("timestamp")["item"]:
            if stamp - before > gap * 60:
                expected.append([])
            expected[-1].append(set(code.encode(films)))
            before = stamp
    sessions = views.sequences(small, gap_minutes=gap, rng=np.random.default_rng(3), shortest=1)
    assert len(sessions) == len(expected)
    for session, groups in zip(sessions, expected, strict=True):
        ends = np.cumsum([len(group) for group in groups])
        assert [set(part) for part in np.split(session, ends[:-1])] == groups
    kept = views.sequences(small, gap_minutes=gap, rng=np.random.default_rng(3), shortest=3)
    assert list(map(len, kept)) == [len(session) for session in sessions if len(session) >= 3]


def test_sessions_are_the_same_for_the_same_seed(ml):
    one, again, other = (views.sequences(ml, rng=np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert all(map(np.array_equal, one, again))
    assert not all(map(np.array_equal, one, other))
    assert list(map(len, one)) == list(map(len, other))
    likes = ml.ratings[ml.ratings["rating"] >= 4]
    assert len(views.sequences(ml, gap_minutes=1e9, shortest=1)) == likes["user"].nunique()


def test_an_encoder_knows_its_values_and_nothing_else():
    code = Encoder(["b", "a", "b"])
    assert code.size == 4
    assert code.encode([["a", "z"], ["b", ""]]).tolist() == [[2, OOV], [3, OOV]]
    assert code.decode([3, 2]).tolist() == ["b", "a"]
    assert Encoder([10, 5]).encode([5, 7, 11]).tolist() == [2, OOV, OOV]
    with pytest.raises(ValueError, match="only 2 … 3 stand for a value"):
        code.decode([OOV])
    with pytest.raises(ValueError, match="at least one value"):
        Encoder([])
    with pytest.raises(ValueError, match="history=-1"):
        views.ctr(load(), history=-1)
