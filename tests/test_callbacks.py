"""scikit-learn's callbacks around a fit and its epochs."""

import copy
import inspect
import pickle
import re
import sys
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skl_lstmae import LSTMAutoencoderDetector, SlidingWindowDetector
from skl_lstmae._callbacks import CallbackSupportMixin

sklearn_callback = pytest.importorskip(
    "sklearn.callback", reason="scikit-learn has callbacks since version 1.9"
)
ProgressBar, ScoringMonitor = sklearn_callback.ProgressBar, sklearn_callback.ScoringMonitor

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

QUICK = {
    "hidden_size": 4,
    "latent_size": 2,
    "learning_rate": 0.01,
    "batch_size": 8,
    "max_epochs": 4,
    "false_alarm_rate": 0.1,
    "device": "cpu",
    "random_state": 2,
}

X = [
    np.sin(np.arange(6 + i % 5)[:, np.newaxis] + i) + np.random.default_rng(i).normal(scale=0.1)
    for i in range(24)
]
LABELS = np.where(np.arange(24) % 6 == 0, -1, 1)


def test_all_that_scikit_learns_mixin_offers_is_passed_on():
    def functions(mixin):
        return {name for name, member in vars(mixin).items() if inspect.isfunction(member)}

    assert functions(CallbackSupportMixin) == functions(sklearn_callback.CallbackSupportMixin)


@pytest.fixture
def detector():
    return LSTMAutoencoderDetector(**QUICK)


class Recorder:
    """Notes what it is told, and copies the fitted detectors that it is shown."""

    def __init__(self):
        self.events = []
        self.data = []
        self.contexts = []
        self.detectors = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.events.append(f"begin {context.task_name} {context.task_id}")
        self.data.append((X, y))
        self.contexts.append(context)

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.events.append(f"end {context.task_name} {context.task_id}")
        self.data.append((X, y))
        self.detectors.append(fitted_estimator.set_callbacks())

    def teardown(self, estimator, context):
        self.events.append("teardown")


class Stopper(Recorder):
    """Stops the training after some epochs."""

    def __init__(self, n_epochs):
        super().__init__()
        self.n_epochs = n_epochs

    def on_fit_task_end(self, estimator, context):
        self.events.append(f"end {context.task_name} {context.task_id}")
        return context.task_name == "epoch" and context.task_id == self.n_epochs - 1


class Saboteur(Recorder):
    """Raises an error at one of the events."""

    def __init__(self, event):
        super().__init__()
        self.event = event

    def on_fit_task_begin(self, estimator, context):
        self.fail_at(f"begin {context.task_name} {context.task_id}")

    def on_fit_task_end(self, estimator, context):
        self.fail_at(f"end {context.task_name} {context.task_id}")

    def fail_at(self, event):
        self.events.append(event)
        if event == self.event:
            raise RuntimeError(f"sabotage at {event}")


# ---------------------------------------------------------------------------------------- the tasks


def test_a_fit_is_a_task_and_each_epoch_its_subtask(detector):
    recorder = Recorder()
    detector.set_callbacks(recorder).fit(X, LABELS)
    epochs = [f"{when} epoch {i}" for i in range(4) for when in ("begin", "end")]
    assert recorder.events == ["setup", "begin fit 0", *epochs, "end fit 0", "teardown"]
    assert {(id(x), id(y)) for x, y in recorder.data} == {(id(X), id(LABELS))}
    fit, *epochs = recorder.contexts
    assert (fit.parent, fit.max_subtasks) == (None, 4)
    assert [epoch.parent for epoch in epochs] == [fit] * 4


def test_early_stopping_ends_the_tasks(detector):
    recorder = Recorder()
    detector.set_params(tol=10.0, n_iter_no_change=2, max_epochs=50)
    detector.set_callbacks(recorder).fit(X)
    assert detector.n_epochs_ == 3
    assert recorder.events[-3:] == ["end epoch 2", "end fit 0", "teardown"]


SETTINGS = {
    "defaults": {},
    "early_stopping=False": {"early_stopping": False},
    "contamination=0.1": {"early_stopping": False, "contamination": 0.1, "scorer": "mahalanobis"},
    "warm_start=True": {"warm_start": True},
    "random_state": {"scorer": "error", "random_state": np.random.RandomState(3)},
}


