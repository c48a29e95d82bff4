"""From what a network makes of sequences to scores, and from scores to thresholds."""

from skl_lstmae._files import name_by_package
from skl_lstmae.scoring.adaptive import AdaptiveOffset
from skl_lstmae.scoring.alarm_limit import AlarmLimit
from skl_lstmae.scoring.calibration import Calibration, ReferenceScores
from skl_lstmae.scoring.gap_allowance import GapAllowance
from skl_lstmae.scoring.joint import DistanceFromMean, DistanceFromNearest, JointScorer
from skl_lstmae.scoring.mahalanobis import MahalanobisScorer
from skl_lstmae.scoring.nearest import Nearest
from skl_lstmae.scoring.neighbors import NeighborsScorer
from skl_lstmae.scoring.outcome import Outcome
from skl_lstmae.scoring.recent import RecentLevel
from skl_lstmae.scoring.references import ReferenceScorer
from skl_lstmae.scoring.scorer import (
    AdaptedScorer,
    ErrorScorer,
    FunctionScorer,
    MaxErrorScorer,
    Scorer,
)
from skl_lstmae.scoring.usual_errors import UsualErrors

__all__ = [
    "DistanceFromMean",
    "DistanceFromNearest",
    "JointScorer",
    "MahalanobisScorer",
    "NeighborsScorer",
    "Outcome",
    "ReferenceScorer",
    "Scorer",
]

name_by_package(__name__, AdaptiveOffset, AlarmLimit, Calibration, RecentLevel, ReferenceScores)
name_by_package(__name__, GapAllowance, Nearest, Outcome, UsualErrors)
name_by_package(__name__, DistanceFromMean, DistanceFromNearest)
name_by_package(__name__, Scorer, ErrorScorer, MaxErrorScorer, FunctionScorer, AdaptedScorer)
name_by_package(__name__, ReferenceScorer, MahalanobisScorer, NeighborsScorer, JointScorer)
