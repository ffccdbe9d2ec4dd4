"""The `predictq` command."""

from typing import ClassVar

import click

from cli.lazy import LazyCommand, LazyGroup


class _Commands(LazyGroup):
    lazy_commands: ClassVar = {
        "alerts": LazyCommand(
            "cli.alerts.commands:alerts",
            "List alerts, print their rules, and test notifications.",
        ),
        "audit": LazyCommand(
            "cli.audit.commands:audit",
            "List and verify the audit log of changes and refusals over HTTP.",
        ),
        "backup": LazyCommand(
            "cli.backups.commands:backup",
            "Write all state of a running stack to FILE: Redis's data, models, jobs and keys.",
        ),
        "batch": LazyCommand(
            "cli.batch.commands:batch",
            "Score a CSV, NDJSON or Parquet file of any size on the server.",
        ),
        "console": LazyCommand(
            "cli.console:console",
            "Print an address that signs a browser in to the console, once, within an hour.",
        ),
        "dead-letters": LazyCommand(
            "cli.dead_letters.commands:dead_letters", "List, show, replay and delete dead letters."
        ),
        "deployments": LazyCommand(
            "cli.deployments.commands:deployments",
            "Manage deployments. `predictq models deploy` creates one.",
        ),
        "doctor": LazyCommand(
            "cli.doctor.command:doctor",
            "Check everything that a stack needs, and print what to do.",
        ),
        "keys": LazyCommand(
            "cli.keys.commands:keys", "Create, list, show, rotate and revoke API keys."
        ),
        "logs": LazyCommand(
            "cli.logs.command:logs",
            "Search the logs of all processes by their fields, in order of time.",
        ),
        "metrics": LazyCommand("cli.report.commands:metrics", "Print the figures of a report."),
        "models": LazyCommand("cli.models.commands:models", "Register, list and remove models."),
        "predict": LazyCommand(
            "cli.predict.command:predict",
            "Predict the rows of a file with MODEL (name, name@alias or name:version).",
        ),
        "prove": LazyCommand(
            "cli.prove:prove",
            "Inject faults into a private stack under load, and account for every accepted id.",
        ),
        "report": LazyCommand(
            "cli.report.commands:report",
            "Write what the stack did as one HTML file: load, latencies, versions, drift.",
        ),
        "restore": LazyCommand(
            "cli.backups.commands:restore",
            "Create a home from a backup. Start it with `predictq up --home`.",
        ),
        "restart": LazyCommand(
            "cli.up.restart:restart",
            "Replace the processes of API and workers one by one, without downtime.",
        ),
        "test": LazyCommand(
            "cli.test:run_checks", "Run every check: lint, format, types, import rules, tests."
        ),
        "webhooks": LazyCommand(
            "cli.webhooks.commands:webhooks",
            "Show or rotate the secret that signs webhook events.",
        ),
        "up": LazyCommand(
            "cli.up.command:up", "Start Redis, workers, API and Flower; Ctrl-C stops them."
        ),
        "watch": LazyCommand(
            "cli.alerts.watch:watch",
            "Evaluate the alert rules without Prometheus, and notify the URLs of PREDICTQ_NOTIFY.",
        ),
    }


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="predictq")
def main() -> None:
    """Serve predictions of fitted models over HTTP, through a queue."""


if __name__ == "__main__":
    main()
