"""What is promised of the demo's processes: seen while they run, ended with all they started."""

import os
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from azmdr.demo import processes as demo_processes
from azmdr.demo.dagster_dev import free_port
from azmdr.demo.processes import DemoError, Processes, command

PATIENCE = 20.0
SLEEP = "import time; time.sleep(300)"
STUBBORN = (
    "import os, signal, sys, time\n"
    "for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)\n"
    "sys.stdout.write('{\"pid\": %d}\\n' % os.getpid()); sys.stdout.flush()\n"
    "time.sleep(300)"
)
WITH_A_STUBBORN_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {STUBBORN!r}])"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path / "logs") as running:
        yield running


def alive(pid: int) -> bool:
    """Whether a process does anything; one that is dead and waits to be buried does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until_dead(pid: int) -> None:
    end = time.monotonic() + PATIENCE
    while alive(pid):
        assert time.monotonic() < end, f"process {pid} lives on"
        time.sleep(0.02)


def wait_until_failed(processes: Processes) -> DemoError:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            processes.check()
        except DemoError as error:
            return error
        time.sleep(0.02)
    raise AssertionError("no failure was seen")


def test_a_process_is_given_its_environment_and_ours_and_answers_with_json(processes: Processes) -> None:
    code = "import json, os; print(json.dumps({os.environ['COLOUR']: 'PATH' in os.environ}))"
    processes.start("painter", python(code), {"COLOUR": "green"})
    assert processes.answer("painter", timeout=PATIENCE) == {"green": True}


def test_the_last_line_is_the_answer(processes: Processes) -> None:
    processes.start("teller", python("print('{\"n\": 1}'); print('{\"n\": 2}')"), {})
    end = time.monotonic() + PATIENCE
    while not processes.ended("teller"):
        assert time.monotonic() < end
    assert processes.answer("teller", timeout=PATIENCE) == {"n": 2}


def test_a_line_that_is_half_written_is_waited_for(processes: Processes) -> None:
    code = (
        "import time\n"
        "for part in ('{\"n\":', ' 1}', '\\n'):\n"
        "    print(part, end='', flush=True)\n"
        "    time.sleep(0.3)"
    )
    processes.start("slow", python(code), {})
    assert processes.answer("slow", timeout=PATIENCE) == {"n": 1}


def test_no_answer_in_time_is_an_error_that_names_the_process_and_its_log(processes: Processes) -> None:
    processes.start("silent", python(SLEEP), {})
    with pytest.raises(DemoError, match=rf"silent did not answer within 1 s; see {processes.log('silent')}"):
        processes.answer("silent", timeout=0.6)


def test_messages_go_to_a_log_of_each_process(processes: Processes) -> None:
    processes.start("one", python("import sys; sys.stderr.write('from one'); print('{}')"), {})
    processes.start("other", python("import sys; sys.stderr.write('from other'); print('{}')"), {})
    for name in ("one", "other"):
        processes.answer(name, timeout=PATIENCE)
        processes.stop(name)
        assert processes.log(name).read_text() == f"from {name}"


def test_a_process_that_fails_is_told_with_its_last_lines_and_its_log(processes: Processes) -> None:
    code = "import sys; [print('line', n, file=sys.stderr) for n in range(50)]; sys.exit(3)"
    processes.start("steady", python(SLEEP), {})
    processes.start("faulty", python(code), {})
    told = str(wait_until_failed(processes))
    assert told.startswith(f"faulty ended with 3; its log is {processes.log('faulty')}\n")
    assert re.findall(r"line (\d+)", told) == [str(number) for number in range(42, 50)]


def test_a_process_that_fails_instead_of_answering_is_told_at_once(processes: Processes) -> None:
    processes.start("faulty", python("raise SystemExit('no storage here')"), {})
    with pytest.raises(DemoError, match="no storage here"):
        processes.answer("faulty", timeout=PATIENCE)


def test_a_process_that_comes_to_its_end_is_no_failure(processes: Processes) -> None:
    processes.start("short", python("print('{}')"), {})
    end = time.monotonic() + PATIENCE
    while not processes.ended("short"):
        assert time.monotonic() < end
        processes.check()
    processes.check()


def test_a_process_is_asked_to_end_before_it_is_made_to(tmp_path: Path) -> None:
    code = (
        "import time\n"
        "try:\n    print('{}', flush=True)\n    time.sleep(300)\n"
        f"except KeyboardInterrupt: open({str(tmp_path / 'tidied')!r}, 'w').close()"
    )
    with Processes(tmp_path / "logs") as processes:
        processes.start("tidy", python(code), {})
        processes.answer("tidy", timeout=PATIENCE)
    assert (tmp_path / "tidied").exists()


def test_ctrl_c_at_the_terminal_reaches_no_process_directly(processes: Processes) -> None:
    processes.start("own session", python("import os, json; print(json.dumps({'group': os.getpgid(0)}))"), {})
    assert processes.answer("own session", timeout=PATIENCE)["group"] != os.getpgid(0)


def start_with_grandchild(processes: Processes, name: str) -> int:
    """Start a process whose child heeds no signal but the last; returns the child."""
    processes.start(name, python(WITH_A_STUBBORN_CHILD), {})
    pid: int = processes.answer(name, timeout=PATIENCE)["pid"]
    assert alive(pid)
    return pid


def fail_with_grandchildren(logs: Path, grandchildren: list[int]) -> None:
    with Processes(logs) as processes:
        grandchildren += [start_with_grandchild(processes, name) for name in ("one", "other")]
        raise DemoError("something else")


def test_all_is_ended_with_what_it_started_also_when_the_demo_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_processes, "PATIENCE", 0.5)
    grandchildren: list[int] = []
    with pytest.raises(DemoError, match="something else"):
        fail_with_grandchildren(tmp_path / "logs", grandchildren)
    assert len(grandchildren) == 2
    for pid in grandchildren:
        wait_until_dead(pid)


def test_what_a_process_left_behind_when_it_ended_is_ended_too(tmp_path: Path) -> None:
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}])"
    with Processes(tmp_path / "logs") as processes:
        processes.start("careless", python(code), {})
        left = processes.answer("careless", timeout=PATIENCE)["pid"]
    wait_until_dead(left)


def test_a_process_that_was_killed_is_a_failure(processes: Processes) -> None:
    code = f"import os; print('{{\"pid\": %d}}' % os.getpid(), flush=True); {SLEEP}"
    processes.start("victim", python(code), {})
    os.kill(processes.answer("victim", timeout=PATIENCE)["pid"], signal.SIGKILL)
    assert "victim ended with -9" in str(wait_until_failed(processes))


def test_a_module_is_run_by_our_own_interpreter() -> None:
    assert command("lab", "azurite") == [sys.executable, "-m", "lab", "azurite"]


def test_a_port_that_is_taken_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(port) <= port + 49
