"""The list of systems and of sections: the spine of the course.

Maps, the start page, the README's table and the tests are drawn from it. It holds names only and imports no other
room of the library. ``python -m rec_lib.catalogue`` prints it.

A system's *kind* says which contract it keeps and which parts it needs; its *state* says how far it is:
planned (a name), built (class and contract), done (every part of its kind).
"""

from __future__ import annotations

from dataclasses import dataclass, field

KINDS = {
    "ctr": "predicts a click from a sample's fields",
    "rating": "predicts a rating of a user for an item",
    "topn": "ranks items for a user",
    "embedding": "gives vectors to words, items or nodes",
    "index": "finds the nearest vectors",
    "policy": "chooses what to show and learns from the answer",
    "technique": "a way of using the others",
    "baseline": "what a new idea has to beat",
}
STATES = ("planned", "built", "done")

_FULL = ("class", "derivation", "notebook", "widget", "exercises")
PARTS = {kind: _FULL for kind in ("ctr", "rating", "topn", "embedding", "index", "policy")} | {
    "technique": ("notebook", "exercises"),
    "baseline": ("class", "notebook"),
}


@dataclass(frozen=True)
class System:
    """One system of the book, or a baseline beside them. ``parts`` holds dotted names and paths below the clone."""

    id: str
    name: str
    kind: str
    section: str
    year: int
    paper: str
    idea: str
    parents: tuple[str, ...] = ()
    state: str = "planned"
    adds: str = ""  # what it adds to its parents
    strength: str = ""  # for the summary tables of 2.8, 3.11 and 4.7
    limit: str = ""
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[str, ...]:
        """Parts that its kind needs for "done" and that are not named yet."""
        return tuple(part for part in PARTS[self.kind] if part not in self.parts)


@dataclass(frozen=True)
class Section:
    """A section of the book: number, title in both languages, and its notebook below ``chapters/`` if there is one."""

    id: str
    title: str
    title_zh: str
    notebook: str = ""

    @property
    def chapter(self) -> int:
        return int(self.id.split(".")[0])


CHAPTERS = {
    1: ("The growth engine of the Internet", "互联网的增长引擎——推荐系统"),
    2: ("Before deep learning", "前深度学习时代——推荐系统的进化之路"),
    3: ("Deep learning in recommenders", "浪潮之巅——深度学习在推荐系统中的应用"),
    4: ("Embeddings in recommenders", "Embedding技术在推荐系统中的应用"),
    5: ("Recommenders from several angles", "多角度审视推荐系统"),
    6: ("Engineering", "深度学习推荐系统的工程实现"),
    7: ("Evaluation", "推荐系统的评估"),
    8: ("Frontier practice", "深度学习推荐系统的前沿实践"),
    9: ("Your own framework of knowledge", "构建属于你的推荐系统知识框架"),
}