@pytest.mark.parametrize("parameters", SETTINGS.values(), ids=SETTINGS)
def test_after_an_epoch_callbacks_see_the_detector_whose_training_stopped_there(
    detector, parameters
):
    detector.set_params(**parameters)
    if detector.warm_start:
        detector.fit(X)
    recorder = Recorder()
    clones = [copy.deepcopy(detector) for _ in range(4)]
    copy.deepcopy(detector).set_callbacks(recorder).fit(X)
    assert len(recorder.detectors) == 5
    for max_epochs, shown in enumerate(recorder.detectors[:4], start=1):
        stopped = clones.pop().set_params(max_epochs=max_epochs).fit(X)
        assert_same_detector(shown, stopped)
    assert_same_detector(recorder.detectors[4], stopped)


def assert_same_detector(one, other):
    """Compare what two detectors hold and do, partial_fit and pickles included."""
    for name in ("offset_", "n_epochs_", "loss_curve_", "validation_loss_curve_"):
        assert getattr(one, name) == getattr(other, name), name
    assert_array_equal(one.score_samples(X), other.score_samples(X))
    assert_array_equal(pickle.loads(pickle.dumps(one)).predict(X), other.predict(X))
    one, other = (copy.deepcopy(detector).partial_fit(X[:3]) for detector in (one, other))
    assert_array_equal(one.score_samples(X), other.score_samples(X))
    assert one.offset_ == other.offset_


def test_no_detector_is_made_for_callbacks_that_ask_for_none(detector, monkeypatch):
    monkeypatch.setattr(LSTMAutoencoderDetector, "_attributes_after", None)
    stopper = Stopper(n_epochs=10)
    detector.set_callbacks(stopper).fit(X)
    assert stopper.events.count("end epoch 3") == 1
    with pytest.raises(TypeError):
        detector.set_callbacks(Recorder()).fit(X)


def test_partial_fit_has_no_tasks(detector):
    recorder = Recorder()
    detector.set_callbacks(recorder).partial_fit(X).partial_fit(X)
    assert recorder.events == []


# ----------------------------------------------------------------------------------- ScoringMonitor


def test_the_monitor_records_the_scores_of_detectors_that_stopped_there(detector):
    scoring = {
        "roc_auc": get_scorer("roc_auc"),
        "variance": lambda fitted, X, y: fitted.score(X),
        "offset": lambda fitted, X, y: fitted.offset_,
    }
    monitor = ScoringMonitor(scoring=scoring)
    detector.set_callbacks(monitor).fit(X, LABELS)
    root, *epochs = monitor.get_logs().data
    assert [epoch["task_id"] for epoch in epochs] == [0, 1, 2, 3]
    for max_epochs, row in enumerate(epochs, start=1):
        stopped = LSTMAutoencoderDetector(**QUICK | {"max_epochs": max_epochs}).fit(X)
        for name, score in scoring.items():
            assert row[name] == score(stopped, X, LABELS), (name, max_epochs)
    for name, score in scoring.items():
        assert root[name] == epochs[-1][name] == score(detector, X, LABELS)
    assert len({row["variance"] for row in epochs}) > 1


def test_without_labels_the_monitor_records_epochs_but_no_scores(detector):
    """That is scikit-learn's own rule."""
    monitor = ScoringMonitor(scoring="roc_auc")
    detector.set_callbacks(monitor).fit(X)
    rows = monitor.get_logs().data
    assert [row["task_name"] for row in rows] == ["fit"] + ["epoch"] * 4
    assert not any("roc_auc" in row for row in rows)


@pytest.mark.parametrize(
    "parameters",
    [{}, {"hidden_size": (4, 4), "dropout": 0.3}, {"decoder": "autoregressive"}],
    ids=str,
)
def test_the_monitor_does_not_change_the_weights(detector, parameters):
    detector.set_params(**parameters)
    watched = clone(detector).set_callbacks(ScoringMonitor(scoring="roc_auc")).fit(X, LABELS)
    detector.fit(X)
    assert watched.loss_curve_ == detector.loss_curve_
    for name, weight in detector.module_.state_dict().items():
        assert torch.equal(watched.module_.state_dict()[name], weight)
    assert_same_detector(watched.set_callbacks(), detector)


