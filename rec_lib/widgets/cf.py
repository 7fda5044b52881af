"""The panel of section 2.2: a user, a similarity and k; the list that comes out, and who is behind each place.

Similarities of all pairs are computed once, when the panel is made; a control only says which of them count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix, diags

from rec_lib.figures.cf import PLACES, REASONS, Reasons, reasons_figure, short
from rec_lib.models.similarity import KINDS, keep_nearest, rated, shrink, similarity
from rec_lib.schema import FIRST
from rec_lib.widgets.core import Panel, check_choice, check_whole, choice, slider, steps

MODELS = (("UserCF: users like you", "UserCF"), ("ItemCF: films like yours", "ItemCF"))
SIMILARITIES = (
    ("cosine 余弦", "cosine"),
    ("Pearson 皮尔逊 (row means)", "pearson"),
    ("column means (adjusted cosine 修正余弦)", "columns"),
    ("Jaccard", "jaccard"),
)
NEIGHBOURS = (1, 2, 5, 10, 20, 50, 100, 1000)
SHRINKAGES = (0, 10, 50)


class CFWorld:
    """Stars of users for films, and some of the users to choose from."""

    def __init__(self, R: csr_matrix, titles: Sequence[str], users: Sequence[tuple[str, int]]) -> None:
        if R.shape[1] != len(titles) or not users:
            raise ValueError(
                f"got a matrix {R.shape}, {len(titles)} titles, {len(users)} users; expected a title a column"
            )
        self.R, self.titles, self.users = R.tocsr().astype(np.float64), list(titles), list(users)
        rows, columns = self.R, self.R.T.tocsr()
        of_users = np.array([row for _, row in self.users])
        mask = rated(rows)
        common_users, common_items = (mask[of_users] @ mask.T).toarray(), (mask.T @ mask).toarray()
        self.users_near: dict[tuple[str, int], np.ndarray] = {}  # (chosen users, users)
        self.items_near: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = {}  # both (items, items)
        for kind in KINDS:
            near_users, near_items = similarity(rows, kind)[of_users], similarity(columns, kind)
            np.fill_diagonal(near_items, 0)
            for s in SHRINKAGES:
                self.users_near[kind, s] = shrink(near_users, common_users, s)
                near = shrink(near_items, common_items, s).clip(min=0)
                rank = np.empty(near.shape, dtype=np.int32)
                order = np.argsort(-near, axis=1, kind="stable")
                np.put_along_axis(rank, order, np.arange(near.shape[1], dtype=np.int32)[None], axis=1)
                self.items_near[kind, s] = near, rank
        taken = np.bincount(self.R.indices, minlength=R.shape[1])
        self.popularity = taken / max(1, int((np.diff(self.R.indptr) > 0).sum()))
        order = np.argsort(-self.popularity, kind="stable")
        self.by_popularity = order[order >= FIRST]

    def __call__(self, model: str, user: int, similarity: str, k: int, shrinkage: int, place: int) -> Reasons:
        """All that is drawn for one setting.

        Raises:
            ValueError: a value that its control does not have; the message names the control.
        """
        check_choice("model", model, [value for _, value in MODELS])
        check_choice("user", user, [value for _, value in self.users])
        check_choice("similarity", similarity, [value for _, value in SIMILARITIES])
        check_choice("k", k, NEIGHBOURS)
        check_choice("shrinkage", shrinkage, SHRINKAGES)
        check_whole("place", place, 1, PLACES)
        taken = self.R[[user]]
        who, parts = self._parts(model, user, similarity, k, shrinkage)  # (C,), (C, items)
        scores = np.asarray(parts.sum(axis=0)).ravel()
        popular = not scores.any()
        if popular:
            scores = self.popularity
        free = np.ones(len(scores), dtype=bool)
        free[taken.indices] = False
        listed = self.by_popularity[free[self.by_popularity]]
        listed = listed[np.argsort(-scores[listed], kind="stable")][:PLACES]
        behind = parts[:, listed].toarray()  # (C, places)
        order = np.argsort(-behind, axis=0, kind="stable")
        largest = np.zeros((len(listed), 4))
        ranked = np.take_along_axis(behind, order, axis=0)
        largest[:, : min(3, len(ranked))] = ranked[:3].T
        largest[:, 3] = ranked[3:].sum(axis=0)
        chosen = np.zeros(0, dtype=np.int64) if popular or place > len(listed) else order[:, place - 1]
        chosen = chosen[behind[chosen, place - 1] > 0] if len(chosen) else chosen
        shown = chosen[:REASONS]
        return Reasons(
            model=model,
            user=next(label for label, value in self.users if value == user),
            similarity=similarity,
            k=k,
            shrinkage=float(shrinkage),
            taken=taken.nnz,
            titles=[self.titles[i] for i in listed],
            scores=scores[listed],
            parts=largest,
            place=place,
            names=[self._name(model, user, int(who[c]), int(listed[place - 1])) for c in shown],
            amounts=behind[shown, place - 1] if len(shown) else np.zeros(0),
            count=len(chosen),
            pool=len(who),
            popular=popular,
        )

    def _parts(self, model: str, user: int, kind: str, k: int, shrinkage: int) -> tuple[np.ndarray, csr_matrix]:
        """Who speaks, (C,), and what each adds to the score of every film, (C, items)."""
        if model == "UserCF":
            number = [row for _, row in self.users].index(user)
            W = keep_nearest(self.users_near[kind, shrinkage][[number]], np.array([user]), k)
            weight = W.data / max(W.data.sum(), np.finfo(float).tiny)
            return W.indices, (diags(weight) @ self.R[W.indices]).tocsr()
        taken = self.R[[user]]
        near, rank = self.items_near[kind, shrinkage]
        w = near[:, taken.indices] * (rank[:, taken.indices] < k)  # (items, taken)  w_ph of the k nearest of each p
        speaks = w.any(axis=0)
        return taken.indices[speaks], csr_matrix((w * taken.data).T[speaks])

    def _name(self, model: str, user: int, who: int, item: int) -> str:
        if model == "UserCF":
            return f"user {who - FIRST + 1}, gave {self.R[who, item]:g}★"
        return f"{short(self.titles[who], 24)}, {self.R[user, who]:g}★"


def summary(data: Reasons) -> str:
    """What is seen, in words."""
    start = f"{data.model} for {data.user}, who rated {data.taken} of these films."
    if not data.titles:
        return f"{start} No film is left to recommend."
    if data.popular:
        why = "has rated nothing" if not data.taken else "has no neighbour of positive similarity"
        return (
            f"{start} The user {why}, so this is the popularity list, the same for everybody: {data.titles[0]} first."
        )
    many = data.pool != 1
    who = "neighbour" + "s" * many if data.model == "UserCF" else f"rated film{'s' * many} with neighbours"
    first = (
        f"{start} {data.pool} {who} {'speak' if many else 'speaks'}. First: {data.titles[0]} ({data.scores[0]:.2f})."
    )
    if data.place > len(data.titles):
        return f"{first} Place {data.place} is empty: only {len(data.titles)} films are left."
    film = f"Place {data.place}, {data.titles[data.place - 1]} ({data.scores[data.place - 1]:.2f}),"
    if not data.names:
        return f"{first} {film} has no reason: nobody speaks for it, and popularity alone put it there."
    if data.count == 1:
        return f"{first} {film} has 1 reason: {data.names[0]} adds {data.amounts[0]:.2f}."
    return f"{first} {film} has {data.count} reasons; the largest, {data.names[0]}, adds {data.amounts[0]:.2f}."


def cf_panel(R: csr_matrix, titles: Sequence[str], users: Sequence[tuple[str, int]]) -> Panel:
    """The panel over stars `R (users, items)`, encoded ids; `users` are (label, row) to choose from."""
    world = CFWorld(R, titles, users)
    controls = {
        "model": choice("filter", MODELS, "UserCF"),
        "user": choice("user", world.users, world.users[0][1]),
        "similarity": choice("similarity", SIMILARITIES, "cosine"),
        "k": steps("neighbours k", NEIGHBOURS, 20),
        "shrinkage": steps("shrinkage λ (ratings)", SHRINKAGES, 10),
        "place": slider("explain place", 1, PLACES, 1, 1),
    }
    return Panel(controls, world, reasons_figure, summary)


def demo() -> Panel:
    """The panel over a made-up world of two tastes: 60 users, 40 films; one user without ratings, one who gives 3★ to all."""
    rng = np.random.default_rng(0)
    users, films = 60, 40
    dense = np.zeros((FIRST + users + 2, FIRST + films))
    taste = (np.arange(users)[:, None] + np.arange(films)) % 2
    stars = np.clip(np.rint(rng.normal(2 + 2 * taste, 0.8)), 1, 5)
    dense[FIRST : FIRST + users, FIRST:] = stars * (rng.random((users, films)) < 0.15 + 0.35 * taste)
    dense[FIRST + users, FIRST : FIRST + 12] = 3
    titles = ["(padding)", "(unknown)", *(f"film {i + 1} ({'red' if i % 2 else 'black'})" for i in range(films))]
    chosen = [(f"user {i + 1} ({'red' if (i + 1) % 2 else 'black'})", FIRST + i) for i in range(4)]
    odd = [("3★ for everything", FIRST + users), ("a new user", FIRST + users + 1)]
    return cf_panel(csr_matrix(dense), titles, chosen + odd)
