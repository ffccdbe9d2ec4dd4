"""Where a prediction's outcome can be asked for, as paths: callers see us under other names."""

import msgspec


class Urls(msgspec.Struct, frozen=True):
    """Where to go from here, as paths; clients follow these and build none."""

    result: str
    cancel: str

    @classmethod
    def of(cls, task_id: str) -> "Urls":
        """Those of a prediction."""
        path = f"/predict/result/{task_id}"
        return cls(result=path, cancel=path)
