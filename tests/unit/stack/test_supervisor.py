"""The supervisor with real processes: dead ones are restarted, stopped ones are gone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from stack.guard import Guard, follow_supervisor
from stack.process import ROOT, Process, Program
from stack.supervisor import SHUTDOWN_SECONDS, StartFailed, Stopped, Supervisor

TEST_TIMEOUT = 30.0

PRELUDE = """
import os, signal, subprocess, sys, time
name, notes = sys.argv[1:]
def note(word):
    with open(notes, "a") as file:
        file.write(word + "\\n")
def leave(*_):
    note(name + "-left")
    sys.exit()
signal.signal(signal.SIGTERM, leave)
note(f"{name}:{os.getpid()}")
"""
STAY = "time.sleep(600)"
STUBBORN = f"signal.signal(signal.SIGTERM, signal.SIG_IGN); note('deaf'); {STAY}"
PARENT = f"""
child = subprocess.Popen([sys.executable, "-c", "import time; {STAY}"])
note(f"child:{{child.pid}}")
{STAY}
"""

FLOOD = """
from workers.pool.output_limit import limit_printing
signal.signal(signal.SIGTERM, signal.SIG_IGN)
limit_printing()
while True:
    os.write(1, b"x" * 10**5)
    os.write(2, b"x" * 10**5)
    time.sleep(0.001)
"""

HOST = """
import sys
from pathlib import Path
from tests.unit.stack.test_supervisor import PARENT, STUBBORN, Bench
bench = Bench(Path(sys.argv[1]))
with bench.supervisor() as supervisor:
    supervisor.start(bench.program("parent", PARENT), bench.program("stubborn", STUBBORN))
    supervisor.watch()
