"""Urls of a prediction. They are paths, because callers may reach us under other host names."""

import msgspec


class Urls(msgspec.Struct, frozen=True):
    """Paths of the prediction's resources. Follow these rather than building paths."""

    result: str
    cancel: str

    @classmethod
    def of(cls, task_id: str) -> "Urls":
        """The urls of a prediction."""
        path = f"/predict/result/{task_id}"
        return cls(result=path, cancel=path)
