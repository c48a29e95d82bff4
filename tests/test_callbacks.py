"""scikit-learn's callbacks around a fit and its epochs."""

import copy
import inspect
import pickle
import re
import warnings

import numpy as np
import pytest
from conftest import QUICK, exactly, make_ragged
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skl_lstmae import LSTMAutoencoderDetector, LSTMForecastDetector, SlidingWindowDetector
from skl_lstmae._sklearn import CallbackSupportMixin

sklearn_callback = pytest.importorskip(
    "sklearn.callback", reason="scikit-learn has callbacks since version 1.9"
)
ProgressBar, ScoringMonitor = sklearn_callback.ProgressBar, sklearn_callback.ScoringMonitor

# Most fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = make_ragged(24, n_features=1)
LABELS = np.where(np.arange(24) % 6 == 0, -1, 1)

of_both = pytest.mark.parametrize(
    "detector", [LSTMAutoencoderDetector, LSTMForecastDetector], indirect=True
)


@pytest.fixture
def detector(request):
    kind = getattr(request, "param", LSTMAutoencoderDetector)
    return kind(**QUICK, false_alarm_rate=0.1, learning_rate=0.01)


class Watcher:
    """Notes what it is told; stops the training, or fails, at one of the events."""

    def __init__(self, stop_at=None, fail_at=None):
        self.stop_at = stop_at
        self.fail_at = fail_at
        self.events = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.note(f"begin {context.task_name} {context.task_id}")

    def on_fit_task_end(self, estimator, context):
        return self.note(f"end {context.task_name} {context.task_id}")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def note(self, event):
        self.events.append(event)
        if event == self.fail_at:
            raise RuntimeError(f"sabotage at {event}")
        return event == self.stop_at


class Recorder(Watcher):
    """Keeps the data, contexts and fitted detectors that it is shown, too."""

    def __init__(self):
        super().__init__()
        self.data = []
        self.contexts = []
        self.detectors = []

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        super().on_fit_task_begin(estimator, context)
        self.data.append((X, y))
        self.contexts.append(context)

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        super().on_fit_task_end(estimator, context)
        self.data.append((X, y))
        self.detectors.append(fitted_estimator.set_callbacks())


def assert_same_detector(one, other):
    """Compare what two detectors hold and do, partial_fit and pickles included."""
    for name in ("offset_", "n_epochs_", "loss_curve_", "validation_loss_curve_"):
        assert getattr(one, name) == getattr(other, name), name
    assert_array_equal(one.score_samples(X), other.score_samples(X))
    assert_array_equal(pickle.loads(pickle.dumps(one)).predict(X), other.predict(X))
    one, other = (copy.deepcopy(detector).partial_fit(X[:3]) for detector in (one, other))
    assert_array_equal(one.score_samples(X), other.score_samples(X))
    assert one.offset_ == other.offset_


def test_all_that_scikit_learns_mixin_offers_is_passed_on():
    def functions(mixin):
        return {name for name, member in vars(mixin).items() if inspect.isfunction(member)}

    assert functions(CallbackSupportMixin) == functions(sklearn_callback.CallbackSupportMixin)


# ---------------------------------------------------------------------------------------- the tasks


@of_both
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
    watcher = Watcher()
    detector.set_params(early_stopping=True, tol=10.0, n_iter_no_change=2, max_epochs=50)
    assert detector.set_callbacks(watcher).fit(X).n_epochs_ == 3
    assert watcher.events[-3:] == ["end epoch 2", "end fit 0", "teardown"]


SETTINGS = {
    "defaults": {},
    "early_stopping=True": {"early_stopping": True},
    "contamination=0.1": {"contamination": 0.1, "scorer": "mahalanobis"},
    "warm_start=True": {"warm_start": True},
    "random_state": {"scorer": "error", "random_state": np.random.RandomState(3)},
}


@of_both
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
    for epoch, shown in enumerate(recorder.detectors[:4]):
        stopped = clones.pop().set_callbacks(Watcher(stop_at=f"end epoch {epoch}")).fit(X)
        assert_same_detector(shown, stopped.set_callbacks())
    assert_same_detector(recorder.detectors[4], stopped)


def test_no_detector_is_made_for_callbacks_that_ask_for_none(detector, monkeypatch):
    monkeypatch.setattr(LSTMAutoencoderDetector, "_attributes_after", None)
    detector.set_callbacks(Watcher()).fit(X)
    with pytest.raises(TypeError):
        detector.set_callbacks(Recorder()).fit(X)


def test_partial_fit_has_no_tasks(detector):
    watcher = Watcher()
    detector.set_callbacks(watcher).partial_fit(X).partial_fit(X)
    assert watcher.events == []


