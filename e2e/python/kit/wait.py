"""Waiting for something to become true. Nothing in the suite sleeps for luck."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Nothing that a test waits for takes longer, however busy the machine is.
PATIENCE_S = 60.0
#: Between two looks: far below what a person would notice, far above what a look costs.
PAUSE_S = 0.02


def eventually(look: Callable[[], T], what: str, patience_s: float = PATIENCE_S) -> T:
    """Looks until the answer is truthy, and returns it. `what` says in words what did not happen."""
    deadline = time.monotonic() + patience_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience_s:g} s: {what} (last seen: {found!r})")
        time.sleep(PAUSE_S)
