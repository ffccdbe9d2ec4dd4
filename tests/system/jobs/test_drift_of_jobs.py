"""Rows of batch jobs are counted for drift, by the bulk worker."""

from typing import Any

import numpy as np

from predictq import Client
from registry.baseline import Baseline, BaselineFeature
from registry.store import Registry
from tests.support.stack import LiveStack, until

ROWS = 700


def test_drift_of_a_job_is_shown(live: LiveStack) -> None:
    registry = Registry(live.home)
    manifest = registry.resolve("touchy").manifest
    column = manifest.signature.columns[0].name
    feature = BaselineFeature(column, "column", (0, 0, 100, 0), edges=(0.0, 10.0))
    with registry.writing("touchy") as (directory, _):
        directory.write_baseline("touchy", manifest.version, Baseline(100, (feature,)))
    rows = np.full((ROWS, len(manifest.signature.columns)), 11.0)

    def counted() -> Any:
        # A process that computed rows just before there was a baseline notes none for a while.
        with Client(live.url) as client:
            client.jobs.wait(client.jobs.submit("touchy", rows, output_format="csv").id)
        answer = live.owner.get("/models/touchy/drift").json()
        return answer if answer["rows"] >= ROWS else None

    assert until(counted, "the rows of the job were counted")["status"] == "drifted"
