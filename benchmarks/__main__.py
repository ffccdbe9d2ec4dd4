"""`python -m benchmarks`: single predictions, beside what people build today."""

from benchmarks import backlog, batches, costs, latency, memory, sizes, throughput
from benchmarks.report import HERE
from benchmarks.suite import command

PARTS = {
    "throughput": throughput.run,
    "latency": latency.run,
    "batches": batches.run,
    "backlog": backlog.run,
    "memory": memory.run,
    "models": sizes.run,
    "costs": costs.run,
}

if __name__ == "__main__":
    command(PARTS, HERE)()
