"""Python runs this first of all where its directory is on PYTHONPATH: another clock for one worker.

It shifts `time.time` and `time.time_ns` as Python code sees them, which is what Celery and predictq
read; the clock of the system, `datetime.now` and those of other processes stay as they are.
"""

import os
import time

SKEW = float(os.environ["PROVE_SKEW"])
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + SKEW
time.time_ns = lambda: _time_ns() + int(SKEW * 1e9)
