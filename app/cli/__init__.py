"""The ``centralpay`` command: one module for each group of commands; no SQL and no rules of its own.

What people stop by Ctrl-C while its modules are still being loaded ends without a traceback.
"""

import sys
from types import TracebackType


def _told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell of an error that nobody caught as Python does; of Ctrl-C nothing, it was wanted."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _told
