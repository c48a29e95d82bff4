"""Pictures of sequences, scores, events, latents and training, after scikit-learn's displays."""

from skl_lstmae._displays._anomaly_score import AnomalyScoreDisplay
from skl_lstmae._displays._latent import LatentDisplay
from skl_lstmae._displays._loss_curve import LossCurveDisplay
from skl_lstmae._displays._reconstruction import ReconstructionDisplay
from skl_lstmae._displays._score_distribution import ScoreDistributionDisplay

__all__ = [
    "AnomalyScoreDisplay",
    "LatentDisplay",
    "LossCurveDisplay",
    "ReconstructionDisplay",
    "ScoreDistributionDisplay",
]
