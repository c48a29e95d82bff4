"""What a fit draws from: random states of its own, the same in all ranks, and torch generators."""

import torch
from numpy.random import RandomState
from sklearn.utils import check_random_state

from skl_lstmae.training.distributed import ranks_here


def shared_random_state(random_state: int | RandomState | None) -> RandomState:
    """Return what a fit draws from; for ranks that fit together, what the first one has."""
    own, ranks = check_random_state(random_state), ranks_here()
    if ranks.number > 1:
        state = ranks.agreed(own.get_state(legacy=False))
        if not ranks.is_first:
            own = RandomState()
            own.set_state(state)
    return own


def spawn_random_state(random_state: RandomState) -> RandomState:
    """Return a random state of its own, seeded from another."""
    return RandomState(random_state.randint(2**31 - 1))


def make_generator(random_state: RandomState, device: str | torch.device) -> torch.Generator:
    """Return a torch generator seeded from a numpy one."""
    return torch.Generator(device).manual_seed(int(random_state.randint(2**31 - 1)))
