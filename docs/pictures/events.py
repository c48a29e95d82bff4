"""Events in the taxi series, detected and labelled."""

from skl_lstmae import AnomalyScoreDisplay, SlidingWindowDetector
from skl_lstmae.datasets import load_nyc_taxi

taxi = load_nyc_taxi(as_frame=True)
past, rest = taxi.data[:4000], taxi.data[4000:]
detector = SlidingWindowDetector(random_state=0).fit(past)
AnomalyScoreDisplay.from_estimator(detector, rest, taxi.target[4000:], max_gap=24, min_length=4)
