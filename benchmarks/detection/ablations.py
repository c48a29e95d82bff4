"""The default detector without one of its parts, or with another, to see what that is worth."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from skl_lstmae import LSTMAutoencoderDetector, modules
from skl_lstmae._batches import Batch
from skl_lstmae._padding import mean_step
from skl_lstmae._scoring import JointScorer, View
from skl_lstmae._training import Trainer


class TorchInitialisedAutoencoder(modules.LSTMAutoencoder):
    """Draws its weights as torch's layers do."""

    def reset_parameters(self, generator: Generator | None = None) -> None:
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
        self, x: Tensor, lengths: Tensor | None = None, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        if self.training:
            is_seen = torch.rand(*x.shape[:2], 1, generator=generator, device=x.device) >= 0.25
            x = x * is_seen
        return super().forward_with_states(x, lengths, generator)


class MaskedSteps(LSTMAutoencoderDetector):
    """Hides whole steps in training, where it is set to add no noise."""

    _module_class = MaskingAutoencoder


class CompositeAutoencoder(modules.LSTMAutoencoder):
    """Has its encoder forecast the next step too."""

    def __init__(self, input_size: int, hidden_size: Sequence[int], *args: Any, **options: Any):
        super().__init__(input_size, hidden_size, *args, **options)
        self.forecast = modules.RowLinear(hidden_size[-1], input_size)


class CompositeTrainer(Trainer):
    """Adds up the losses of reconstruction and forecast."""

    def _summed_loss(self, module: nn.Module, batch: Batch) -> Tensor:
        assert isinstance(module, CompositeAutoencoder)
        prediction, _, states = module.forward_with_states(batch.x, batch.lengths, self.generator)
        reconstruction = self.loss(prediction, batch.x) * batch.observed
        forecast = self.loss(module.forecast(states[:, :-1]), batch.x[:, 1:])
        return reconstruction.sum() + (forecast * batch.observed[:, 1:]).sum()


class Composite(LSTMAutoencoderDetector):
    """Learns to reconstruct and to forecast at once, from one encoding [1]_.

    References
    ----------
    .. [1] N. Srivastava, E. Mansimov, R. Salakhutdinov, "Unsupervised learning of video
       representations using LSTMs", ICML 2015, :doi:`10.48550/arXiv.1502.04681`.
    """

    _module_class = CompositeAutoencoder

    def _make_trainer(self, random_state: RandomState) -> Trainer:
        return CompositeTrainer(**vars(super()._make_trainer(random_state)))


class NormalisingAutoencoder(modules.LSTMAutoencoder):
    """Scales each sequence by its own mean and standard deviation, and its reconstruction back."""

    def forward_with_states(
        self, x: Tensor, lengths: Tensor | None = None, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        lengths = modules._full_lengths(x) if lengths is None else lengths.to(x.device)
        mean = mean_step(x, lengths).unsqueeze(1)
        scale = mean_step((x - mean).square(), lengths).unsqueeze(1).sqrt().clamp(min=0.1)
        prediction, latent, states = super().forward_with_states(
            (x - mean) / scale, lengths, generator
        )
        return prediction * scale + mean, latent, states


class OwnScale(LSTMAutoencoderDetector):
    """Lets the network see what form a sequence has, and not at which level [1]_.

    References
    ----------
    .. [1] T. Kim, J. Kim, Y. Tae, C. Park, J.-H. Choi, J. Choo, "Reversible instance normalization
       for accurate time-series forecasting against distribution shift", ICLR 2022.
    """

    _module_class = NormalisingAutoencoder


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

    VIEWS = tuple(view for view in JointScorer.VIEWS if view.parts != ("outline",))


class NetworkAlone(LSTMAutoencoderDetector):
    """Judges by latents and errors, and not by the outline of the sequence itself."""

    def _make_scorer(self) -> JointScorer:
        return NetworkScorer()


class WholeScorer(JointScorer):
    """Leaves out the distance that knows where in time the errors are."""

    VIEWS = tuple(view for view in JointScorer.VIEWS if view.parts != ("error_outline",))


class WholeErrors(LSTMAutoencoderDetector):
    """Judges by the errors of the whole sequence, and not of its parts."""

    def _make_scorer(self) -> JointScorer:
        return WholeScorer()


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
