"""Training for a given number of steps, over which the learning rate rises and falls."""

from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from skl_lstmae.modules import SequenceNetwork
from skl_lstmae.training.checkpoint import Training
from skl_lstmae.training.progress import Progress
from skl_lstmae.training.trainer import Trainer


@dataclass(frozen=True, eq=False)
class OneCycleTrainer(Trainer):
    """Trains with a learning rate that rises to its peak and falls to nearly nothing [1]_.

    Parameters
    ----------
    n_steps : int, default=1
        Batches of the whole training.

    References
    ----------
    .. [1] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks using
       large learning rates", 2018, :doi:`10.48550/arXiv.1708.07120`.
    """

    n_steps: int = 1

    def _begin(self, network: SequenceNetwork, progress: Progress) -> Training:
        training = super()._begin(network, progress)
        schedule = OneCycleLR(
            training.optimizer, self.learning_rate, self.n_steps, cycle_momentum=False
        )

        def set_rate(optimizer: Optimizer, *_: Any) -> None:
            # Counted where a checkpoint keeps it.
            done = int(next(iter(optimizer.state.values()))["step"])
            schedule.last_epoch = done - 1
            schedule.step()

        training.optimizer.register_step_post_hook(set_rate)
        return training

    def _tell_of_the_end(self, progress: Progress) -> None:
        """Say nothing: the training has as many epochs as it was to have."""
