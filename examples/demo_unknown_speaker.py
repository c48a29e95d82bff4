"""
===========================
Who is the unknown speaker?
===========================

Nine men say the vowels /ae/; each recording is a sequence of 7 to 29 time steps with 12 features.
Each speaker in turn is the stranger: a detector is trained on recordings of the other eight, and
has to tell the stranger's recordings from new ones of these eight.
"""

import argparse
import itertools
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from skl_lstmae import LSTMAutoencoderDetector, ReconstructionDisplay
from skl_lstmae.datasets import load_japanese_vowels

SPEAKERS = range(1, 10)
RANDOM_STATES = range(2)


def summary_features(sequences):
    """Describe each sequence by numbers, as one does without a sequence model."""
    return np.array(
        [np.r_[x.mean(0), x.std(0), x.min(0), x.max(0), x[0], x[-1], len(x)] for x in sequences]
    )


def baseline_scores(vowels):
    """Score the test recordings by an isolation forest, a PCA and neighbours, on summaries."""
    scaler = StandardScaler().fit(summary_features(vowels.X_train))
    train, test = (scaler.transform(summary_features(X)) for X in (vowels.X_train, vowels.X_test))
    forest = IsolationForest(random_state=0).fit(train)
    pca = PCA(n_components=0.9).fit(train)
    residual = test - pca.inverse_transform(pca.transform(test))
    distances, _ = NearestNeighbors(n_neighbors=3).fit(train).kneighbors(test)
    return forest.score_samples(test), -np.square(residual).sum(axis=1), -distances.mean(axis=1)


def compare(speaker, random_state):
    """Hold one speaker out and fit; return detector, ROC-AUCs and number of false alarms."""
    torch.set_num_threads(1)  # so small a network loses time to a second thread
    vowels = load_japanese_vowels(anomalous_speaker=speaker)
    detector = LSTMAutoencoderDetector(random_state=random_state).fit(vowels.X_train)
    is_normal = vowels.y_test == 1
    all_scores = detector.score_samples(vowels.X_test), *baseline_scores(vowels)
    aucs = [roc_auc_score(is_normal, scores) for scores in all_scores]
    return detector, aucs, np.sum(detector.predict(vowels.X_test)[is_normal] == -1)


def compare_all():
    """Print a row a speaker, means over the random states; return the first detector."""
    jobs = itertools.product(SPEAKERS, RANDOM_STATES)
    results = joblib.Parallel(n_jobs=-1)(joblib.delayed(compare)(*job) for job in jobs)
    detectors, aucs, n_flagged = zip(*results, strict=True)
    aucs = np.reshape(aucs, (len(SPEAKERS), len(RANDOM_STATES), -1)).mean(axis=1)
    n_flagged = np.reshape(n_flagged, (len(SPEAKERS), -1)).sum(axis=1)
    print("Held-out  ROC-AUC                                       False alarms on")
    print(" speaker  LSTM-AE  IsolationForest    PCA  neighbours  normal test recordings")
    n_all = 0
    for speaker, row, n_false in zip(SPEAKERS, aucs, n_flagged, strict=True):
        is_normal = load_japanese_vowels(anomalous_speaker=speaker).y_test == 1
        n_normal = is_normal.sum() * len(RANDOM_STATES)
        n_all += n_normal
        print(f"{speaker:>8}  {format_aucs(row)}  {n_false:>2} of {n_normal}")
    print(f"    mean  {format_aucs(aucs.mean(axis=0))}  {n_flagged.sum():>2} of {n_all}")
    print(f"(each the mean, or sum, of {len(RANDOM_STATES)} fits with different random states)")
    return detectors[0]


def format_aucs(aucs):
    """Put four figures under the table's headings."""
    return "{:>7.3f}  {:>15.3f}  {:>5.3f}  {:>10.3f}".format(*aucs)


def explain(vowels, detector, n_worst=3):
    """Print where the most anomalous recordings err most; return their positions."""
    worst = detector.score_samples(vowels.X_test).argsort()[:n_worst]
    sequences = [vowels.X_test[i] for i in worst]
    by_feature = detector.reconstruction_error(sequences, per="feature")
    by_step = detector.reconstruction_error(sequences, per="timestep")
    for i, features, steps in zip(worst, by_feature, by_step, strict=True):
        top_features = ", ".join(
            f"{vowels.feature_names[j]} ({features[j] / features.sum():.0%})"
            for j in features.argsort()[::-1][:3]
        )
        top_steps = ", ".join(
            f"{t} ({steps[t] / steps.sum():.0%})" for t in steps.argsort()[::-1][:3]
        )
        print(
            f"  #{i} (speaker {vowels.speaker_test[i]}): {top_features}; "
            f"steps {top_steps} of {len(steps)}"
        )
    return worst


def draw(vowels, detector, i, path):
    """Save a picture of one recording, its reconstruction and where the two differ."""
    display = ReconstructionDisplay.from_estimator(
        detector, vowels.X_test, index=i, feature_names=vowels.feature_names
    )
    display.figure_.suptitle(f"The most anomalous recording, of speaker {vowels.speaker_test[i]}")
    display.figure_.savefig(path)
    plt.close(display.figure_)


def save_and_reload(vowels, detector, path):
    """Write the detector with joblib and show that what is read back scores alike."""
    joblib.dump(detector, path, compress=3)
    is_equal = np.array_equal(
        joblib.load(path).score_samples(vowels.X_test), detector.score_samples(vowels.X_test)
    )
    print(
        f"Saved {path} ({path.stat().st_size / 1024:.0f} KiB); "
        f"reloaded, its scores are equal: {is_equal}"
    )


def main():
    """Run the whole comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[2])
    parser.add_argument("--output", type=Path, default=Path("demo-output"))
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)

    detector = compare_all()
    vowels = load_japanese_vowels(anomalous_speaker=SPEAKERS[0])
    print(
        "\nWith speaker 1 held out, the three most anomalous recordings, and where they err most:"
    )
    worst = explain(vowels, detector)

    picture = output / "most_anomalous_recording.png"
    draw(vowels, detector, worst[0], picture)
    print(f"\nSaved {picture}")
    save_and_reload(vowels, detector, output / "detector.joblib")


if __name__ == "__main__":
    main()
