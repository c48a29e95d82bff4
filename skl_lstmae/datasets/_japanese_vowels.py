"""The Japanese vowels: short ragged sequences of nine speakers."""

from importlib.resources import files
from numbers import Integral
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skl_lstmae._sklearn import Interval, validate_params

N_SPEAKERS = 9
N_TRAINING_UTTERANCES = 270
FOLDER = files("skl_lstmae.datasets") / "data"

Utterances = list[NDArray[np.float32]]
Labels = NDArray[np.int64]


@overload
def load_japanese_vowels(
    *, anomalous_speaker: int | None = None, return_X_y: Literal[False] = False
) -> Bunch: ...
@overload
def load_japanese_vowels(
    *, anomalous_speaker: None = None, return_X_y: Literal[True]
) -> tuple[Utterances, Labels]: ...
@overload
def load_japanese_vowels(
    *, anomalous_speaker: int, return_X_y: Literal[True]
) -> tuple[Utterances, Utterances, Labels]: ...
@validate_params(
    {
        "anomalous_speaker": [Interval(Integral, 1, N_SPEAKERS, closed="both"), None],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def load_japanese_vowels(*, anomalous_speaker: int | None = None, return_X_y: bool = False) -> Any:
    """Load the Japanese vowels: 640 utterances of nine speakers, of 7 to 29 time steps.

    Each utterance is a sequence of 12 LPC cepstrum coefficients (dimensionless), one row per 6.4 ms
    frame. By default the task is classification, and the speaker is the class. With
    `anomalous_speaker` it is anomaly detection: a detector is fitted to eight speakers, and has to
    find the ninth, whom it has never heard. The data ship with the package; nothing is downloaded.

    Parameters
    ----------
    anomalous_speaker : int in [1, 9], default=None
        Speaker to hold out as the anomaly. `None` loads all utterances with their speakers.
    return_X_y : bool, default=False
        Whether to return plain lists and arrays in place of a :class:`~sklearn.utils.Bunch`.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        If `anomalous_speaker` is `None`:

        data : list of 640 float32 arrays of shape (n_timesteps, 12)
            The utterances, those of the original training part first, in the original order.
        target : int64 array of shape (640,)
            The speaker of each utterance, 1 to 9.
        is_train : bool array of shape (640,)
            Whether an utterance belongs to the original training part: the first 270 do, 30 of
            each speaker.
        target_names : list of 9 str
            `target_names[k - 1]` names speaker `k`.

        If `anomalous_speaker` is a speaker:

        X_train : list of 240 float32 arrays of shape (n_timesteps, 12)
            The training utterances of the eight other speakers: all normal.
        X_test : list of 400 float32 arrays of shape (n_timesteps, 12)
            The test utterances of the eight other speakers, then all utterances of the anomalous
            one, from the training and the test part.
        y_test : int64 array of shape (400,)
            +1 for a normal utterance, -1 for an anomalous one, as scikit-learn's outlier detectors
            predict them.
        speaker_train, speaker_test : int64 arrays of shape (240,) and (400,)
            The speaker of each utterance, 1 to 9.

        In both cases:

        feature_names : list of 12 str
            "cepstrum_1" to "cepstrum_12".
        DESCR : str
            Description, source and licence (CC BY 4.0) of the data.
    (data, target) : tuple, if `return_X_y` and `anomalous_speaker` is `None`
        As above.
    (X_train, X_test, y_test) : tuple, if `return_X_y` and `anomalous_speaker` is a speaker
        As above. There is no `y_train`: detectors are fitted without labels.

    Raises
    ------
    ValueError
        If `anomalous_speaker` is not a speaker, or `return_X_y` not a boolean.

    Notes
    -----
    Every call returns new arrays: changing them changes nothing else.

    References
    ----------
    .. [1] M. Kudo, J. Toyama and M. Shimbo, "Multidimensional curve classification using
       passing-through regions", Pattern Recognition Letters 20 (11-13), 1103-1111, 1999,
       https://doi.org/10.1016/S0167-8655(99)00077-X

    Examples
    --------
    >>> from skl_lstmae.datasets import load_japanese_vowels
    >>> vowels = load_japanese_vowels()
    >>> len(vowels.data), vowels.data[0].shape, vowels.data[1].shape
    (640, (20, 12), (26, 12))
    >>> X_train, X_test, y_test = load_japanese_vowels(anomalous_speaker=1, return_X_y=True)
    >>> len(X_train), len(X_test), int((y_test == -1).sum())
    (240, 400, 61)
    """
    data, speaker = _read()
    if anomalous_speaker is None:
        bunch = _all_speakers(data, speaker)
        return (bunch.data, bunch.target) if return_X_y else bunch
    bunch = _detection_task(data, speaker, anomalous_speaker)
    return (bunch.X_train, bunch.X_test, bunch.y_test) if return_X_y else bunch


def _read() -> tuple[Utterances, Labels]:
    """Return the 640 utterances and their speakers, in the order of the file."""
    with (FOLDER / "japanese_vowels.npz").open("rb") as file, np.load(file) as stored:
        # The coding is exact: six decimals as a 24-bit integer, see japanese_vowels.rst.
        micro = np.tensordot([1, 2**8, 2**16], stored["micro_bytes"], axes=1).T - 2**23
        ends = np.cumsum(stored["lengths"], dtype=np.int64)
        speaker = stored["speaker"].astype(np.int64)
    values = (micro / 1e6).astype(np.float32)
    # Copies, since slices of one table would keep all of it alive with a single utterance.
    return [part.copy() for part in np.split(values, ends[:-1])], speaker


def _all_speakers(data: Utterances, speaker: Labels) -> Bunch:
    return Bunch(
        data=data,
        target=speaker,
        is_train=np.arange(len(data)) < N_TRAINING_UTTERANCES,
        target_names=[f"speaker {k}" for k in range(1, N_SPEAKERS + 1)],
        **_description(),
    )


def _detection_task(data: Utterances, speaker: Labels, anomalous_speaker: int) -> Bunch:
    anomalous = speaker == anomalous_speaker
    is_train = np.arange(len(data)) < N_TRAINING_UTTERANCES
    train = np.flatnonzero(is_train & ~anomalous)
    test = np.concatenate([np.flatnonzero(~is_train & ~anomalous), np.flatnonzero(anomalous)])
    return Bunch(
        X_train=[data[i] for i in train],
        X_test=[data[i] for i in test],
        y_test=np.where(anomalous[test], -1, 1),
        speaker_train=speaker[train],
        speaker_test=speaker[test],
        **_description(),
    )


def _description() -> dict[str, Any]:
    return {
        "feature_names": [f"cepstrum_{k}" for k in range(1, 13)],
        "DESCR": (FOLDER / "japanese_vowels.rst").read_text(encoding="utf-8"),
    }