"""

KILLED_HOST = """
import os, signal, sys
from pathlib import Path
from tests.unit.stack.test_supervisor import TEST_TIMEOUT, Bench
bench = Bench(Path(sys.argv[1]))
with bench.supervisor() as supervisor:
    supervisor.start(bench.program("first"))
    supervisor.start(bench.program("second"))
    os.kill(bench.pids("first")[0], signal.SIGKILL)
    supervisor.until(lambda: len(bench.pids("first")) == 2, TEST_TIMEOUT)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def eventually(condition: Callable[[], object]) -> None:
    """Wait for the condition, and fail if it does not hold in time."""
    deadline = time.monotonic() + TEST_TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Bench:
    """A directory where programs leave notes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.told: list[str] = []

    def supervisor(self, shutdown_timeout: float = SHUTDOWN_SECONDS) -> Supervisor:
        return Supervisor(
            self.directory / "logs", self.told.append, shutdown_timeout=shutdown_timeout
        )

    def notes(self) -> list[str]:
        path = self.directory / "notes"
        # Without a last line that is being written.
        return path.read_text().rpartition("\n")[0].split() if path.exists() else []

    def pids(self, name: str = "") -> list[int]:
        """Pids of the processes with that name, or of all, in the order of their starts."""
        pairs = [note.partition(":") for note in self.notes()]
        return [int(pid) for who, _, pid in pairs if pid and name in ("", who)]

    def program(self, name: str, body: str = STAY) -> Program:
        """A program that notes its name and pid, which makes it ready, and then runs the body."""
        command = (sys.executable, "-c", PRELUDE + body, name, str(self.directory / "notes"))
        return Program(name, command, ready=lambda: "ready" if self.pids(name) else None)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    # A child of a program dies of the SIGKILL to its process group, for which its supervisor does
    # not wait: on a busy machine it may end after the supervisor. By itself it would run longer.
    eventually(lambda: not any(alive(pid) for pid in bench.pids()))


@pytest.fixture
def host(bench: Bench) -> Iterator[subprocess.Popen[bytes]]:
    """A supervisor in its own process, with all of its processes running."""
    command = [sys.executable, "-c", HOST, str(bench.directory)]
    with subprocess.Popen(command, cwd=ROOT) as host:
        eventually(lambda: len(bench.pids()) == 3 and "deaf" in bench.notes())
        yield host
        host.kill()


def test_stage_starts_after_the_previous_one_is_ready(bench: Bench) -> None:
    with bench.supervisor() as supervisor:
        supervisor.start(bench.program("first"))
        supervisor.start(bench.program("second"))
    assert bench.told == ["first   ready", "second  ready"]


def test_stages_stop_in_reverse(bench: Bench) -> None:
    with bench.supervisor() as supervisor:
        for name in ("first", "second", "third"):
            supervisor.start(bench.program(name))
    assert bench.notes()[3:] == ["third-left", "second-left", "first-left"]


def test_crashed_program_is_restarted_and_its_last_lines_are_shown(bench: Bench) -> None:
    with bench.supervisor() as supervisor:
        supervisor.start(bench.program("p", f"print('last words', flush=True); {STAY}"))
        log = bench.directory / "logs/p.log"
        supervisor.until(lambda: "last words" in log.read_text(), TEST_TIMEOUT)
        os.kill(bench.pids("p")[0], signal.SIGKILL)
        supervisor.until(lambda: len(bench.pids("p")) == 2, TEST_TIMEOUT)
    assert bench.told[1] == "p died (SIGKILL)\n  | last words\nstarted again in 0.2 s"


def test_supervisor_rotates_a_growing_log(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stack.rotation.MAX_LOG_BYTES", 2**14)
    monkeypatch.setattr("stack.rotation.COPY_BYTES", 2**10)
    chatter = "while True: print('x' * 1000, flush=True); time.sleep(0.001)"
    with bench.supervisor() as supervisor:
        supervisor.start(bench.program("p", chatter))
        logs = bench.directory / "logs"
        supervisor.until((logs / "p.log.2").exists, TEST_TIMEOUT)
    assert (logs / "p.log.2").stat().st_size == 2**14


def test_native_output_is_bounded_until_the_last_process_is_gone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stack.rotation.MAX_LOG_BYTES", 2**14)
    monkeypatch.setattr("stack.rotation.COPY_BYTES", 2**10)
    with bench.supervisor(shutdown_timeout=1.0) as supervisor:
        supervisor.start(bench.program("p", FLOOD))
        logs = bench.directory / "logs"
        supervisor.until((logs / "p.log.3").exists, TEST_TIMEOUT)
    assert sum(log.stat().st_size for log in logs.iterdir()) <= 4 * 2**14


def test_endless_last_line_is_cut_to_its_end(bench: Bench) -> None:
    broken = bench.program("p", "os.write(2, b'x' * 10**6 + b'last words'); sys.exit(3)")
    broken = msgspec.structs.replace(broken, ready=lambda: None)
    with bench.supervisor() as supervisor, pytest.raises(StartFailed) as failed:
        supervisor.start(broken)
    assert str(failed.value).endswith("xlast words")
    assert len(str(failed.value)) < 10_000


def test_crash_loop_slows_down(tmp_path: Path) -> None:
    process = Process(Program("p", (sys.executable, "-c", "")), tmp_path / "log")
    eventually(lambda: not process.running())
    assert [process.postpone() for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert not process.due()


def test_children_of_a_crashed_program_end_with_it(bench: Bench) -> None:
    with bench.supervisor() as supervisor:
        supervisor.start(bench.program("p", PARENT))
        supervisor.until(lambda: bench.pids("child"), TEST_TIMEOUT)
        os.kill(bench.pids("p")[0], signal.SIGKILL)
        supervisor.until(lambda: not alive(bench.pids("child")[0]), TEST_TIMEOUT)


def test_children_of_a_program_that_has_just_ended_end_with_its_next_signal(bench: Bench) -> None:
    program = bench.program("parent", PARENT)
    process = Process(program, bench.directory / "log")
    eventually(lambda: bench.pids("child"))
    os.kill(process.group, signal.SIGKILL)
    eventually(lambda: not alive(process.group))  # ended, but not reaped
    process.terminate()
    eventually(lambda: not alive(bench.pids("child")[0]))
    assert process.code == -signal.SIGKILL


def test_crash_before_ready_fails_the_start(bench: Bench) -> None:
    broken = Program("p", (sys.executable, "-c", "exit('no way')"), ready=lambda: None)
    with bench.supervisor() as supervisor:
        supervisor.start(bench.program("other"))
        with pytest.raises(StartFailed) as failure:
            supervisor.start(broken)
    assert str(failure.value) == "p died (exit code 1)\n  | no way"


def test_slow_start_fails_and_names_the_program(bench: Bench) -> None:
    never = Program("p", bench.program("p").command, ready=lambda: None)
    with bench.supervisor() as supervisor, pytest.raises(StartFailed, match=r"^p is not ready:$"):
        supervisor.start(never, bench.program("other"), within=4)


def test_one_shot_program_is_waited_for(bench: Bench) -> None:
    with bench.supervisor() as supervisor:
        supervisor.run(bench.program("errand", "note('done')"))
        assert bench.notes()[1:] == ["done"]
        with pytest.raises(StartFailed, match=r"^errand died \(exit code 3\)$"):
            supervisor.run(bench.program("errand", "sys.exit(3)"))


def test_one_shot_program_that_takes_too_long_fails_the_start(bench: Bench) -> None:
    with (
        bench.supervisor() as supervisor,
        pytest.raises(StartFailed, match=r"^p took more than 0 s: the machine may be too busy$"),
    ):
        supervisor.run(bench.program("p"), within=0)


def test_signal_ends_the_supervisor(bench: Bench) -> None:
    with bench.supervisor() as supervisor:
        supervisor.start(bench.program("p"))
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped):
            supervisor.watch()


def test_program_that_ignores_sigterm_is_killed_in_time(host: subprocess.Popen[bytes]) -> None:
    host.terminate()
    host.wait(timeout=10 * SHUTDOWN_SECONDS)  # it would never end by itself


def test_second_interrupt_ends_the_supervisor_at_once(
    bench: Bench, host: subprocess.Popen[bytes]
) -> None:
    start = time.monotonic()
    host.send_signal(signal.SIGINT)
    eventually(lambda: "parent-left" in bench.notes())
    host.send_signal(signal.SIGINT)
    host.wait(timeout=10)
    assert time.monotonic() - start < SHUTDOWN_SECONDS / 2


def test_killed_supervisor_leaves_no_process(bench: Bench, host: subprocess.Popen[bytes]) -> None:
    host.kill()
    eventually(lambda: not any(alive(pid) for pid in bench.pids()))


def test_killed_guard_is_replaced(bench: Bench, host: subprocess.Popen[bytes]) -> None:
    def guards() -> set[int]:
        children = {child.pid for child in psutil.Process(host.pid).children()}
        return {pid for pid in children - set(bench.pids()) if alive(pid)}

    (first,) = guards()
    os.kill(first, signal.SIGKILL)
    eventually(lambda: len(guards() - {first}) == 1)
    host.kill()
    eventually(lambda: not any(alive(pid) for pid in bench.pids()))


def test_guard_that_is_replaced_knows_its_groups_from_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its supervisor may be killed before it says anything to the new guard."""
    guard = Guard()
    held = subprocess.Popen(["sleep", "60"], start_new_session=True)
    guard.hold(held.pid, last=False)
    guard._guard.kill()
    guard._guard.wait()
    monkeypatch.setattr(guard, "_send", lambda _: None)
    guard.restart_if_ended()
    guard.close()
    assert held.wait(30) == -signal.SIGTERM


def test_guard_ends_what_was_not_released() -> None:
    assert follow_supervisor(["+1\n", "=2\n", "-1\n", "+3\n"]) == ([3], [2])


def test_guard_ends_the_first_stage_last_though_it_was_restarted(bench: Bench) -> None:
    subprocess.run([sys.executable, "-c", KILLED_HOST, str(bench.directory)], cwd=ROOT, check=False)
    eventually(lambda: not any(alive(pid) for pid in bench.pids()))
    assert bench.notes()[-2:] == ["second-left", "first-left"]
