"""Papers set by several processes at once, and given in the order in which they are asked for.

Each process has one paper in hand, and a thread here that mostly waits for it; what is set and not yet taken is a few
papers, however many are asked for.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import chain, islice
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Final, Self

from payouts.papers.errors import PrintingStoppedError
from payouts.papers.sender import Sender
from payouts.papers.worker import Paper, set_paper

FEW: Final = 100
"""So many are set sooner than another process starts."""
_AHEAD: Final = 8
"""Papers that are asked for before the first is taken, by each process: a long one makes no other process wait."""
_ROOT: Final = Path(__file__).parents[2]


def set_in_order(
    paper: Paper, sender: Sender, facts: Iterable[bytes], processes: int = 0
) -> Generator[bytes, None, None]:
    """Set papers; close the iterator when not all are taken.

    Args:
        paper: what is set.
        sender: who stands at their head.
        facts: of each paper as JSON, without a line's end; read by the thread that takes the papers.
        processes: how many set them at once; one for each processor when it is not said.

    Raises:
        PrintingStoppedError: a process that sets them ended before its work did.
    """
    waiting = iter(facts)
    first = list(islice(waiting, FEW))
    every = chain(first, waiting)
    processes = processes or os.cpu_count() or 1
    if len(first) < FEW or processes == 1:
        for each in every:
            yield set_paper(paper, each, sender)
        return
    with ExitStack() as stack:
        idle: SimpleQueue[_Press] = SimpleQueue()
        for _ in range(processes):
            idle.put(stack.enter_context(_Press(paper, sender)))
        pool = stack.enter_context(ThreadPoolExecutor(processes))
        stack.callback(pool.shutdown, cancel_futures=True)
        asked: deque[Future[bytes]] = deque()
        for each in every:
            asked.append(pool.submit(_set, idle, each))
            if len(asked) > processes * _AHEAD:
                yield asked.popleft().result()
        while asked:
            yield asked.popleft().result()


def _set(idle: "SimpleQueue[_Press]", facts: bytes) -> bytes:
    press = idle.get()
    try:
        return press.set(facts)
    finally:
        idle.put(press)


class _Press:
    """A process that sets papers one after the other."""

    def __init__(self, paper: Paper, sender: Sender) -> None:
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "payouts.papers.worker", paper.value],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path},
        )
        self._begun = False
        self._head = sender.model_dump_json().encode()

    def set(self, facts: bytes) -> bytes:
        """Have a paper set.

        Raises:
            PrintingStoppedError: the process has ended.
        """
        try:
            if not self._begun:
                self._begun = True
                self._tell(self._head)
            self._tell(facts)
        except BrokenPipeError as error:
            raise self._stopped() from error
        out = _pipe(self._process.stdout)
        length = out.readline()
        content = out.read(int(length)) if length.endswith(b"\n") else b""
        if not content or len(content) != int(length):
            raise self._stopped()
        return content

    def _tell(self, line: bytes) -> None:
        into = _pipe(self._process.stdin)
        into.write(line + b"\n")
        into.flush()

    def _stopped(self) -> PrintingStoppedError:
        """Say why, as far as the process could: the last line of what it complained of."""
        said = _pipe(self._process.stderr).read().decode(errors="replace")
        return PrintingStoppedError(said.strip().rpartition("\n")[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # What a process that is gone was still to be told is lost with it.
        with suppress(BrokenPipeError):
            _pipe(self._process.stdin).close()
        self._process.__exit__(kind, error, traceback)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise TypeError("the process has no pipes")
    return pipe
