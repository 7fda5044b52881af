"""When MovieLens' users rated what: the times that `data.watches.Watches` takes."""

from __future__ import annotations

from scipy.sparse import csr_matrix

from rec_lib.data.movielens import MovieLens
from rec_lib.data.views import ratings


def days(ml: MovieLens, shape: tuple[int, int]) -> csr_matrix:
    """(users, items) days since the first rating of the data set, stored for every rating; what `Watches` calls times."""
    log = ratings(ml)
    when = log["timestamp"].numpy()
    since = (when - when.min()) / 86_400
    matrix = csr_matrix((since, (log["user"].numpy(), log["item"].numpy())), shape=shape)
    matrix.sort_indices()
    return matrix
