"""Embeddings of words, items and nodes (chapter 4): word2vec and its engine, item2vec, alias sampling, random walks, DeepWalk, node2vec, EGES."""

import numpy as np

from rec_lib.data.graphs import from_edges
from rec_lib.embeddings.alias import AliasTable
from rec_lib.embeddings.corpus import Corpus, Stream, Vectors
from rec_lib.embeddings.deepwalk import DeepWalk
from rec_lib.embeddings.eges import EGES
from rec_lib.embeddings.engine import train
from rec_lib.embeddings.fullbatch import cooccurrences, train_full_batch
from rec_lib.embeddings.huffman import HuffmanTree
from rec_lib.embeddings.item2vec import Item2vec
from rec_lib.embeddings.node2vec import Node2vec
from rec_lib.embeddings.walks import Walker, transition_row
from rec_lib.embeddings.word2vec import Word2vec

__all__ = [
    "EGES",
    "AliasTable",
    "Corpus",
    "DeepWalk",
    "HuffmanTree",
    "Item2vec",
    "Node2vec",
    "Stream",
    "Vectors",
    "Walker",
    "Word2vec",
    "cooccurrences",
    "train",
    "train_full_batch",
    "transition_row",
    "warm_up",
]


def warm_up() -> None:
    """Compile everything that this package runs compiled, on a graph of three nodes; the results are kept on disk."""
    graph = from_edges([(0, 1), (1, 2), (0, 2)])
    model = Node2vec(graph, p=0.5, q=2.0, dim=2, num_walks=1, length=4, window=2)
    model.fit(np.random.default_rng(0))
    cooccurrences(Corpus.from_walks(model.walks, 3))
