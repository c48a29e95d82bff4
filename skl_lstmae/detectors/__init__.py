"""The estimators: the only floor where scikit-learn's interface is spoken."""

from skl_lstmae._files import name_by_package
from skl_lstmae.detectors.judge import Judge
from skl_lstmae.detectors.pieces import PieceJudge
from skl_lstmae.detectors.predictor import Predictor
from skl_lstmae.detectors.row_judge import RowJudge, Threshold
from skl_lstmae.detectors.table_judge import TableJudge

name_by_package(__name__, Judge, PieceJudge, Predictor, RowJudge, TableJudge, Threshold)