# ----------------------------------------------------------------------------------------- stopping


@pytest.mark.parametrize("n_epochs", [1, 3, 4])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_a_callback_may_stop_the_training(detector, n_epochs, early_stopping):
    detector.set_params(early_stopping=early_stopping)
    short = clone(detector).set_params(max_epochs=n_epochs).fit(X)

    stopper = Stopper(n_epochs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is no failure to converge
        detector.set_callbacks(stopper).fit(X)
    assert stopper.events[-3:] == [f"end epoch {n_epochs - 1}", "end fit 0", "teardown"]
    assert detector.n_epochs_ == len(detector.loss_curve_) == n_epochs
    assert_same_detector(detector.set_callbacks(), short)


def test_one_of_several_callbacks_may_stop_the_training(detector):
    recorder = Recorder()
    detector.set_callbacks(Stopper(2), recorder).fit(X)
    assert recorder.events[-3:] == ["end epoch 1", "end fit 0", "teardown"]


# ------------------------------------------------------------------------------------------ failure


@pytest.mark.parametrize("event", ["begin fit 0", "begin epoch 1", "end epoch 1", "end fit 0"])
@pytest.mark.parametrize("is_fitted", [True, False], ids=["fitted", "unfitted"])
def test_a_callback_that_fails_leaves_the_detector_as_it_was(detector, event, is_fitted):
    if is_fitted:
        detector.fit(X)
        scores = detector.score_samples(X)
    saboteur = Saboteur(event)
    detector.set_callbacks(saboteur)
    state = dict(vars(detector))
    with pytest.raises(RuntimeError, match=f"sabotage at {event}"):
        detector.fit(X[:12])
    assert vars(detector) == state
    assert (saboteur.events[0], saboteur.events[-2:]) == ("setup", [event, "teardown"])
    if is_fitted:
        assert_array_equal(detector.score_samples(X), scores)


@pytest.mark.parametrize(
    ("parameters", "unfit", "message"),
    [
        ({}, ["abc"] * 5, "sequence #0 is of type str"),
        ({"output_activation": "tanh"}, X, "only reaches values in"),
        ({"learning_rate": 1e30, "clip_norm": None}, X, "lower learning_rate"),
    ],
    ids=["bad data", "bad parameters", "divergence"],
)
def test_callbacks_are_torn_down_when_a_fit_fails(detector, parameters, unfit, message):
    recorder = Recorder()
    detector.set_params(**parameters).set_callbacks(recorder)
    state = dict(vars(detector))
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        detector.fit(unfit)
    assert (recorder.events[0], recorder.events[-1]) == ("setup", "teardown")
    assert vars(detector) == state


# ------------------------------------------------------------------------------- other scikit-learn


def test_a_fitted_detector_pickles_with_its_callbacks(detector):
    monitor = ScoringMonitor(scoring="roc_auc")
    detector.set_callbacks(monitor).fit(X, LABELS)
    loaded = pickle.loads(pickle.dumps(detector))
    assert_array_equal(loaded.score_samples(X), detector.score_samples(X))

    loaded.fit(X, LABELS)
    [its_monitor] = loaded._skl_callbacks
    assert len(its_monitor.get_logs(select="all")) == 2
    assert len(monitor.get_logs(select="all")) == 1


def test_clones_share_the_callbacks(detector):
    recorder = Recorder()
    clone(detector.set_callbacks(recorder)).fit(X)
    assert recorder.events[-1] == "teardown"


def test_in_a_pipeline_the_epochs_are_subtasks_of_the_last_step(detector):
    def double(X):
        return [2 * x for x in X]

    recorder = Recorder()
    monitor = ScoringMonitor(scoring="roc_auc")
    detector.set_callbacks(recorder, monitor)
    pipeline = make_pipeline(FunctionTransformer(double), detector).fit(X, LABELS)
    fit, *epochs = recorder.contexts
    assert [epoch.parent for epoch in epochs] == [fit] * 4
    assert (fit.estimator_name, fit.parent.estimator_name) == (type(detector).__name__, "Pipeline")
    expected = clone(detector).set_callbacks(monitor).fit(double(X), LABELS)
    in_pipeline, alone = monitor.get_logs(select="all")
    assert [row["roc_auc"] for row in in_pipeline.data] == [row["roc_auc"] for row in alone.data]
    assert_array_equal(pipeline.score_samples(X), expected.score_samples(double(X)))


def test_a_search_monitors_each_fit(detector):
    monitor = ScoringMonitor(scoring="roc_auc")
    detector.set_callbacks(monitor)
    search = GridSearchCV(detector, {"latent_size": [1, 2]}, scoring="roc_auc", cv=2)
    search.fit(X, LABELS)
    rows = {row["task_id_path"]: row for row in monitor.get_logs().data}
    assert [row["task_name"] for row in rows.values()].count("epoch") == 5 * 4
    refit = rows[0, 1]
    assert refit["roc_auc"] == rows[0, 1, 3]["roc_auc"] == search.score(X, LABELS)


# -------------------------------------------------------------------------------------- ProgressBar


@pytest.fixture
def bars(monkeypatch):
    """What each bar was set to, by its description."""
    progress = pytest.importorskip("rich.progress").Progress
    update, steps = progress.update, {}
    monkeypatch.setenv("COLUMNS", "120")  # the width of the screen

    def record(self, task_id, **changes):
        update(self, task_id, **changes)
        [task] = [task for task in self.tasks if task.id == task_id]
        steps.setdefault(task.description.strip(), []).append((task.completed, task.total))

    monkeypatch.setattr(progress, "update", record)
    return steps


def test_the_progress_bar_shows_the_epochs(detector, bars, capsys):
    detector.set_callbacks(ProgressBar()).fit(X)
    shown = capsys.readouterr().out
    assert re.search(r"LSTMAutoencoderDetector - fit .* 100%", shown)
    [steps] = bars.values()
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4), (1, 1)]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_under_a_search_each_fit_has_a_bar_for_its_epochs(detector, bars, capsys, n_jobs):
    search = GridSearchCV(detector, {"latent_size": [1, 2]}, cv=2, n_jobs=n_jobs)
    search.set_callbacks(ProgressBar()).fit(X)
    shown = capsys.readouterr().out
    fits = [
        *(
            f"GridSearchCV - candidate-split-evaluation | LSTMAutoencoderDetector - fit #{i}"
            for i in range(4)
        ),
        "GridSearchCV - refit-with-best-params | LSTMAutoencoderDetector - fit #1",
    ]
    assert [bars[fit] for fit in fits] == [[(1, 4), (2, 4), (3, 4), (4, 4), (1, 1)]] * 5
    assert [fit for fit in fits if fit not in shown] == []
    assert set(re.findall(r"\d+%", shown)) == {"100%"}


