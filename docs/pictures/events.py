"""Events in the taxi series, detected and labelled."""

import warnings

from sklearn.exceptions import ConvergenceWarning

from skl_lstmae import AnomalyScoreDisplay, LSTMAutoencoderDetector, SlidingWindowDetector
from skl_lstmae.datasets import load_nyc_taxi

taxi = load_nyc_taxi(as_frame=True)
past, rest = taxi.data[:4000], taxi.data[4000:]
inner = LSTMAutoencoderDetector(hidden_size=16, latent_size=8, max_epochs=20)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # as on the page, trained for a short time
    detector = SlidingWindowDetector(inner, training_stride=10, random_state=0).fit(past)
AnomalyScoreDisplay.from_estimator(detector, rest, taxi.target[4000:], max_gap=24, min_length=4)
