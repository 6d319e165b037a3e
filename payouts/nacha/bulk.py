"""Make many values at once without the search for garbage among them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def many_values() -> Iterator[None]:
    """Hold the garbage collector back while the values of a file are made.

    All of them stay, none is in a cycle, and a file's size is bounded: each full search through the process finds
    nothing and takes as long as reading thousands of entries.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
