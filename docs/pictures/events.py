"""Events in the taxi series, detected and labelled."""

from skl_lstmae import AnomalyScoreDisplay, LSTMAutoencoderDetector, SlidingWindowDetector
from skl_lstmae.datasets import load_nyc_taxi

taxi = load_nyc_taxi(as_frame=True)
past, rest = taxi.data[:4000], taxi.data[4000:]
inner = LSTMAutoencoderDetector(hidden_size=16, latent_size=8, n_iter_no_change=3)
detector = SlidingWindowDetector(inner, training_stride=10, random_state=0).fit(past)
AnomalyScoreDisplay.from_estimator(detector, rest, taxi.target[4000:], max_gap=24, min_length=4)
