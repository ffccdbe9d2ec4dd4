"""The `predictq` command: what users type."""

from typing import ClassVar

import click

from cli.lazy import LazyGroup, Place


class _Commands(LazyGroup):
    places: ClassVar = {
        "batch": Place(
            "cli.batch.commands:batch",
            "Have a file scored on the server: CSV, NDJSON or Parquet, of any size.",
        ),
        "dead-letters": Place(
            "cli.dead_letters.commands:dead_letters", "List, show, replay and delete dead letters."
        ),
        "models": Place("cli.models.commands:models", "Register, list and remove models."),
        "predict": Place(
            "cli.predict.command:predict",
            "Predict the rows of a file with MODEL (name, name@alias or name:version).",
        ),
        "prove": Place(
            "cli.prove:prove", "Strike a private stack under load, and account for every id."
        ),
        "restart": Place(
            "cli.restart:restart",
            "Replace the processes of API and worker, one after the other, under load if need be.",
        ),
        "test": Place(
            "cli.test:check", "Run every check: lint, format, types, import rules, tests."
        ),
        "up": Place("cli.up:up", "Start Redis, workers, API and Flower; Ctrl-C ends them."),
    }


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="predictq")
def main() -> None:
    """Asynchronous predictions for scikit-learn models, over Celery and Redis."""


if __name__ == "__main__":
    main()
