from importlib.resources import files

import numpy as np
import pytest

from skl_lstmae.datasets import load_japanese_vowels

TEST_COUNTS = [31, 35, 88, 44, 29, 24, 40, 50, 29]


def counts(speaker):
    return np.bincount(speaker, minlength=10)[1:].tolist()


def test_counts_per_speaker_are_the_published_ones():
    vowels = load_japanese_vowels()
    assert counts(vowels.target[vowels.is_train]) == [30] * 9
    assert counts(vowels.target[~vowels.is_train]) == TEST_COUNTS
    assert vowels.is_train.tolist() == [True] * 270 + [False] * 370


def test_utterances_are_ragged_float32_sequences_of_12_channels():
    vowels = load_japanese_vowels()
    lengths = [len(utterance) for utterance in vowels.data]
    assert (min(lengths), max(lengths), sum(lengths)) == (7, 29, 9961)
    assert {utterance.shape[1:] for utterance in vowels.data} == {(12,)}
    assert {utterance.dtype for utterance in vowels.data} == {np.dtype(np.float32)}
    assert all(utterance.flags.c_contiguous for utterance in vowels.data)
    assert all(np.isfinite(utterance).all() for utterance in vowels.data)
    assert vowels.target.dtype == np.int64


def test_values_are_the_published_ones():
    data, target = load_japanese_vowels(return_X_y=True)
    assert data[0][0, :3].tolist() == np.float32([1.860936, -0.207383, 0.261557]).tolist()
    assert data[0][-1, :2].tolist() == np.float32([1.261441, -0.63835]).tolist()
    values = np.concatenate(data)
    assert values.min() == np.float32(-1.852765)
    assert values.max() == np.float32(2.203141)
    assert (target[0], target[269], target[270], target[-1]) == (1, 9, 1, 9)


def test_names_follow_the_axes():
    vowels = load_japanese_vowels()
    assert vowels.feature_names == [f"cepstrum_{k}" for k in range(1, 13)]
    assert vowels.target_names == [f"speaker {k}" for k in range(1, 10)]


@pytest.mark.parametrize("speaker", range(1, 10))
def test_held_out_speaker_is_only_in_the_test_set(speaker):
    task = load_japanese_vowels(anomalous_speaker=speaker)
    n_anomalous = 30 + TEST_COUNTS[speaker - 1]
    n_normal = 370 - TEST_COUNTS[speaker - 1]

    assert counts(task.speaker_train) == [0 if k == speaker else 30 for k in range(1, 10)]
    assert task.y_test.tolist() == [1] * n_normal + [-1] * n_anomalous
    assert ((task.speaker_test == speaker) == (task.y_test == -1)).all()
    assert len(task.X_train) == len(task.speaker_train) == 240
    assert len(task.X_test) == len(task.speaker_test) == n_normal + n_anomalous


def test_detection_task_holds_the_utterances_of_the_whole_set():
    vowels = load_japanese_vowels()
    task = load_japanese_vowels(anomalous_speaker=4)
    normal = vowels.target != 4

    def selected(mask):
        return [vowels.data[i].tobytes() for i in np.flatnonzero(mask)]

    assert [x.tobytes() for x in task.X_train] == selected(normal & vowels.is_train)
    assert [x.tobytes() for x in task.X_test] == (
        selected(normal & ~vowels.is_train) + selected(~normal)
    )


def test_return_X_y_gives_the_same_arrays_as_the_bunch():
    task = load_japanese_vowels(anomalous_speaker=2)
    X_train, X_test, y_test = load_japanese_vowels(anomalous_speaker=2, return_X_y=True)
    np.testing.assert_array_equal(np.concatenate(X_train), np.concatenate(task.X_train))
    np.testing.assert_array_equal(np.concatenate(X_test), np.concatenate(task.X_test))
    np.testing.assert_array_equal(y_test, task.y_test)


def test_changing_what_was_loaded_does_not_change_the_next_load():
    first, target = load_japanese_vowels(return_X_y=True)
    expected = first[0].copy()
    first[0][:] = 0.0
    target[:] = 0
    again, again_target = load_japanese_vowels(return_X_y=True)
    np.testing.assert_array_equal(again[0], expected)
    assert again_target.min() == 1


@pytest.mark.parametrize("speaker", [0, 10, -1, 1.0, "1"])
def test_unknown_speaker_is_refused(speaker):
    expected = (
        "The 'anomalous_speaker' parameter of load_japanese_vowels must be an int in the range "
        rf"\[1, 9\] or None. Got {speaker!r} instead."
    )
    with pytest.raises(ValueError, match=expected):
        load_japanese_vowels(anomalous_speaker=speaker)


def test_return_X_y_must_be_a_boolean():
    with pytest.raises(ValueError, match="The 'return_X_y' parameter of load_japanese_vowels"):
        load_japanese_vowels(return_X_y="yes")


def test_attribution_ships_beside_the_data():
    description = load_japanese_vowels().DESCR
    for needed in ("Kudo", "Toyama", "Shimbo", "10.24432/C5NS47", "CC BY 4.0", "**Changes.**"):
        assert needed in description


def test_data_stay_small_on_disk():
    folder = files("skl_lstmae.datasets") / "data"
    sizes = [len((folder / f"japanese_vowels.{end}").read_bytes()) for end in ("npz", "rst")]
    assert sum(sizes) < 300_000