def test_in_a_pipeline_the_last_step_has_a_bar(detector, bars):
    make_pipeline("passthrough", detector).set_callbacks(ProgressBar()).fit(X)
    [fit] = [name for name in bars if "LSTMAutoencoderDetector - fit" in name]
    assert fit.startswith("Pipeline - fit-final-estimator | ")
    assert bars[fit] == [(1, 4), (2, 4), (3, 4), (4, 4), (1, 1)]


def test_over_windows_the_detector_inside_has_a_bar(detector, bars):
    windows = SlidingWindowDetector(detector, window_size=8).set_callbacks(ProgressBar())
    windows.fit(np.concatenate(X))
    [fit] = [name for name in bars if "LSTMAutoencoderDetector - fit" in name]
    assert fit.startswith("SlidingWindowDetector - fit detector | ")
    assert bars[fit] == [(1, 4), (2, 4), (3, 4), (4, 4), (1, 1)]
    assert not hasattr(windows.detector_, "_skl_callbacks")


def test_over_windows_a_detector_of_scikit_learn_needs_no_callbacks(bars):
    windows = SlidingWindowDetector(LocalOutlierFactor(novelty=True), window_size=8)
    windows.set_callbacks(ProgressBar()).fit(np.concatenate(X))
    assert list(bars) == ["SlidingWindowDetector - fit"]


def test_without_rich_all_but_the_progress_bar_works(detector, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    with pytest.raises(ImportError, match="requires rich"):
        ProgressBar()
    monitor = ScoringMonitor(scoring="roc_auc")
    detector.set_callbacks(monitor).fit(X, LABELS)
    assert monitor.get_logs().data[0]["roc_auc"] == get_scorer("roc_auc")(detector, X, LABELS)
