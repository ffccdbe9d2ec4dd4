"""The error that is raised if some rows of a bulk submission were refused."""

from collections.abc import Sequence

from predictq.errors import PredictqError, ProblemError


class BulkError(PredictqError):
    """Some rows were refused; the others were accepted, and will be computed."""

    def __init__(self, answers: Sequence[str | ProblemError]) -> None:
        super().__init__(answers)
        self.ids = [answer if isinstance(answer, str) else None for answer in answers]
        """One for each row that was sent; None if it was refused."""
        self.errors = {
            row: answer for row, answer in enumerate(answers) if isinstance(answer, ProblemError)
        }
        """Index of each refused row, from 0, and why."""
        self.retryable = all(error.retryable for error in self.errors.values())

    def __str__(self) -> str:
        row, error = next(iter(self.errors.items()))
        return f"{len(self.errors)} of {len(self.ids)} rows were refused; row {row + 1}: {error}"
