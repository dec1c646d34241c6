"""Starts of the local worker without the seconds that importing PyTorch takes: one process imports it and forks.

warm.py serve SOCKET                    imports, then forks a child for each call; ends with its standard input
warm.py SOCKET MODULE [ARGUMENT ...]    what `python -m MODULE` would be: same files, same signals, same exit code
"""

import atexit
import fcntl
import importlib
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

PRELOADED = ("backends.peft_local.worker.running", "backends.peft_local.worker.answering", "transformers.models.llama")


@cache
def warm_for_all():
    """The words after `python` that start a module of the worker; the warm process lives as long as this one."""
    folder = tempfile.TemporaryDirectory(prefix="warm")
    place = f"{folder.name}/calls"
    environment = {"PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, __file__, "serve", place]
    it = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, start_new_session=True)
    atexit.register(lambda: (it.stdin.close(), it.wait(), folder.cleanup()))
    while not Path(place).exists():
        time.sleep(0.01)
    return __file__, place


def serve(place):
    # Not through sys.stdin, whose lock a fork would inherit taken.
    threading.Thread(target=lambda: (os.read(0, 1), os._exit(0)), daemon=True).start()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        for module in PRELOADED:
            importlib.import_module(module)
        while True:
            call, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _attend(call)
            call.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _attend(call):
    """Forks the one that does the work, and says who it is and how it ended."""
    words, numbers, files = _received(call)
    worker = os.fork()
    if worker == 0:
        call.close()
        _become(words, numbers, files)
    for file in files:
        os.close(file)
    call.sendall(f"{worker}\n".encode())
    _, status = os.waitpid(worker, 0)
    with suppress(OSError):
        call.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(words, numbers, files):
    os.setsid()
    spare = [fcntl.fcntl(file, fcntl.F_DUPFD, 200) for file in files]
    for number, file in zip(numbers, spare, strict=True):
        os.dup2(file, number)
    sys.argv = list(words)
    code = 1
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def call(place, words):
    """Hands over all open files of ours, waits, and ends as the worker did."""
    numbers = [number for number in range(64) if _is_open(number)]
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(place)
        told = "\0".join([",".join(map(str, numbers)), *words]).encode()
        socket.send_fds(line, [len(told).to_bytes(4), told], numbers)
        answers = line.makefile()
        worker = int(answers.readline())
        signal.signal(signal.SIGTERM, lambda *_: os.kill(worker, signal.SIGTERM))
        code = int(answers.readline())
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    return code


def _received(call):
    head, files, _, _ = socket.recv_fds(call, 65536, 64)
    length = int.from_bytes(head[:4])
    while len(head) < 4 + length:
        head += call.recv(65536)
    numbers, *words = head[4:].decode().split("\0")
    return words, [int(number) for number in numbers.split(",")], files


def _is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    sys.exit(call(sys.argv[1], sys.argv[2:]))