SECTIONS = (
    Section("1.1", "Why recommenders are a growth engine", "为什么推荐系统是互联网的增长引擎"),
    Section("1.2", "Architecture of a recommender", "推荐系统的架构"),
    Section("1.3", "Structure of the book", "本书的整体结构"),
    Section(
        "2.1",
        "Evolution map of classical models",
        "传统推荐模型的演化关系图",
        "ch02_before_deep_learning/02_01_evolution_map.ipynb",
    ),
    Section(
        "2.2",
        "Collaborative filtering",
        "协同过滤——经典的推荐算法",
        "ch02_before_deep_learning/02_02_collaborative_filtering.ipynb",
    ),
    Section(
        "2.3",
        "Matrix factorisation",
        "矩阵分解算法——协同过滤的进化",
        "ch02_before_deep_learning/02_03_matrix_factorisation.ipynb",
    ),
    Section(
        "2.4",
        "Logistic regression",
        "逻辑回归——融合多种特征的推荐模型",
        "ch02_before_deep_learning/02_04_logistic_regression.ipynb",
    ),
    Section(
        "2.5",
        "From FM to FFM",
        "从FM到FFM——自动特征交叉的解决方案",
        "ch02_before_deep_learning/02_05_fm_ffm.ipynb",
    ),
    Section("2.6", "GBDT+LR", "GBDT+LR——特征工程模型化的开端", "ch02_before_deep_learning/02_06_gbdt_lr.ipynb"),
    Section("2.7", "LS-PLM", "LS-PLM——阿里巴巴曾经的主流推荐模型", "ch02_before_deep_learning/02_07_ls_plm.ipynb"),
    Section("2.8", "Summary", "总结——深度学习推荐系统的前夜", "ch02_before_deep_learning/02_08_summary.ipynb"),
    Section(
        "3.1",
        "Evolution map of deep models",
        "深度学习推荐模型的演化关系图",
        "ch03_deep_learning/03_01_evolution_map.ipynb",
    ),
    Section("3.2", "AutoRec", "AutoRec——单隐层神经网络推荐模型", "ch03_deep_learning/03_02_autorec.ipynb"),
    Section(
        "3.3", "Deep Crossing", "Deep Crossing模型——经典的深度学习架构", "ch03_deep_learning/03_03_deep_crossing.ipynb"
    ),
    Section("3.4", "NeuralCF", "NeuralCF模型——CF与深度学习的结合", "ch03_deep_learning/03_04_neural_cf.ipynb"),
    Section("3.5", "PNN", "PNN模型——加强特征交叉能力", "ch03_deep_learning/03_05_pnn.ipynb"),
    Section(
        "3.6",
        "Wide&Deep and Deep&Cross",
        "Wide&Deep模型——记忆能力和泛化能力的综合",
        "ch03_deep_learning/03_06_wide_deep_dcn.ipynb",
    ),
    Section("3.7.1", "FNN", "FNN——用FM的隐向量完成Embedding层初始化", "ch03_deep_learning/03_07_1_fnn.ipynb"),
    Section("3.7.2", "DeepFM", "DeepFM——用FM代替Wide部分", "ch03_deep_learning/03_07_2_deepfm.ipynb"),
    Section("3.7.3", "NFM", "NFM——FM的神经网络化尝试", "ch03_deep_learning/03_07_3_nfm.ipynb"),
    Section("3.8.1", "AFM", "AFM——引入注意力机制的FM", "ch03_deep_learning/03_08_1_afm.ipynb"),
    Section("3.8.2", "DIN", "DIN——引入注意力机制的深度学习网络", "ch03_deep_learning/03_08_2_din.ipynb"),
    Section("3.9", "DIEN", "DIEN——序列模型与推荐系统的结合", "ch03_deep_learning/03_09_dien.ipynb"),
    Section("3.10.1", "DRN", "强化学习与推荐系统的结合", "ch03_deep_learning/03_10_1_drn.ipynb"),
    Section(
        "3.10.2",
        "DRN online",
        "DRN的在线学习方法——竞争梯度下降算法",
        "ch03_deep_learning/03_10_2_drn_online.ipynb",
    ),
    Section("3.11", "Summary", "总结——推荐系统的深度学习时代", "ch03_deep_learning/03_11_summary.ipynb"),
    Section("4.1", "What an embedding is", "什么是Embedding", "ch04_embeddings/04_01_what_an_embedding_is.ipynb"),
    Section(
        "4.2",
        "Word2vec",
        "Word2vec——经典的Embedding方法",
        "ch04_embeddings/04_02_word2vec.ipynb",
    ),
    Section(
        "4.3",
        "Item2vec and two towers",
        "Item2vec——Word2vec在推荐系统领域的推广",
        "ch04_embeddings/04_03_item2vec.ipynb",
    ),
    Section("4.4.1", "DeepWalk", "DeepWalk——基础的Graph Embedding方法", "ch04_embeddings/04_04_1_deepwalk.ipynb"),
    Section("4.4.2", "Node2vec", "Node2vec——同质性和结构性的权衡", "ch04_embeddings/04_04_2_node2vec.ipynb"),
    Section("4.4.3", "EGES", "EGES——阿里巴巴的综合性Graph Embedding方法", "ch04_embeddings/04_04_3_eges.ipynb"),
    Section(
        "4.5",
        "Embeddings and deep networks",
        "Embedding与深度学习推荐系统的结合",
        "ch04_embeddings/04_05_embedding_deep.ipynb",
    ),
    Section(
        "4.6",
        "Locality-sensitive hashing",
        "局部敏感哈希——让Embedding插上翅膀的快速搜索方法",
        "ch04_embeddings/04_06_lsh.ipynb",
    ),
    Section("4.7", "Summary", "总结——深度学习推荐系统的核心操作", "ch04_embeddings/04_07_summary.ipynb"),
    Section("5.1", "Feature engineering", "推荐系统的特征工程"),
    Section("5.2", "Recall strategies", "推荐系统召回层的主要策略"),
    Section("5.3", "Freshness", "推荐系统的实时性"),
    Section("5.4", "Choosing the objective", "如何合理设定推荐系统中的优化目标"),
    Section("5.5", "What matters more than structure", "推荐系统中比模型结构更重要的是什么"),
    Section("5.6", "Cold start", "冷启动的解决办法"),
    Section("5.7", "Exploration and exploitation", "探索与利用"),
    Section("6.1", "Data flow", "推荐系统的数据流"),
    Section("6.2", "Offline training: Spark MLlib", "推荐模型离线训练之Spark MLlib"),
    Section("6.3", "Offline training: parameter server", "推荐模型离线训练之Parameter Server"),
    Section("6.4", "Offline training: TensorFlow", "推荐模型离线训练之TensorFlow"),
    Section("6.5", "Serving", "深度学习推荐模型的上线部署"),
    Section("6.6", "Engineering against theory", "工程与理论之间的权衡"),
    Section("7.1", "Offline methods and basic metrics", "离线评估方法与基本评价指标"),
    Section("7.2", "Metrics of a ranked list", "直接评估推荐序列的离线指标"),
    Section("7.3", "Replay", "更接近线上环境的离线评估方法——Replay"),
    Section("7.4", "A/B tests", "A/B测试与线上评估指标"),
    Section("7.5", "Interleaving", "快速线上评估方法——Interleaving"),
    Section("7.6", "A system of evaluation", "推荐系统的评估体系"),
    Section("8.1", "Facebook", "Facebook的深度学习推荐系统"),
    Section("8.2", "Airbnb", "Airbnb基于Embedding的实时搜索推荐系统"),
    Section("8.3", "YouTube", "YouTube深度学习视频推荐系统"),
    Section("8.4", "Alibaba", "阿里巴巴深度学习推荐系统的进化"),
    Section("9.1", "Map of the whole", "推荐系统的整体知识架构图"),
    Section("9.2", "Timeline of models", "推荐模型发展的时间线"),
    Section("9.3", "Becoming a recommender engineer", "如何成为一名优秀的推荐工程师"),
)


