"""What an estimator begins with that is given another one, trained on sequences without targets."""

from typing import Any

from skl_lstmae.data.names import known_names
from skl_lstmae.detectors.trained import model_of
from skl_lstmae.modules import LSTMAutoencoder, LSTMPredictor, NetworkEnsemble
from skl_lstmae.training.scaling import Scaling


def pretrained_network(init: Any) -> LSTMAutoencoder | LSTMPredictor:
    """Return the network whose encoder is the first one, or refuse what has none."""
    network = getattr(init, "module_", None)
    if isinstance(network, NetworkEnsemble):
        network = network.networks[0]
    if not isinstance(network, LSTMAutoencoder | LSTMPredictor):
        found = "that is not fitted" if network is None else f"of a {type(network).__name__}"
        raise ValueError(
            f"init is a {type(init).__name__} {found}; expected a fitted one of an "
            "LSTMAutoencoder or LSTMPredictor: pass FrozenEstimator(init) if something clones "
            "this estimator, and so unfits it, as searches do."
        )
    return network


def pretrained_scaling(init: Any, names: tuple[Any, ...], n_features: int) -> Scaling:
    """Return the scaling that the weights belong to, or refuse to read other features by it."""
    known = known_names(init)
    if known and names and known != names:
        raise ValueError(
            f"X has the features {list(names)}, but init was fitted on {list(known)}; expected "
            "the same in the same order."
        )
    n_known = pretrained_network(init).input_size
    if n_known != n_features:
        raise ValueError(
            f"X has {n_features} features, but init was fitted on {n_known}; expected as many."
        )
    return model_of(init).scaling
