"""`python -m benchmarks`: single predictions, compared with common designs."""

from benchmarks.beside import measuring
from benchmarks.harness.report import HERE
from benchmarks.harness.suite import command
from benchmarks.parts import (
    arrow,
    backlog,
    batches,
    costs,
    hundreds,
    kernels,
    latency,
    memory,
    sizes,
    throughput,
    waiting,
)
from benchmarks.summary import show_on_front_page

PARTS = {
    "throughput": throughput.run,
    "latency": latency.run,
    "batches": batches.run,
    "backlog": backlog.run,
    "memory": memory.run,
    "models": sizes.run,
    "costs": costs.run,
    "kernels": kernels.run,
    "hundreds": hundreds.run,
    "waiting": waiting.run,
    "arrow": arrow.run,
    "beside": measuring.run,
}

if __name__ == "__main__":
    command(PARTS, HERE, show_on_front_page)()