class Logger(Watcher):
    """Reads the history that goes on while the detector is fitted."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            history = estimator.history_
            self.lines.append((history.n_epochs, history.loss_curve[-1]))


@of_both
def test_a_logger_reads_the_history_as_it_grows(detector):
    logger = Logger()
    detector.set_callbacks(logger).fit(X)
    assert logger.lines == list(enumerate(detector.loss_curve_, start=1))
    assert len(logger.lines) == 4


# ----------------------------------------------------------------------------------- ScoringMonitor


@of_both
def test_the_monitor_records_the_scores_of_the_detectors_that_callbacks_see(detector):
    scoring = {
        "roc_auc": get_scorer("roc_auc"),
        "variance": lambda fitted, X, y: fitted.score(X),
        "offset": lambda fitted, X, y: fitted.offset_,
    }
    monitor, recorder = ScoringMonitor(scoring=scoring), Recorder()
    detector.set_callbacks(monitor, recorder).fit(X, LABELS)
    fit, *epochs = monitor.get_logs().data
    assert [epoch["task_id"] for epoch in epochs] == [0, 1, 2, 3]
    for row, shown in zip([*epochs, fit], recorder.detectors, strict=True):
        assert {name: row[name] for name in scoring} == {
            name: score(shown, X, LABELS) for name, score in scoring.items()
        }
    assert fit["variance"] == detector.score(X)
    assert len({row["variance"] for row in epochs}) > 1


@pytest.mark.parametrize(
    "parameters",
    [{}, {"hidden_size": (4, 4), "dropout": 0.3}, {"decoder": "autoregressive"}],
    ids=str,
)
def test_the_monitor_changes_nothing_in_the_detector(detector, parameters):
    detector.set_params(**parameters)
    watched = clone(detector).set_callbacks(ScoringMonitor(scoring="roc_auc")).fit(X, LABELS)
    assert_same_detector(watched.set_callbacks(), detector.fit(X))


# -------------------------------------------------------------------------------------- stopping


@of_both
@pytest.mark.parametrize("n_epochs", [1, 3, 4])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_one_of_several_callbacks_may_stop_the_training(detector, n_epochs, early_stopping):
    detector.set_params(early_stopping=early_stopping)
    whole = clone(detector).fit(X)
    short = clone(detector).set_params(max_epochs=n_epochs).fit(X)
    stopper, other = Watcher(stop_at=f"end epoch {n_epochs - 1}"), Watcher()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is no failure to converge
        detector.set_callbacks(stopper, other).fit(X)
    assert stopper.events == other.events
    assert stopper.events[-3:] == [f"end epoch {n_epochs - 1}", "end fit 0", "teardown"]
    assert detector.loss_curve_ == whole.loss_curve_[:n_epochs]
    if early_stopping:  # else the rate of a shorter training goes another way
        assert_same_detector(detector.set_callbacks(), short)


# ------------------------------------------------------------------------------------------ failure


@pytest.mark.parametrize("event", ["begin fit 0", "begin epoch 1", "end epoch 1", "end fit 0"])
@pytest.mark.parametrize("is_fitted", [True, False], ids=["fitted", "unfitted"])
def test_a_callback_that_fails_leaves_the_detector_as_it_was(detector, event, is_fitted):
    if is_fitted:
        detector.fit(X)
    saboteur = Watcher(fail_at=event)
    detector.set_callbacks(saboteur)
    state = dict(vars(detector))
    with pytest.raises(RuntimeError, match=exactly(f"sabotage at {event}")):
        detector.fit(X[:12])
    assert vars(detector) == state
    assert (saboteur.events[0], saboteur.events[-2:]) == ("setup", [event, "teardown"])


UNFIT = {
    "sequence #0 of X is of type str": ({}, ["abc"] * 5),
    "only reaches values in": ({"output_activation": "tanh"}, X),
    "lower learning_rate": ({"learning_rate": 1e30, "clip_norm": None}, X),
}


@pytest.mark.parametrize("message", UNFIT)
def test_callbacks_are_torn_down_when_a_fit_fails(detector, message):
    parameters, unfit = UNFIT[message]
    watcher = Watcher()
    detector.set_params(**parameters).set_callbacks(watcher)
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        detector.fit(unfit)
    assert (watcher.events[0], watcher.events[-1]) == ("setup", "teardown")


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


def test_in_a_pipeline_the_epochs_are_subtasks_of_the_last_step(detector):
    def double(X):
        return [2 * x for x in X]

    recorder, monitor = Recorder(), ScoringMonitor(scoring="roc_auc")
    detector.set_callbacks(recorder, monitor)
    make_pipeline(FunctionTransformer(double), detector).fit(X, LABELS)
    fit, *epochs = recorder.contexts
    assert [epoch.parent for epoch in epochs] == [fit] * 4
    assert (fit.estimator_name, fit.parent.estimator_name) == (type(detector).__name__, "Pipeline")
    clone(detector).set_callbacks(monitor).fit(double(X), LABELS)
    in_pipeline, alone = monitor.get_logs(select="all")
    assert [row["roc_auc"] for row in in_pipeline.data] == [row["roc_auc"] for row in alone.data]


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

EPOCHS = [(1, 4), (2, 4), (3, 4), (4, 4), (1, 1)]


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


SURROUNDINGS = {
    "LSTMAutoencoderDetector - fit": lambda detector: detector,
    "Pipeline - fit-final-estimator | LSTMAutoencoderDetector - fit": lambda detector: (
        make_pipeline("passthrough", detector)
    ),
    "SlidingWindowDetector - fit detector | LSTMAutoencoderDetector - fit": lambda detector: (
        SlidingWindowDetector(detector, window_size=8)
    ),
}


@pytest.mark.parametrize("description", SURROUNDINGS)
def test_a_progress_bar_shows_the_epochs(detector, description, bars, capsys):
    estimator = SURROUNDINGS[description](detector).set_callbacks(ProgressBar())
    slides = isinstance(estimator, SlidingWindowDetector)
    estimator.fit(np.concatenate(X) if slides else X)
    [steps] = [steps for bar, steps in bars.items() if bar.startswith(description)]
    assert steps == EPOCHS
    assert re.search(r"LSTMAutoencoderDetector - fit .* 100%", capsys.readouterr().out)
    if slides:
        assert not hasattr(estimator.detector_, "_skl_callbacks")


@of_both
def test_callbacks_of_a_sliding_detector_see_the_epochs_inside(detector):
    logger, own, watcher = Logger(), Logger(), Watcher()
    monitor = ScoringMonitor(scoring="roc_auc")
    series, labels = np.concatenate(X), np.where(np.arange(len(np.concatenate(X))) % 9, 1, -1)
    windows = SlidingWindowDetector(detector.set_callbacks(own), window_size=8)
    windows.set_callbacks(logger, watcher, monitor).fit(series, labels)
    assert logger.lines == own.lines == list(enumerate(windows.detector_.loss_curve_, start=1))
    epochs = [f"{when} epoch {i}" for i in range(4) for when in ("begin", "end")]
    inside = ["begin fit detector 0", *epochs, "end fit detector 0"]
    assert watcher.events == ["setup", "begin fit 0", *inside, "end fit 0", "teardown"]
    assert windows.detector_._skl_callbacks == [own]


class Examiner(Watcher):
    """Lets the fitted detectors that it is shown score sequences."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.events.append(fitted_estimator.score_samples(X))


