"""Averages of a network's weights over the steps of a training."""

from copy import deepcopy
from typing import Any

import torch

from skl_lstmae.modules import SequenceNetwork


class AveragedNetwork:
    """A network whose weights are averages of another's, in which later steps count more [1]_.

    `torch.optim.swa_utils.AveragedModel` asks the device in every step how many there were.

    Parameters
    ----------
    network : SequenceNetwork
        Is copied.
    power : float
        The weights after the t-th of n steps count about as ``(t / n)`` to this power does.

    Attributes
    ----------
    module : SequenceNetwork
        With the averages.
    n_averaged : int
        Steps so far.

    References
    ----------
    .. [1] O. Shamir, T. Zhang, "Stochastic gradient descent for non-smooth optimization:
       convergence results and optimal averaging schemes", ICML 2013,
       :doi:`10.48550/arXiv.1212.1824`.
    """

    def __init__(self, network: SequenceNetwork, power: float) -> None:
        # A copy's weights lie apart, which cuDNN does not like, until they are moved.
        self.module = deepcopy(network).to(next(network.parameters()).device)
        self.power = power
        self.n_averaged = 0
        self._network = network
        self._pairs = list(zip(self.module.parameters(), network.parameters(), strict=True))

    @torch.no_grad()
    def update(self) -> None:
        """Take in the network's weights after one more step."""
        share = (self.power + 1) / (self.n_averaged + self.power + 1)
        for average, weight in self._pairs:
            average.lerp_(weight, share)
        # Not paired for good, as a layer may put another tensor in a buffer's place.
        for own, latest in zip(self.module.buffers(), self._network.buffers(), strict=True):
            own.copy_(latest)
        self.n_averaged += 1

    def state_dict(self) -> dict[str, Any]:
        """Return what steps have changed."""
        return {"module": self.module.state_dict(), "n_averaged": self.n_averaged}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what another one has returned."""
        self.module.load_state_dict(state["module"])
        self.n_averaged = state["n_averaged"]
