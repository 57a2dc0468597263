"""Calls run off the loop, and nothing waits for them at the end."""

import asyncio
import gc
import subprocess
import sys
import threading
import weakref

import pytest

from asrd.daemon.threads import Worker, in_thread


def test_calls_are_made_in_order_in_one_thread() -> None:
    async def scenario() -> None:
        worker = Worker("test")
        threads = await asyncio.gather(*(worker.run(lambda n: (n, threading.current_thread()), n) for n in range(5)))
        assert [number for number, _ in threads] == list(range(5))
        assert len({thread for _, thread in threads}) == 1
        worker.close()

    asyncio.run(scenario())


def test_errors_reach_the_caller_and_the_thread_goes_on() -> None:
    async def scenario() -> None:
        worker = Worker("test")
        with pytest.raises(ZeroDivisionError):
            await worker.run(lambda: 1 / 0)
        assert await worker.run(len, "four") == 4
        worker.close(lambda: None)
        assert await in_thread(len, "abc") == 3

    asyncio.run(scenario())


def test_who_waits_behind_a_call_that_does_not_return_is_told() -> None:
    async def scenario() -> None:
        worker, back, left = Worker("test"), threading.Event(), threading.Event()
        waiting = [asyncio.create_task(worker.run(call)) for call in (back.wait, int)]
        await asyncio.sleep(0)
        worker.forsake(left.set)
        for task in waiting:
            with pytest.raises(TimeoutError):
                await task
        assert not left.is_set()
        back.set()
        assert await asyncio.to_thread(left.wait, 10)

    asyncio.run(scenario())


class Held:
    """An object that a call refers to."""


def test_what_a_call_was_about_lives_no_longer_than_the_call() -> None:
    """The worker waits for the next call, perhaps for hours."""

    async def scenario() -> None:
        worker, held, gone = Worker("test"), Held(), threading.Event()
        weakref.finalize(held, gone.set)
        assert await worker.run(type, held) is Held
        del held
        assert await asyncio.to_thread(gone.wait, 10)
        worker.close()

    asyncio.run(scenario())


def test_a_worker_that_nobody_has_any_more_ends() -> None:
    """A stream and its language model, which the worker was a part of, are freed as soon as nobody uses them."""

    async def scenario() -> threading.Thread:
        return await Worker("test").run(threading.current_thread)

    thread = asyncio.run(scenario())
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def test_a_call_that_hangs_does_not_keep_the_program() -> None:
    program = """
import asyncio, threading
from asrd.daemon.threads import in_thread
async def main():
    task = asyncio.create_task(in_thread(threading.Event().wait))
    await asyncio.sleep(0.05)
    task.cancel()
asyncio.run(main())
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=20, check=False).returncode == 0


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit, StopIteration])
async def test_what_would_end_the_loop_is_an_ordinary_error(error: type[BaseException]) -> None:
    """A plugin's sys.exit ends neither the program nor the task that waits for it; the thread goes on."""

    def leave() -> None:
        raise error("licence expired")

    worker = Worker("test")
    with pytest.raises(RuntimeError, match="licence expired"):
        await worker.run(leave)
    assert await worker.run(str, 7) == "7"
    worker.close()
