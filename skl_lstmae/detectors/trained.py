"""What an estimator with a trained network shows of it, and saves."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any, Self, TypeVar

import numpy as np
import torch
from sklearn.base import BaseEstimator

from skl_lstmae._version import __version__
from skl_lstmae.data.forms import Form
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.detectors.persistence import checksum, refuse_newer_major_version
from skl_lstmae.modules import SequenceNetwork
from skl_lstmae.training.model import Model
from skl_lstmae.training.progress import History

Estimator = TypeVar("Estimator", bound="FrozenState")


class FrozenState:
    """What is fitted is never changed in place, so that copies share it."""

    def __copy__(self) -> Self:
        """Share what is fitted."""
        estimator = type(self).__new__(type(self))
        estimator.__dict__ = vars(self).copy()
        return estimator

    @abstractmethod
    def _read(self, X: Any) -> tuple[Any, Sequences, Form]:
        """Read X, and return with it what judges it, or predicts, at this moment."""


def read_with(estimator: FrozenState, X: Any) -> tuple[Any, Sequences, Form]:
    """Read X for a picture, and return what judges it, or predicts, at this moment."""
    return estimator._read(X)


@contextmanager
def all_or_nothing(estimator: Estimator) -> Iterator[Estimator]:
    """Yield a copy that may learn, whose state the estimator takes once nothing has failed.

    Other threads see the old state or the new, never one in between.
    """
    learner = copy(estimator)
    yield learner
    estimator.__dict__ = learner.__dict__


class TrainedNetwork(FrozenState, BaseEstimator):
    """Shows the parts of a model and its history; files carry a checksum and a version."""

    history_: History

    @property
    @abstractmethod
    def _model(self) -> Model:
        """The model, or an error if there is none yet."""

    @property
    def module_(self) -> SequenceNetwork:
        """The trained network."""
        return self._model.network

    @property
    def device_(self) -> torch.device:
        """Where the network runs."""
        return self._model.device

    @property
    def scaler_(self) -> Any:
        """The fitted scaler."""
        return self._model.scaling.transformer

    @property
    def n_epochs_(self) -> int:
        """Number of epochs run, those before a warm start and those of `partial_fit` included."""
        return self.history_.n_epochs

    @property
    def loss_curve_(self) -> list[float]:
        """Training loss of each epoch."""
        return self.history_.loss_curve

    @property
    def validation_loss_curve_(self) -> list[float]:
        """Loss of the held-out data after each epoch; empty if no epoch has one."""
        curve = self.history_.validation_loss_curve
        return [] if np.isnan(curve).all() else curve

    def __getstate__(self) -> dict[str, Any]:
        """Return plain state, with a checksum and the version that wrote it."""
        state = dict(super().__getstate__())
        return {**state, "_skl_lstmae_version": __version__, "_checksum": checksum(state)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        name = type(self).__name__
        state = dict(state)
        refuse_newer_major_version(state.pop("_skl_lstmae_version", None), name)
        if state.pop("_checksum", None) != checksum(state):
            raise ValueError(
                f"The numbers of this {name} are not those that were saved: the file is damaged; "
                "save the detector again."
            )
        super().__setstate__(state)


def model_of(estimator: TrainedNetwork) -> Model:
    """Return the model of a fitted estimator, to go on with in another."""
    return estimator._model
