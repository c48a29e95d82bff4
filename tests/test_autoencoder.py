"""What the autoencoder's detector alone can do: encode sequences, and decode latents."""

import numpy as np
import pytest
from conftest import QUICK, exactly, make_ragged, make_waves
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skl_lstmae import LSTMAutoencoderDetector

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = make_ragged(40)


def fit(sequences=X, **parameters):
    return LSTMAutoencoderDetector(**QUICK | {"latent_size": 6} | parameters).fit(sequences)


@pytest.fixture(scope="module")
def detector():
    """Return a fitted detector, which tests leave as it is."""
    return fit()


def test_latents_are_one_row_a_sequence_whatever_it_comes_with(detector):
    latents = detector.transform(X)
    assert (latents.shape, latents.dtype) == ((40, 6), np.float32)
    assert len(np.unique(latents, axis=0)) == 40
    for i in (0, 1, 17):
        assert_array_equal(detector.transform([X[i]])[0], latents[i])
    assert_array_equal(clone(detector).fit_transform(X), latents)


@pytest.mark.parametrize("bottleneck", ["last", "mean", "max"])
def test_inverse_transform_of_transform_is_reconstruct(bottleneck):
    detector = fit(bottleneck=bottleneck)
    decoded = detector.inverse_transform(detector.transform(X), [len(x) for x in X])
    for one, other in zip(decoded, detector.reconstruct(X), strict=True):
        assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert [x.shape for x in detector.inverse_transform(np.zeros((3, 6)), 5)] == [(5, 2)] * 3


def test_inverse_transform_decodes_as_many_steps_as_all_training_sequences_had(detector):
    aligned = fit(make_waves(n_timesteps=8))
    latents = aligned.transform(X)
    assert_array_equal(aligned.inverse_transform(latents), aligned.inverse_transform(latents, 8))
    sentence = (
        "inverse_transform must be told the lengths to decode, since the training sequences were "
        "of several; pass lengths=."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.inverse_transform(latents)


BAD_LENGTHS = "lengths must be one positive int, or 2 of them, one a row of X; got {!r}."
UNDECODABLE = {
    "X has 5 features, but the latents of this LSTMAutoencoderDetector have 6.": (5, 3),
    **{BAD_LENGTHS.format(lengths): (6, lengths) for lengths in (0, 2.5, [3, 4, 5])},
}


@pytest.mark.parametrize("sentence", UNDECODABLE)
def test_latents_that_cannot_be_decoded_are_refused(detector, sentence):
    latent_size, lengths = UNDECODABLE[sentence]
    with pytest.raises(ValueError, match=exactly(sentence)):
        detector.inverse_transform(np.zeros((2, latent_size)), lengths)


def test_missing_latents_and_those_of_an_unfitted_detector_are_refused(detector):
    with pytest.raises(ValueError, match="X contains NaN"):
        detector.inverse_transform(np.full((2, 6), np.nan), 3)
    with pytest.raises(NotFittedError):
        LSTMAutoencoderDetector().inverse_transform(np.zeros((1, 16)), 3)


def test_a_latent_sequence_cannot_be_decoded_from_its_mean():
    detector = fit(bottleneck="sequence")
    with pytest.raises(AttributeError, match="has no attribute 'inverse_transform'") as refusal:
        detector.inverse_transform(detector.transform(X), 5)
    assert str(refusal.value.__cause__) == (
        "inverse_transform needs one latent vector a sequence, but bottleneck='sequence' keeps one "
        "a time step, of which transform returns the mean; use reconstruct, or another bottleneck."
    )


@pytest.mark.parametrize(("fitted", "changed"), [("sequence", "mean"), ("mean", "sequence")])
def test_the_fitted_network_says_whether_latents_can_be_decoded(fitted, changed):
    detector = fit(bottleneck=fitted).set_params(bottleneck=changed)
    assert hasattr(detector, "inverse_transform") == (fitted == "mean")


def test_an_autoregressive_decoder_runs_forward_alone():
    sentence = (
        "decoder='autoregressive' only runs forward in time; use bidirectional='encoder', or "
        "decoder='repeat'."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        fit(decoder="autoregressive", bidirectional="both")


def test_only_the_lengths_are_metadata_of_inverse_transform():
    requests = LSTMAutoencoderDetector().get_metadata_routing()
    assert requests.inverse_transform.requests == {"lengths": None}
