"""GBDT+LR: boosted trees turn a sample into a code of leaves, logistic regression weighs the leaves.

Paper    He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD 2014: sec. 3.1 (leaves as categorical input), eq. 1 (NE).
Section  2.6 GBDT+LR——特征工程模型化的开端
Idea     y = w0 + Σ_t Σ_l W_tl 1[x falls into leaf l of tree t]  +  Σ_i w_i x_i
Differs  trees read the dense fields and are grown by scikit-learn's histogram boosting; a leaf is looked up as what it is, a conjunction of conditions; W starts at the trees' own leaf values, so before training the model is the GBDT; weights w_i of the raw features beside the leaves, which the paper's LR has not (raw=False); logits, no sigmoid here.
Symbols  B batch · F fields with ids · N dense features · T trees · L leaves a tree at most · S = L − 1 splits
"""

from __future__ import annotations

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from rec_lib.data.table import Table
from rec_lib.layers import FieldEmbedding
from rec_lib.models.base import CTRModel
from rec_lib.schema import Batch, Schema


class GBDTLR(CTRModel):
    """Two learners, one after the other: ``fit_trees(table)`` grows the trees, ``fit`` trains the weights."""

    feature: Tensor
    threshold: Tensor
    path: Tensor
    length: Tensor

    def __init__(self, schema: Schema, trees: int = 50, leaves: int = 8, raw: bool = True):
        super().__init__(schema)
        if not schema.dense or trees < 1 or leaves < 2:
            raise ValueError(
                f"got {len(schema.dense)} dense fields, trees={trees}, leaves={leaves}: expected at least 1, 1 and 2. "
                "Trees read dense fields: give an id its count or its click rate as one."
            )
        self.register_buffer("feature", torch.zeros(trees, leaves - 1, dtype=torch.int64))  # (T, S)
        self.register_buffer("threshold", torch.zeros(trees, leaves - 1))  # (T, S)  x ≤ threshold goes left
        path = torch.zeros(trees, leaves - 1, leaves)
        self.register_buffer("path", path)  # (T, S, L)  +1 left, −1 right, 0 not on it
        self.register_buffer("length", torch.full((trees, leaves), -1.0))  # (T, L)  conditions to hold; −1: no leaf
        self.w0 = nn.Parameter(torch.zeros(()))
        self.leaf = nn.Parameter(torch.zeros(trees, leaves))  # (T, L)  W
        self.w = FieldEmbedding(schema, 1, init_sd=0.0) if raw else None
        self.dense = nn.Parameter(torch.zeros(len(schema.dense))) if raw else None  # (N,)

    def fit_trees(self, table: Table, learning_rate: float = 0.1, min_leaf: int = 20, l2: float = 0.0) -> None:
        """Grow the trees anew on the rows of a table, and set w0 and W to the GBDT's own baseline and leaf values.

        Args:
            table: its dense fields must be this model's.
            learning_rate: what a tree's values are multiplied by (shrinkage).
            min_leaf: rows in a leaf at least.
            l2: added to the curvature in a leaf's value.

        Raises:
            ValueError: a table with other dense fields, or labels that are not both 0 and 1.
        """
        from sklearn.ensemble import HistGradientBoostingClassifier  # slow to import, and only growing needs it

        names, given = ([f.name for f in schema.dense] for schema in (self.schema, table.schema))
        if given != names:
            raise ValueError(f"the table has the dense fields {given}, expected {names}.")
        if (values := table["label"].unique().tolist()) != [0, 1]:
            raise ValueError(f"the labels are {values[:5]}, expected 0 and 1, both: trees part clicks from no clicks.")
        (trees, leaves), x = self.leaf.shape, self.dense_values(table.batch()).float().numpy()  # what a split will see
        gbdt = HistGradientBoostingClassifier(
            learning_rate=learning_rate, max_iter=trees, max_leaf_nodes=leaves, min_samples_leaf=min_leaf,
            l2_regularization=l2, early_stopping=False, random_state=0,
        )  # fmt: skip
        with threadpool_limits(1):  # sums in one order, so that results repeat
            gbdt.fit(x, table["label"].numpy())
        with torch.no_grad():
            for buffer, start in ((self.path, 0.0), (self.length, -1.0), (self.leaf, 0.0)):
                buffer.fill_(start)
            self.w0.fill_(float(gbdt._baseline_prediction.item()))
            for t, (grown,) in enumerate(gbdt._predictors):
                self._keep(t, grown.nodes)

    def _keep(self, t: int, nodes: np.ndarray) -> None:
        """Write one grown tree into the arrays: splits and leaves are numbered from the root down, left first."""
        splits = leaves = 0
        waiting: list[tuple[int, list[tuple[int, float]]]] = [(0, [])]  # node, and the turns that lead to it
        while waiting:
            node, turns = waiting.pop()
            row = nodes[node]
            if row["is_leaf"]:
                for split, side in turns:
                    self.path[t, split, leaves] = side
                self.length[t, leaves], self.leaf[t, leaves] = len(turns), float(row["value"])
                leaves += 1
                continue
            down = np.float32(row["num_threshold"])  # rounded down, a float32 x is on the same side of it
            down = np.nextafter(down, np.float32(-np.inf)) if down > row["num_threshold"] else down
            self.feature[t, splits], self.threshold[t, splits] = int(row["feature_idx"]), float(down)
            waiting.append((int(row["right"]), [*turns, (splits, -1.0)]))
            waiting.append((int(row["left"]), [*turns, (splits, 1.0)]))
            splits += 1

    def dense_values(self, batch: Batch) -> Tensor:
        """The dense features side by side, (B, N)."""
        return torch.stack([batch[f.name].to(self.threshold.dtype) for f in self.schema.dense], dim=1)

    def leaf_code(self, batch: Batch) -> Tensor:
        """The one-hot code, (B, T, L): 1 where all conditions on the way to the leaf hold."""
        if not self.length.is_meta and not bool((self.length >= 0).any()):
            raise RuntimeError("the trees are not grown yet: call fit_trees(table) before the first forward, or load.")
        left = self.dense_values(batch).float()[:, self.feature] <= self.threshold  # (B, T, S)
        turn = left.to(self.path.dtype) * 2 - 1  # (B, T, S)  +1 left, −1 right
        held = torch.einsum("bts,tsl->btl", turn, self.path)  # (B, T, L)  conditions that hold − those that fail
        return (held == self.length).to(self.path.dtype)

    def forward(self, batch: Batch) -> Tensor:
        code = self.leaf_code(batch)  # (B, T, L)
        y_leaves = (code * self.leaf).sum(dim=(1, 2))  # (B,)  Σ_t Σ_l W_tl 1[leaf l of tree t]
        y_raw = torch.zeros_like(y_leaves)  # (B,)
        if self.w is not None and self.dense is not None:
            y_raw = self.w(batch).sum(dim=(1, 2)) + self.dense_values(batch) @ self.dense  # (B,)  Σ_i w_i x_i
        return self.w0 + y_leaves + y_raw  # (B,)  before σ
