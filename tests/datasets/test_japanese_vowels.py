import numpy as np
import pytest

from skl_lstmae.datasets import load_japanese_vowels

TEST_COUNTS = [31, 35, 88, 44, 29, 24, 40, 50, 29]


def test_counts_per_speaker_are_the_published_ones():
    vowels = load_japanese_vowels()
    for is_chosen, counts in (vowels.is_train, [30] * 9), (~vowels.is_train, TEST_COUNTS):
        assert np.bincount(vowels.target[is_chosen])[1:].tolist() == counts
    assert vowels.is_train.tolist() == [True] * 270 + [False] * 370
    assert vowels.target.dtype == np.int64
    assert (np.diff(vowels.target[:270]) >= 0).all()


def test_utterances_are_ragged_float32_sequences_of_12_channels():
    vowels = load_japanese_vowels()
    lengths = [len(utterance) for utterance in vowels.data]
    assert (min(lengths), max(lengths), sum(lengths)) == (7, 29, 9961)
    kinds = {(x.shape[1], x.dtype.name, x.flags.c_contiguous) for x in vowels.data}
    assert kinds == {(12, "float32", True)}
    assert vowels.feature_names == [f"cepstrum_{k}" for k in range(1, 13)]
    assert vowels.target_names == [f"speaker {k}" for k in range(1, 10)]


def test_values_are_the_published_ones():
    data = load_japanese_vowels().data
    assert data[0][0, :3].tolist() == np.float32([1.860936, -0.207383, 0.261557]).tolist()
    assert data[0][-1, :2].tolist() == np.float32([1.261441, -0.63835]).tolist()
    values = np.concatenate(data)
    assert np.isfinite(values).all()
    assert (values.min(), values.max()) == (np.float32(-1.852765), np.float32(2.203141))


@pytest.mark.parametrize("speaker", range(1, 10))
def test_held_out_speaker_is_only_in_the_test_set(speaker):
    vowels, task = load_japanese_vowels(), load_japanese_vowels(anomalous_speaker=speaker)
    is_normal = vowels.target != speaker
    training = np.flatnonzero(is_normal & vowels.is_train)
    test = np.r_[np.flatnonzero(is_normal & ~vowels.is_train), np.flatnonzero(~is_normal)]
    for X, speakers, rows in (
        (task.X_train, task.speaker_train, training),
        (task.X_test, task.speaker_test, test),
    ):
        assert [x.tobytes() for x in X] == [vowels.data[i].tobytes() for i in rows]
        assert speakers.tolist() == vowels.target[rows].tolist()
    assert task.y_test.tolist() == np.where(is_normal[test], 1, -1).tolist()


@pytest.mark.parametrize("speaker", [0, 10, -1, 1.0, "1"])
def test_unknown_speaker_is_refused(speaker):
    expected = (
        "The 'anomalous_speaker' parameter of load_japanese_vowels must be an int in the range "
        rf"\[1, 9\] or None. Got {speaker!r} instead."
    )
    with pytest.raises(ValueError, match=expected):
        load_japanese_vowels(anomalous_speaker=speaker)