def _done(section: str, cls: str, derivation: str, widget: str) -> dict[str, str]:
    notebook = next(s.notebook for s in SECTIONS if s.id == section)
    return {
        "class": f"rec_lib.{cls}",
        "derivation": f"rec_lib.derive.{derivation}",
        "notebook": f"chapters/{notebook}",
        "widget": f"rec_lib.widgets.{widget}",
        "exercises": section,
    }


SYSTEMS = (
    System("usercf", "UserCF", "topn", "2.2", 1992, "Goldberg et al., CACM", "users like you liked it", state="done",
           strength="nothing to train, and every list can be explained",
           limit="too few users to compare with when ratings are rare; a table of user pairs that grows with the square of the users",
           parts=_done("2.2", "models.UserCF", "similarity", "cf")),
    System("itemcf", "ItemCF", "topn", "2.2", 2001, "Sarwar et al., WWW", "it is like what you liked", ("usercf",), adds="compares items instead of users: there are fewer of them and they change less", state="done",
           strength="similarities that can be computed ahead; reasons in terms of films that you know",
           limit="no answer for two films without a common user; ids only, like UserCF",
           parts=_done("2.2", "models.ItemCF", "similarity", "cf")),
    System("mf", "MF", "rating", "2.3", 2009, "Koren, Bell, Volinsky, Computer", "users and items as short vectors", ("itemcf",), adds="short vectors in place of rows: two films that nobody rated both can still be close", state="done",
           strength="a dense vector for everybody: generalises, small, fast to search",
           limit="ids only: no age, genre or hour, and nothing to say of a newcomer",
           parts=_done("2.3", "models.MF", "mf", "mf")),
    System("lr", "LR", "ctr", "2.4", 2007, "Richardson et al., WWW", "one weight a feature, added up", state="done",
           strength="any feature, weights that can be read, a step of training that costs next to nothing",
           limit="adds facts up: a pair says nothing beyond its two parts unless somebody makes the feature",
           parts=_done("2.4", "models.LR", "lr", "lr")),
    System("poly2", "POLY2", "ctr", "2.5", 2010, "Chang et al., JMLR", "one weight a pair of features", ("lr",), adds="a weight for every pair of features", state="done",
           strength="learns the pairs by itself",
           limit="a pair that was never seen has no weight, and there are too many pairs",
           parts=_done("2.5", "models.POLY2", "poly2", "crosses")),
    System("fm", "FM", "ctr", "2.5", 2010, "Rendle, ICDM", "a pair's weight is an inner product", ("poly2", "mf"), adds="pairs share vectors, so a pair that was never seen gets a weight too", state="done",
           strength="a weight for pairs never seen, at the cost of a linear model",
           limit="second order only, and one vector must serve all partners",
           parts=_done("2.5", "models.FM", "fm", "crosses")),
    System("ffm", "FFM", "ctr", "2.5", 2016, "Juan et al., RecSys", "another vector for each partner field", ("fm",), adds="a feature meets each field with a vector of its own", state="done",
           strength="a vector for each kind of partner",
           limit="a vector for each other field, or shorter ones; no shortcut for the sum over pairs",
           parts=_done("2.5", "models.FFM", "ffm", "crosses")),
    System("gbdt_lr", "GBDT+LR", "ctr", "2.6", 2014, "He et al., ADKDD", "trees make the features, LR weighs them", ("lr",), adds="trees find the combinations of features that LR cannot make itself", state="done",
           strength="finds conditions and thresholds of any order without a person",
           limit="trees read columns of numbers, not ids, and are slow to grow anew",
           parts=_done("2.6", "models.GBDTLR", "gbdt_lr", "gbdt_lr")),
    System("ls_plm", "LS-PLM", "ctr", "2.7", 2017, "Gai et al., arXiv:1704.05194", "several LRs and a gate between them", ("lr",), adds="several LRs, each for a region of the samples, and a gate that is learnt with them", state="done",
           strength="a piecewise truth without making features; features can drop out whole",
           limit="not convex: starts differ, and m must be chosen",
           parts=_done("2.7", "models.LSPLM", "ls_plm", "ls_plm")),
    System("autorec", "I-AutoRec", "rating", "3.2", 2015, "Sedhain et al., WWW", "rebuild an item's ratings through a narrow layer", ("mf",), adds="a layer that reads an item's vector off its ratings, in place of a vector learnt for each item", state="done",
           strength="an item's vector is computed from its ratings, so new ratings count without training",
           limit="one layer and one rating at a time: no features, and little to say about items with few ratings",
           parts=_done("3.2", "models.IAutoRec", "autorec", "autorec")),
    System("u_autorec", "U-AutoRec", "rating", "3.2", 2015, "Sedhain et al., WWW", "rebuild a user's ratings through a narrow layer", ("mf",), adds="a layer that reads a user's vector off the user's ratings", state="done",
           strength="a new user has a vector as soon as there are ratings",
           limit="users have fewer ratings than items, so each row says less than in I-AutoRec",
           parts=_done("3.2", "models.UAutoRec", "autorec", "autorec")),
    System("deep_crossing", "Deep Crossing", "ctr", "3.3", 2016, "Shan et al., KDD", "embeddings, stacked, through residual units", ("autorec",), adds="depth: several layers, and fields of every kind as input", state="done",
           strength="any field, any depth: nobody makes features, and the shortcuts keep gradients alive",
           limit="crosses are only implied by dense layers; nothing in the structure looks for a pair",
           parts=_done("3.3", "models.DeepCrossing", "deep_crossing", "deep_crossing")),
    System("neuralcf", "NeuralCF", "topn", "3.4", 2017, "He et al., WWW", "a network in place of the inner product", ("mf", "deep_crossing"), adds="a learnt function in place of the inner product", state="done",
           strength="a network can learn how users and items meet; two towers trained apart are a good start",
           limit="an inner product tuned with the same care is level with it; every pair must go through the network, so no fast search",
           parts=_done("3.4", "models.NeuralCF", "neural_cf", "neural_cf")),
    System("ipnn", "IPNN", "ctr", "3.5", 2016, "Qu et al., ICDM", "inner products of field vectors before the network", ("deep_crossing", "fm"), adds="FM's inner products, in the first layer of a network", state="done",
           strength="the network gets the pairs served instead of having to find them",
           limit="a product for every pair of fields: cost grows with their square unless θ is factorised",
           parts=_done("3.5", "models.IPNN", "pnn", "pnn")),
    System("opnn", "OPNN", "ctr", "3.5", 2016, "Qu et al., ICDM", "outer products of field vectors before the network", ("deep_crossing", "fm"), adds="products of every number with every number, summed over the fields first", state="done",
           strength="products of every coordinate with every other one",
           limit="summing the fields before the product throws the single pairs away",
           parts=_done("3.5", "models.OPNN", "pnn", "pnn")),
    System("pnn", "PNN*", "ctr", "3.5", 2016, "Qu et al., ICDM", "inner and outer products before the network", ("ipnn", "opnn"), adds="both kinds of product at once", state="done",
           strength="both kinds of product in one first layer",
           limit="the largest of the family, for gains that the seeds can hide",
           parts=_done("3.5", "models.PNN", "pnn", "pnn")),
    System("wide_deep", "Wide&Deep", "ctr", "3.6", 2016, "Cheng et al., DLRS", "memorise and generalise in one sum", ("lr", "deep_crossing"), adds="a linear part beside the network, for what must be remembered exactly", state="done",
           strength="a weight of its own for each pair that comes back, so that short vectors stay free for the rule",
           limit="somebody names the crosses; nothing is remembered of a pair never seen; long vectors leave it little to bring",
           parts=_done("3.6", "models.WideDeep", "wide_deep", "wide_deep")),
    System("dcn", "Deep&Cross", "ctr", "3.6", 2017, "Wang et al., ADKDD", "crossing as a layer, degree by degree", ("wide_deep",), adds="crosses made by layers in place of crosses made by hand", state="done",
           strength="crosses of degree L + 1 without a list, from two vectors a layer; a network of four units with it ranks like one of 64-32",
           limit="only stretches its input by one number; beside a network of usual size no gain in our worlds or on MovieLens-100K",
           parts=_done("3.6", "models.DCN", "dcn", "dcn")),
    System("fnn", "FNN", "ctr", "3.7.1", 2016, "Zhang, Du, Wang, ECIR", "start the embeddings from a trained FM", ("fm",), adds="a network above the vectors of FM", state="done",
           strength="starts where FM has arrived, so that the first passes are not spent on the vectors",
           limit="two trainings, and the pairs are left to the network after the start",
           parts=_done("3.7.1", "models.FNN", "fnn", "fm")),
    System("deepfm", "DeepFM", "ctr", "3.7.2", 2017, "Guo et al., IJCAI", "FM and MLP over shared vectors", ("fm", "wide_deep"), adds="FM in place of the hand-made wide part, and one set of vectors for both parts", state="done",
           strength="pairs by FM and the rest by a network, from one table and without hand-made crosses",
           limit="the order above two is left to a plain network, which needs data to find it",
           parts=_done("3.7.2", "models.DeepFM", "deepfm", "fm")),
    System("nfm", "NFM", "ctr", "3.7.3", 2017, "He & Chua, SIGIR", "an MLP on the pooled pair products", ("fm",), adds="a network above the sum of FM's products", state="done",
           strength="the pairs are pooled before the network, so its input is one vector whatever the number of fields",
           limit="the pooling adds all pairs up: which pair it was is gone",
           parts=_done("3.7.3", "models.NFM", "nfm", "fm")),
    System("afm", "AFM", "ctr", "3.8.1", 2017, "Xiao et al., IJCAI", "attention over the pairs", ("nfm",), adds="a weight for each product, learnt by attention", state="done",
           strength="weighs each pair of a sample; ahead of FM at equal dimension where one vector must count with some partners only",
           limit="shares are positive and compete; a fixed weight for each pair of fields gained more; visits every pair",
           parts=_done("3.8.1", "models.AFM", "afm", "afm")),
    System("din", "DIN", "ctr", "3.8.2", 2018, "Zhou et al., KDD", "weigh the history by the candidate", ("deep_crossing",), adds="a weight for each film of the history, set by the candidate", state="done",
           strength="each candidate sees a history of its own; ahead of sum and mean pooling in planted worlds of counts, shares and presence",
           limit="the order of the history is lost; on MovieLens-100K no history pays beside the user's own id",
           parts=_done("3.8.2", "models.DIN", "din", "din")),
    System("dien", "DIEN", "ctr", "3.9", 2019, "Zhou et al., AAAI", "follow how interests move", ("din",), adds="the order of the history, and a loss that teaches the hidden states", state="done",
           strength="reads the order, and with attention one interest out of several; its auxiliary loss learns without a click",
           limit="step by step, so slow to serve; on MovieLens-100K the order is worth nothing",
           parts=_done("3.9", "models.DIEN", "dien", "dien")),
    System("drn", "DRN", "policy", "3.10.1", 2018, "Zheng et al., WWW", "recommend, watch, learn, again", state="done",
           strength="learns while it serves, and counts what a list does to the visits that follow",
           limit="consequences that γ does not see need a price of their own, and exploring costs clicks",
           parts=_done("3.10.1", "models.DRN", "drn", "drn")),
    System("word2vec", "Word2vec", "embedding", "4.2", 2013, "Mikolov et al., NIPS", "a word is the company it keeps", state="done",
           strength="short dense vectors from text alone; a step costs k + 1 inner products, whatever the vocabulary",
           limit="one vector a word, whatever its sense; on a small text counts rank better",
           parts=_done("4.2", "embeddings.Word2vec", "word2vec", "word2vec")),
    System("item2vec", "Item2vec", "embedding", "4.3", 2016, "Barkan & Koenigstein, MLSP", "baskets as sentences", ("word2vec",), adds="items in place of words, and no order within a set", state="done",
           strength="needs nothing but baskets; an item's vector is ready for the next search",
           limit="negatives by popularity subtract popularity; an item without baskets has no vector",
           parts=_done("4.3", "embeddings.Item2vec", "item2vec", "item2vec")),
    System("two_tower", "Two-tower", "topn", "4.3", 2013, "Huang et al., CIKM", "one network for users, one for items", ("item2vec",), adds="features of users and items in place of ids alone", state="done",
           strength="features on both sides place new items; item vectors are computed beforehand",
           limit="the sides meet in one product; ids alone, factorised, rank better on MovieLens-100K",
           parts=_done("4.3", "models.TwoTower", "two_tower", "item2vec")),
    System("deepwalk", "DeepWalk", "embedding", "4.4.1", 2014, "Perozzi et al., KDD", "random walks as sentences", ("word2vec",), adds="sentences made by walking on a graph", state="done",
           strength="finds what no session holds; memory in proportion to edges",
           limit="forgets who walked; a new item has no edge and no vector",
           parts=_done("4.4.1", "embeddings.DeepWalk", "deepwalk", "deepwalk")),
    System("node2vec", "Node2vec", "embedding", "4.4.2", 2016, "Grover & Leskovec, KDD", "walks with a memory of one step", ("deepwalk",), adds="two numbers that steer the walk", state="done",
           strength="two numbers steer the walk, to stay near its start or to go far",
           limit="vectors keep who is close; equal roles far apart do not come together, whatever p and q",
           parts=_done("4.4.2", "embeddings.Node2vec", "node2vec", "node2vec")),
    System("eges", "EGES", "embedding", "4.4.3", 2018, "Wang et al., KDD", "weigh an item's attributes into its vector", ("deepwalk",), adds="attributes of an item, each with its own weight, so that new items have a vector", state="done",
           strength="places items that have no history; the weights say what drives an item",
           limit="needs attributes; learnt weights were a head start, level in the end, and worse than equal ones for cold films",
           parts=_done("4.4.3", "embeddings.EGES", "eges", "eges")),
    System("pretraining", "Embedding pretraining", "technique", "4.5", 2016, "Zhang, Du, Wang, ECIR", "learn vectors first, the network later", ("fnn",), adds="vectors that are learnt apart from the network that uses them", state="done",
           strength="a network over pretrained vectors passes in half the epochs what a random start ends with",
           limit="the first task has to be paid for; frozen vectors lack what it did not need",
           parts=_done("4.5", "models.FNN", "youtube_recall", "youtube_recall")),
    System("youtube_recall", "YouTube recall", "topn", "4.5", 2016, "Covington et al., RecSys", "candidates by nearest vectors", ("two_tower",), adds="a user's vector from what was watched, searched among all videos", state="done",
           strength="a user's vector is computed from what was watched, so a new watch counts at once",
           limit="what was watched is a bag; on MovieLens-100K five watches find more than fifty, and its layers do not pay",
           parts=_done("4.5", "models.YouTubeRecall", "youtube_recall", "youtube_recall")),
    System("exact", "Exact search", "index", "4.6", 1951, "Fix & Hodges, report", "compare with everything", state="done",
           strength="never wrong, nothing to build, one matrix product",
           limit="its time grows with the number of vectors",
           parts=_done("4.6", "retrieval.ExactIndex", "lsh", "lsh")),
    System("kd_tree", "kd-tree", "index", "4.6", 1975, "Bentley, CACM", "halve the space, skip halves", ("exact",), adds="skips the parts of space that cannot hold a nearer point", state="done",
           strength="exact, and fast in the plane",
           limit="from about a dozen dimensions on it measures nearly everything",
           parts=_done("4.6", "retrieval.KDTree", "lsh", "lsh")),
    System("lsh", "LSH", "index", "4.6", 2004, "Datar et al., SoCG", "near points fall into one bucket", ("exact",), adds="looks only into buckets that near points are likely to share", state="done",
           strength="nothing to train; the chance of finding a vector at a distance is known beforehand",
           limit="approximate, poor where nothing is clearly near, slower than exact search below some thousand vectors",
           parts=_done("4.6", "retrieval.LSH", "lsh", "lsh")),
    System("popularity", "Popularity", "baseline", "2.2", 1994, "folklore", "what most people take", state="done",
           strength="needs one count",
           limit="the same list for everybody",
           parts=_done("2.2", "models.Popularity", "similarity", "cf")),
    System("ease", "EASE", "baseline", "3.4", 2019, "Steck, WWW", "a linear item-item model in closed form", ("itemcf",), adds="similarities that are fitted all at once, so that two items that say the same do not count twice", state="done",
           strength="one closed form, one setting, under a second; level with the network of its section",
           limit="a weight for each pair of items: memory grows with their square",
           parts={"class": "rec_lib.models.EASE", "notebook": "chapters/ch03_deep_learning/03_04_neural_cf.ipynb"}),
    System("ials", "Implicit ALS", "baseline", "2.3", 2008, "Hu, Koren, Volinsky, ICDM", "every missing entry is a weak zero", ("mf",), adds="a weak zero for everything that was not taken, and a closed form for every step", state="done",
           strength="every step in closed form, and it learns from what was not taken",
           limit="ids only; a newcomer needs a new solve",
           parts={"class": "rec_lib.models.IALS", "notebook": "chapters/ch02_before_deep_learning/02_03_matrix_factorisation.ipynb"}),
    System("svdpp", "SVD++", "baseline", "2.3", 2008, "Koren, KDD", "what you rated says who you are", ("mf",), adds="what a user rated, whatever the stars, as part of the user's vector", state="done",
           strength="what was rated counts, whatever the stars",
           limit="a sum over the whole history for every prediction",
           parts={"class": "rec_lib.models.SVDpp", "notebook": "chapters/ch02_before_deep_learning/02_03_matrix_factorisation.ipynb"}),
    System("dcn_v2", "DCN-v2", "baseline", "3.6", 2021, "Wang et al., WWW", "a full matrix in each cross layer", ("dcn",), adds="a full matrix in each cross layer, where DCN has a vector", state="done",
           strength="each number of the input is scaled by a sum of its own: alone it learns a product of three fields",
           limit="a matrix a layer; beside a network of usual size level with DCN",
           parts={"class": "rec_lib.models.DCNv2", "notebook": "chapters/ch03_deep_learning/03_06_wide_deep_dcn.ipynb"}),
    System("ftrl", "FTRL", "baseline", "2.4", 2013, "McMahan et al., KDD", "online LR that keeps weights at zero", ("lr",), state="done",
           strength="one pass, and weights that are exactly zero",
           limit="a linear model still, with its features made by hand",
           parts=_done("2.4", "models.ftrl.FTRL", "lr", "lr"), adds="weights that are exactly zero, from one pass over the stream"),
)  # fmt: skip

