"""The default detector without one of its parts, or with another, to see what that is worth."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from torch import nn

from skl_lstmae import LSTMAutoencoderDetector, modules
from skl_lstmae._scoring import JointScorer, View
from skl_lstmae._training import Trainer


class TorchInitialisedAutoencoder(modules.LSTMAutoencoder):
    """Draws its weights as torch's layers do."""

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        if generator is None:  # an empty network is made, whose weights come later
            return
        seed = torch.randint(2**31 - 1, (), generator=generator).item()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for module in self.modules():
                if isinstance(module, nn.LSTM | nn.Linear):
                    module.reset_parameters()


class TorchInitialisation(LSTMAutoencoderDetector):
    """Begins with torch's weights rather than with orthogonal ones and open forget gates."""

    _module_class = TorchInitialisedAutoencoder


class MaskingAutoencoder(modules.LSTMAutoencoder):
    """Is to reconstruct, in training, steps that it has not seen: a quarter of them."""

    def forward_with_states(
        self,
        x: torch.Tensor,
        lengths: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        if self.training:
            is_seen = torch.rand(*x.shape[:2], 1, generator=generator, device=x.device) >= 0.25
            x = x * is_seen
        return super().forward_with_states(x, lengths, generator)


class MaskedSteps(LSTMAutoencoderDetector):
    """Hides whole steps in training, where it is set to add no noise."""

    _module_class = MaskingAutoencoder


def recent_error(errors: Sequence[NDArray[Any]], latents: NDArray[Any]) -> NDArray[np.float64]:
    """Score by minus the mean error, to which a step adds the more the later it comes."""
    by_step = [np.ma.masked_invalid(cells).mean(axis=1) for cells in errors]
    return np.array(
        [-np.ma.average(steps, weights=np.arange(1, len(steps) + 1)) for steps in by_step]
    )


class WithoutAveraging(LSTMAutoencoderDetector):
    """Keeps single weights."""

    def _make_trainer(self, random_state: RandomState) -> Trainer:
        return replace(super()._make_trainer(random_state), averaging_power=1e12)


class NetworkScorer(JointScorer):
    """Leaves out the one distance that knows nothing of the network."""

    VIEWS = JointScorer.VIEWS[:2]


class NetworkAlone(LSTMAutoencoderDetector):
    """Judges by latents and errors, and not by the outline of the sequence itself."""

    def _make_scorer(self) -> JointScorer:
        return NetworkScorer()


class OutlineScorer(JointScorer):
    """Leaves out all that comes of the network."""

    VIEWS = (View("outline"),)

    def score(self, summaries: NDArray[Any]) -> NDArray[np.float64]:
        points = self.views_[0].transform(summaries)
        return -self._transformed_references()[0].distances(points)


class OutlineAlone(LSTMAutoencoderDetector):
    """Judges by the nearest neighbour of the sequence's outline, without a network's help."""

    def _make_scorer(self) -> JointScorer:
        return OutlineScorer()
