"""What one function writes, another reads, at the same time: nothing of it is held but what is on its way."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import BinaryIO


@contextmanager
def piped(write: Callable[[BinaryIO], None]) -> Iterator[BinaryIO]:
    """Give a stream of what ``write`` writes; it works in a thread of its own until the block ends.

    The two must share nothing that only one thread at a time may use, unless the block leaves it alone.

    Raises:
        BaseException: what ``write`` raised, at the end of the block, unless the block raised first.
    """
    reading, writing = os.pipe()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            # Whoever reads may stop early: its own error says why.
            with suppress(BrokenPipeError), os.fdopen(writing, "wb") as out:
                write(out)
        except BaseException as error:  # noqa: BLE001 (it is raised in the thread that reads)
            failures.append(error)

    thread = Thread(target=work, name="piped")
    with os.fdopen(reading, "rb") as stream:
        thread.start()
        try:
            yield stream
        finally:
            stream.close()
            thread.join()
    if failures:
        raise failures[0]