# Lines of descent on a chapter's evolution map, from top to bottom: title in both languages, then systems.
LINES = {
    2: (
        ("Collaborative filtering", "协同过滤族", ("popularity", "usercf", "itemcf", "mf", "ials", "svdpp")),
        ("Logistic regression", "逻辑回归族", ("lr", "ftrl", "ls_plm")),
        ("Feature crosses", "因子分解机族", ("poly2", "fm", "ffm")),
        ("Combined models", "组合模型", ("gbdt_lr",)),
    ),
    3: (
        ("More layers", "加深网络", ("autorec", "u_autorec", "deep_crossing")),
        ("Another crossing", "改变特征交叉方式", ("neuralcf", "ease", "ipnn", "opnn", "pnn")),
        ("Two parts, added", "组合模型", ("wide_deep", "dcn", "dcn_v2")),
        ("FM and a network", "FM的深度学习演化", ("fnn", "deepfm", "nfm")),
        ("Attention, order, reward", "注意力·序列·强化学习", ("afm", "din", "dien", "drn")),
    ),
}


def section(id: str) -> Section:
    """The section of this number. Raises KeyError that lists the chapter's sections."""
    for s in SECTIONS:
        if s.id == id:
            return s
    raise KeyError(
        f"no section {id!r}; chapter {id.split('.')[0]} has {[s.id for s in SECTIONS if s.id.split('.')[0] == id.split('.')[0]]}"
    )


def chapter_map() -> str:
    """The chapters as a Markdown table: which sections can be studied, which are planned."""
    lines = ["| chapter | ready | planned |", "|---|---|---|"]
    for number, (title, title_zh) in CHAPTERS.items():
        own = [s for s in SECTIONS if s.chapter == number]
        ready = " · ".join(f"[{s.id} {s.title}](chapters/{s.notebook})" for s in own if s.notebook)
        planned = " · ".join(f"{s.id} {s.title}" for s in own if not s.notebook)
        lines.append(f"| **{number} {title}** {title_zh} | {ready or '–'} | {planned or '–'} |")
    return "\n".join(lines)


def table() -> str:
    """All systems, one a line, then how many there are in each state."""
    lines = [f"{'system':22} {'kind':10} {'section':8} {'state':8} year  paper"]
    lines += [f"{s.name:22} {s.kind:10} {s.section:8} {s.state:8} {s.year}  {s.paper}" for s in SYSTEMS]
    counts = ", ".join(f"{sum(s.state == state for s in SYSTEMS)} {state}" for state in STATES)
    return "\n".join([*lines, f"{len(SYSTEMS)} systems: {counts}"])


if __name__ == "__main__":
    print(table())
