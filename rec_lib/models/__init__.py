"""One paper, one file."""

from rec_lib.models.afm import AFM
from rec_lib.models.autorec import IAutoRec, UAutoRec
from rec_lib.models.base import CTRModel
from rec_lib.models.dbgd import DBGD
from rec_lib.models.dcn import DCN
from rec_lib.models.dcn_v2 import DCNv2
from rec_lib.models.deep_crossing import DeepCrossing
from rec_lib.models.deep_q import DeepQ
from rec_lib.models.deepfm import DeepFM
from rec_lib.models.dien import DIEN
from rec_lib.models.din import DIN
from rec_lib.models.drn import DRN
from rec_lib.models.ease import EASE
from rec_lib.models.ffm import FFM
from rec_lib.models.files import ModelFileError
from rec_lib.models.fm import FM
from rec_lib.models.fnn import FNN
from rec_lib.models.gbdt_lr import GBDTLR
from rec_lib.models.greedy import EpsilonGreedy, Greedy
from rec_lib.models.ials import IALS
from rec_lib.models.itemcf import ItemCF
from rec_lib.models.lr import LR
from rec_lib.models.ls_plm import LSPLM
from rec_lib.models.mf import MF
from rec_lib.models.neural_cf import NeuralCF
from rec_lib.models.nfm import NFM
from rec_lib.models.pnn import IPNN, OPNN, PNN
from rec_lib.models.policy import Policy
from rec_lib.models.poly2 import POLY2
from rec_lib.models.popularity import Popularity
from rec_lib.models.rating import RatingModel
from rec_lib.models.svdpp import SVDpp
from rec_lib.models.topn import TopN
from rec_lib.models.two_tower import TwoTower
from rec_lib.models.usercf import UserCF
from rec_lib.models.wide_deep import WideDeep
from rec_lib.models.youtube_recall import YouTubeRecall

__all__ = [
    "DCN",
    "DCNv2",
    "WideDeep",
    "AFM",
    "FFM",
    "FM",
    "FNN",
    "GBDTLR",
    "LR",
    "LSPLM",
    "NFM",
    "POLY2",
    "CTRModel",
    "DIEN",
    "DIN",
    "DeepCrossing",
    "DeepFM",
    "IPNN",
    "OPNN",
    "PNN",
    "ModelFileError",
    "Popularity",
    "TopN",
    "TwoTower",
    "UserCF",
    "ItemCF",
    "MF",
    "RatingModel",
    "SVDpp",
    "IALS",
    "EASE",
    "NeuralCF",
    "IAutoRec",
    "UAutoRec",
    "DBGD",
    "DRN",
    "DeepQ",
    "EpsilonGreedy",
    "Greedy",
    "Policy",
    "YouTubeRecall",
]
