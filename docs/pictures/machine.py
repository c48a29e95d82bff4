"""Events of a simulated machine, and the sensors to blame."""

import numpy as np
import pandas as pd

from skl_lstmae import AnomalyScoreDisplay, SlidingWindowDetector

rng = np.random.default_rng(0)
times = pd.date_range("2025-03-03", periods=12 * 7 * 72, freq="20min", name="time")
day = 2 * np.pi * np.arange(len(times)) / 72
machine = pd.DataFrame(
    {
        "temperature": 60 + 5 * np.sin(day),
        "pressure": 3 + 0.2 * np.sin(day + 1),
        "current": 12 + 2 * (np.sin(day) > 0),
    },
    index=times,
) + rng.normal(0, [0.25, 0.01, 0.1], size=(len(times), 3))
machine.loc["2025-03-20 08:00":"2025-03-20 14:00", "pressure"] = np.nan
machine.loc["2025-05-14 02:00":"2025-05-14 18:00"] = np.nan
machine.loc["2025-05-20 10:00":"2025-05-20 13:00", "current"] += 3

detector = SlidingWindowDetector(random_state=0).fit(machine[:"2025-05-04"])
AnomalyScoreDisplay.from_estimator(detector, machine["2025-05-05":], strip="errors")
