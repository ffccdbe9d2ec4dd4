"""The servers, each with two processes that compute, as many as predictq has here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.beside.environments import make_environment
from benchmarks.harness.models import Model, Questions
from benchmarks.harness.processes import Processes, free_port
from benchmarks.harness.wire import post
from stack.process import Program
from stack.programs import readiness_check

HERE = Path(__file__).parent
WORKERS = "2"
MLSERVER_PATH = "/v2/models/forest/infer"


class Server(NamedTuple):
    """A server with the model in its processes."""

    port: int
    program: Program
    requests: list[bytes]

    @contextmanager
    def running(self, logs: Path) -> Iterator[None]:
        """Run it in a context."""
        with Processes([self.program], logs) as processes:
            processes.start(self.program.name)
            yield


Make = Callable[[Path, Model, Questions], Server]


def fastapi(directory: Path, model: Model, questions: Questions) -> Server:
    """FastAPI on uvicorn; raises `NotInstallable`, as the others do."""
    python = make_environment(directory / "env", "fastapi", "uvicorn[standard]", "joblib")
    port = free_port()
    where = ("--port", str(port), "--app-dir", str(HERE), "fastapi_server:app")
    command = (str(python), "-m", "uvicorn", "--workers", WORKERS, "--log-level", "warning", *where)
    return _server("FastAPI", command, model, port, "/health", questions.requests("/predict"))


def litserve(directory: Path, model: Model, questions: Questions) -> Server:
    """LitServe, which batches up to 64 requests within a millisecond."""
    python = make_environment(directory / "env", "litserve", "joblib")
    port = free_port()
    command = (str(python), str(HERE / "litserve_server.py"), str(port))
    return _server("LitServe", command, model, port, "/health", questions.requests("/predict"))


def mlserver(directory: Path, model: Model, questions: Questions) -> Server:
    """MLServer with its scikit-learn runtime, which batches in the same way."""
    # MLServer 1.7 relies on an event loop that uvloop no longer makes.
    packages = "mlserver", "mlserver-sklearn", "uvloop<0.22"
    python = make_environment(directory / "env", *packages)
    port, others = free_port(), {"grpc_port": free_port(), "metrics_port": free_port()}
    settings: dict[str, object] = {
        "host": "127.0.0.1",
        "http_port": port,
        "parallel_workers": int(WORKERS),
        "metrics_dir": str(directory / "metrics"),  # else in the present directory
    }
    _write(directory / "settings.json", settings | others)
    described = {"name": "forest", "implementation": "mlserver_sklearn.SKLearnModel"}
    batching = {"max_batch_size": 64, "max_batch_time": 0.001}
    _write(
        directory / "model-settings.json",
        described | batching | {"parameters": {"uri": str(model.path), "version": "1"}},
    )
    command = (str(python.with_name("mlserver")), "start", str(directory))
    requests = [post(MLSERVER_PATH, _tensor(body)) for body in questions.bodies]
    return _server("MLServer", command, model, port, "/v2/models/forest/ready", requests)


def _server(
    name: str,
    command: tuple[str, ...],
    model: Model,
    port: int,
    health: str,
    requests: list[bytes],
) -> Server:
    # The same thread limit as in predictq's worker.
    environment = {"MODEL": str(model.path), "OMP_NUM_THREADS": "1"}
    ready = readiness_check(port, health, "ready")
    return Server(port, Program(name, command, environment, ready), requests)


def _write(path: Path, settings: dict[str, object]) -> None:
    path.write_bytes(msgspec.json.encode(settings))


def _tensor(body: bytes) -> bytes:
    """The body of an inference with the row of one of our own submissions."""
    (row,) = msgspec.json.decode(body)["features"]
    tensor = {"name": "rows", "shape": [1, len(row)], "datatype": "FP64", "data": row}
    return msgspec.json.encode({"inputs": [tensor]})


SERVERS: dict[str, Make] = {"FastAPI": fastapi, "LitServe": litserve, "MLServer": mlserver}
