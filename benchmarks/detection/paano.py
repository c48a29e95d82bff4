"""PaAno (ICLR 2026), by its authors' code, of which a checkout has to be on Python's path."""

import contextlib
import os
import tempfile
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

REPOSITORY = "https://github.com/jinnnju/PaAno"
"""Of which commit 01b5805 was run."""

N_STEPS, LEARNING_RATE = 200, 1e-4
TOP_K = 3
SHARE_KEPT = 0.1
"""Of the training patches, in the memory bank."""


class PaAno(BaseEstimator):
    """Judges rows of a series with the settings of the authors' scripts.

    It has no threshold, so that its decisions say nothing, only their order.
    """

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None):
        torch.manual_seed(check_random_state(self.random_state).randint(2**31 - 1))
        self.patch_size_ = 64 if X.shape[1] == 1 else 96
        preprocess = import_module("utils.data_preprocess")
        patches = preprocess.preprocess_to_patches(self._as_read(X), self.patch_size_, 1)
        loader, device = self._loader(X), torch.device("cpu")
        self.model_ = import_module("model").PatchEncoder(in_channels=X.shape[1], use_revin=True)
        train = import_module("train").train_model
        with _quietly_elsewhere():
            train(self.model_, loader, patches, device, N_STEPS, self.patch_size_, LEARNING_RATE)
        tools = import_module("utils.utils")
        self.bank_, _ = tools.create_memory_bank(self.model_, loader, device, SHARE_KEPT)
        return self

    def decision_function(self, X):
        evaluation = import_module("utils.evaluation")
        scores = evaluation.calculate_anomaly_scores(
            self.model_, self._loader(X, shuffle=False), self.bank_, torch.device("cpu"), TOP_K
        )
        return -evaluation.distribute_patch_scores_to_points(scores, self.patch_size_, len(X))

    def _loader(self, X, shuffle=True):
        creator = import_module("utils.data_preprocess").PatchCreator(self.patch_size_, 1)
        X = self._as_read(X)
        return creator.create_dataloaders(X, X, None, batch_size=512)[0 if shuffle else 1]

    def _as_read(self, X):
        """Return it as the authors' reader does: without the axis of an only feature."""
        X = np.asarray(X, dtype=np.float32)
        return X[:, 0] if X.shape[1] == 1 else X


@contextlib.contextmanager
def _quietly_elsewhere():
    """Keep what the training prints, and the file that it leaves in the working directory, away."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield
