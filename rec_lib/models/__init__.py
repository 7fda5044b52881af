"""One paper, one file."""

from rec_lib.models.base import CTRModel, ModelFileError
from rec_lib.models.deepfm import DeepFM
from rec_lib.models.fm import FM
from rec_lib.models.fnn import FNN
from rec_lib.models.lr import LR
from rec_lib.models.nfm import NFM

__all__ = ["FM", "FNN", "LR", "NFM", "CTRModel", "DeepFM", "ModelFileError"]
