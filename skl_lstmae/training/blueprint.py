"""Which network is to be trained, before there is one: ours by its arguments, or the user's."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import RandomState

from skl_lstmae.modules import LSTMStack, NetworkEnsemble, SequenceNetwork
from skl_lstmae.modules.network import call_factory, check_network, make_network
from skl_lstmae.training.model import copy_network
from skl_lstmae.training.random_states import make_generator
from skl_lstmae.training.threads import LARGE_NETWORK, is_large

GATES = 4
"""Of an LSTM layer, each with a square matrix of weights from the states to itself."""


@dataclass(frozen=True, eq=False)
class Blueprint:
    """Makes a network for so many features, or a copy of one to go on with.

    Parameters
    ----------
    kind : callable
        Makes ours of its arguments.
    arguments : dict
        Of ours.
    given : SequenceNetwork, callable or None
        The user's, in place of ours: one that may have been trained, or a function that makes it
        from the numbers of features and, if there is a target, of outputs.
    n_features : int
        Of a time step.
    n_networks : int, default=1
        How many are trained side by side.
    is_causal : bool, default=False
        Whether it has to predict a step from those before it alone.
    target : tuple of int, default=None
        Shape of what it predicts of a sequence: outputs, or -1, for each step, and outputs; None
        stands for the steps themselves.
    encoder : LSTMStack, default=None
        Whose weights the encoder of ours begins with.
    """

    kind: Callable[..., SequenceNetwork]
    arguments: dict[str, Any]
    given: Any
    n_features: int
    n_networks: int = 1
    is_causal: bool = False
    target: tuple[int, ...] | None = None
    encoder: LSTMStack | None = None

    @property
    def is_ours(self) -> bool:
        """Whether the network is one of this package's, rather than the user's."""
        return self.given is None

    def make(self, random_state: RandomState) -> SequenceNetwork:
        """Return a network whose weights are drawn, unless it came with some."""
        if isinstance(self.given, torch.nn.Module):
            network: Any = deepcopy(self.given)
        else:
            network = make_network(self._call, make_generator(random_state, "cpu"))
        if not self.is_ours:
            check_network(network, self.n_features, is_causal=self.is_causal, target=self.target)
        if self.encoder is not None:
            _begin_with(network.encoder, self.encoder)
        return network

    def copy(self, network: SequenceNetwork) -> SequenceNetwork:
        """Return a copy of a trained network to go on with, or refuse one of other arguments."""
        asked = {"input_size": self.n_features}
        if self.is_ours or self.n_networks > 1 or not isinstance(network, NetworkEnsemble):
            asked["n_networks"] = self.n_networks
        return copy_network(network, asked, self.arguments if self.is_ours else None)

    def _call(self) -> SequenceNetwork:
        make = self.kind if self.is_ours else self._call_given
        arguments = self.arguments if self.is_ours else {}
        if self.n_networks == 1:
            return make(**arguments)
        return NetworkEnsemble(make, self.n_networks, **arguments)

    def _call_given(self) -> Any:
        n_outputs = () if self.target is None else self.target[-1:]
        return call_factory(self.given, self.n_features, *n_outputs)


@torch.no_grad()
def _begin_with(encoder: LSTMStack, known: LSTMStack) -> None:
    """Set an encoder's weights to known ones; if only one of them reads differences, those to 0."""
    weights = known.state_dict()
    for name, weight in encoder.state_dict().items():
        width = min(weight.shape[-1], weights[name].shape[-1])
        weight.zero_()[..., :width] = weights[name][..., :width]


def may_be_large(given: Any, hidden_size: Any) -> bool:
    """Whether a network may gain from several threads, before it is known for how many features."""
    if isinstance(given, torch.nn.Module):
        return is_large(given)
    widest = int(np.max(hidden_size))
    return given is not None or GATES * widest**2 >= LARGE_NETWORK // 2