@of_both
def test_callbacks_of_a_detector_inside_see_it_fitted(detector):
    examiner = Examiner()
    windows = SlidingWindowDetector(detector.set_callbacks(examiner), window_size=8)
    windows.fit(np.concatenate(X))
    *epochs, last = [event for event in examiner.events if isinstance(event, np.ndarray)]
    assert len(epochs) == windows.detector_.n_epochs_
    assert_array_equal(last, windows.detector_.score_samples(X))


def test_a_callback_of_a_sliding_detector_may_stop_the_training_inside(detector):
    windows = SlidingWindowDetector(detector, window_size=8)
    windows.set_callbacks(Watcher(stop_at="end epoch 1")).fit(np.concatenate(X))
    assert windows.detector_.n_epochs_ == 2
    assert not hasattr(windows.detector_, "_skl_callbacks")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_under_a_search_each_fit_has_a_bar_for_its_epochs(detector, bars, capsys, n_jobs):
    search = GridSearchCV(detector, {"latent_size": [1, 2]}, cv=2, n_jobs=n_jobs)
    search.set_callbacks(ProgressBar()).fit(X)
    shown = capsys.readouterr().out
    evaluation = "GridSearchCV - candidate-split-evaluation | LSTMAutoencoderDetector - fit"
    fits = [
        *(f"{evaluation} #{i}" for i in range(4)),
        "GridSearchCV - refit-with-best-params | LSTMAutoencoderDetector - fit #1",
    ]
    assert [bars[fit] for fit in fits] == [EPOCHS] * 5
    assert [fit for fit in fits if fit not in shown] == []
    assert set(re.findall(r"\d+%", shown)) == {"100%"}


def test_over_windows_a_detector_of_scikit_learn_needs_no_callbacks(bars):
    windows = SlidingWindowDetector(LocalOutlierFactor(novelty=True), window_size=8)
    windows.set_callbacks(ProgressBar()).fit(np.concatenate(X))
    assert list(bars) == ["SlidingWindowDetector - fit"]
