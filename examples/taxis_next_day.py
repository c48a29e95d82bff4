"""
==========================================
How many people will take a taxi tomorrow?
==========================================

A regressor reads a week of New York's taxis and predicts the number of passengers on the next day,
and a range that it should lie in. It learns from the first four months. The rest, with three
holidays and a snow storm, serves to judge it.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from skl_lstmae import LSTMRegressor
from skl_lstmae.datasets import load_nyc_taxi

taxi = load_nyc_taxi()
days = taxi.data.reshape(-1, 48)
totals = days.sum(axis=1)

# %%
# Weeks and the days after them
# -----------------------------
# A sequence is a week in steps of four hours; its target is the sum of the next day.

by_four_hours = days.reshape(len(days), 6, 8).sum(axis=2)
ends = np.arange(7, len(days))
X = np.array([by_four_hours[end - 7 : end].reshape(-1, 1) for end in ends])
y = totals[ends]
n_train = 113
print(f"{n_train} weeks of {X.shape[1]} steps to learn from, {len(X) - n_train} to judge by")

# %%
# The next day
# ------------
# The regressor scales targets by itself, and predicts passengers. It is compared with the same day
# of the week before, and with gradient boosting on the week's seven sums.

regressor = LSTMRegressor(loss="absolute_error", random_state=0).fit(X[:n_train], y[:n_train])
predicted = regressor.predict(X[n_train:])
sums = np.array([totals[end - 7 : end] for end in ends])
boosting = HistGradientBoostingRegressor(min_samples_leaf=5, random_state=0)
boosting.fit(sums[:n_train], y[:n_train])
for name, guess in [
    ("the week before", sums[n_train:, 0]),
    ("gradient boosting", boosting.predict(sums[n_train:])),
    ("LSTMRegressor", predicted),
]:
    error = np.abs(guess - y[n_train:]).mean()
    print(f"{name}: wrong by {error:,.0f} of {y[n_train:].mean():,.0f} passengers on average")

# %%
# Between which numbers?
# ----------------------
# With ``loss="pinball"`` it predicts quantiles. Eight days in ten should lie between these two; but
# the holidays are unlike all days of the training part.

low, high = (
    LSTMRegressor(loss="pinball", quantile=quantile, random_state=0)
    .fit(X[:n_train], y[:n_train])
    .predict(X[n_train:])
    for quantile in (0.1, 0.9)
)
inside = np.mean((low <= y[n_train:]) & (y[n_train:] <= high))
print(f"{inside:.0%} of the days lie between the quantiles 0.1 and 0.9")

dates = taxi.timestamps[::48][ends[n_train:]]
fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
ax.fill_between(dates, low, high, alpha=0.3, label="quantiles 0.1 to 0.9")
ax.plot(dates, predicted, label="predicted")
ax.plot(dates, y[n_train:], color="black", linewidth=1, label="counted")
ax.set(ylabel="passengers a day")
ax.tick_params(axis="x", rotation=30)
ax.legend()
plt.show()
