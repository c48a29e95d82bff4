"""Pictures of sequences, scores, events, latents and training, after scikit-learn's displays."""

from skl_lstmae.displays.anomaly_score import AnomalyScoreDisplay
from skl_lstmae.displays.attribution import AttributionDisplay
from skl_lstmae.displays.latent import LatentDisplay
from skl_lstmae.displays.loss_curve import LossCurveDisplay
from skl_lstmae.displays.reconstruction import ReconstructionDisplay
from skl_lstmae.displays.score_distribution import ScoreDistributionDisplay

__all__ = [
    "AnomalyScoreDisplay",
    "AttributionDisplay",
    "LatentDisplay",
    "LossCurveDisplay",
    "ReconstructionDisplay",
    "ScoreDistributionDisplay",
]
