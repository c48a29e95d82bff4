"""The clock that the sides are timed by."""

import os
from time import perf_counter, process_time

CPU_TIME = "SKL_LSTMAE_CPU_TIME"
"""The environment variable that makes the clock count the processor's time of this process."""

clock = process_time if CPU_TIME in os.environ else perf_counter
