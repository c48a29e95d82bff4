"""
=========================
Days in a panel DataFrame
=========================

Tables often hold many sequences one below the other: machines, patients or, as here, days. Indexed
by (sequence, time), such a table goes into a detector as it is.
"""

import matplotlib.pyplot as plt
import pandas as pd

from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.datasets import load_nyc_taxi

# %%
# A sequence a day
# ----------------
# New York's taxi passengers were counted every half-hour. The first level of the index tells which
# sequence a row belongs to, the second gives the time.

counts = load_nyc_taxi(as_frame=True).data
counts.index = pd.MultiIndex.from_arrays(
    [counts.index.strftime("%Y-%m-%d"), counts.index.hour + counts.index.minute / 60],
    names=["day", "hour"],
)
print(counts.head(3))

# %%
# The oddest days
# ---------------
# The detector learns from all 215 days, and then searches them. ``contamination`` is the share of
# days to flag. There is one score for each sequence, in the order of the table.

detector = LSTMAutoencoderDetector(contamination=0.04, random_state=0).fit(counts)

days = counts.index.unique("day")
scores = pd.Series(detector.score_samples(counts), index=days, name="score")
odd = scores[detector.predict(counts) == -1].sort_values()
print(odd.round(1))

# %%
# When in the day?
# ----------------
# Results with a value for each row come back as pandas objects with the same index, ready to be
# joined to the table.

errors = detector.reconstruction_error(counts, per="timestep")
for day in odd.index[:3]:
    print(f"{day}: most unlike itself at {errors[day].idxmax():.1f} h")

# %%
# So do latents, with one row for each sequence, if the detector is set to return DataFrames.

latents = detector.set_output(transform="pandas").transform(counts)
print(latents.iloc[:2, :3].round(2))

# %%
fig, ax = plt.subplots(layout="constrained")
table = counts["passengers"].unstack("day")
ax.plot(table.drop(columns=odd.index), color="0.8", linewidth=0.5)
for day, style in zip(odd.index[:4], ("-", "--", "-.", ":"), strict=True):
    ax.plot(table[day], style, linewidth=2, label=day)
ax.set(xlabel="Hour", ylabel="Passengers per half-hour", title="The four oddest days")
ax.legend()
plt.show()
