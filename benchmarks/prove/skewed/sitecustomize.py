"""Shifts the clock of one worker: Python runs this first if its directory is on PYTHONPATH.

It shifts `time.time` and `time.time_ns` for Python code, which is what Celery and predictq read.
The system clock, `datetime.now` and other processes are not affected.
"""

import os
import time

SKEW = float(os.environ["PROVE_SKEW"])
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + SKEW
time.time_ns = lambda: _time_ns() + int(SKEW * 1e9)
