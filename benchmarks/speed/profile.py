"""Print what takes the time of a fit and of scores, by torch.profiler, on the data of B1."""

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.speed.detector import plain_detector, silent
from benchmarks.speed.rows.epochs import NETWORK, ragged
from benchmarks.speed.rows.scores import fitted_detectors


def print_profile(title, call, X):
    call(X)  # warms up
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        call(X)
    print(title)
    print(profiler.key_averages().table(sort_by="self_cpu_time_total", row_limit=12))


if __name__ == "__main__":
    torch.set_num_threads(1)
    sequences = ragged(quick=False)
    with silent():
        print_profile("fit, one epoch", plain_detector(1, **NETWORK).fit, sequences)
    for scorer, detector in fitted_detectors(sequences).items():
        print_profile(f"score_samples, scorer={scorer!r}", detector.score_samples, sequences)
