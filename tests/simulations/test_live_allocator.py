"""A process that lives for months keeps its memory in one arena, however many threads allocate."""

import subprocess
import sys

import pytest

THREADS = """
import ctypes, sys, threading
from paperdesk.simulations.live.allocator import share_one_arena

libc = ctypes.CDLL(None)
if not hasattr(libc, "malloc_info"):
    sys.exit(3)
if sys.argv[1] == "shared":
    assert share_one_arena()
libc.malloc.restype = ctypes.c_void_p
start = threading.Barrier(8)
def allocate():
    start.wait()
    for _ in range(1000):
        libc.malloc(5000)
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.fopen.restype = ctypes.c_void_p
file = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, ctypes.c_void_p(file))
libc.fclose(ctypes.c_void_p(file))
"""


def test_threads_that_start_after_the_call_share_one_arena(tmp_path):
    arenas = {}
    for how in ("each", "shared"):
        out = tmp_path / how
        done = subprocess.run(
            [sys.executable, "-c", THREADS, how, str(out)], capture_output=True, text=True, check=False
        )
        if done.returncode == 3:
            pytest.skip("the C library is not glibc")
        assert done.returncode == 0, done.stderr
        arenas[how] = out.read_text(encoding="utf-8").count("<heap nr=")
    assert arenas["each"] > 1
    assert arenas["shared"] == 1
