"""Progress of long work: a bar with the remaining time on stderr, and the wish to stop."""

import sys
import threading
import time

# Work that ends sooner than this shows no bar.
PATIENCE = 1.0  # seconds


class Stopped(Exception):
    """Work was asked to stop before it was done."""


class Monitor:
    """Collects finished steps from all workers; draws a bar when the work takes long.

    progress: True or False, or None for a bar where stderr is a terminal.
    """

    def __init__(self, total, label, progress=None):
        self._total, self._label = max(total, 1), label
        self._wanted = sys.stderr.isatty() if progress is None else bool(progress)
        self._done, self._lock = 0, threading.Lock()
        self._start, self._bar, self._stop = time.monotonic(), None, threading.Event()

    def add(self, steps):
        """Note finished steps; raises Stopped where the work is to end."""
        with self._lock:
            self._done += steps
            if self._wanted:
                self._draw()
        if self._stop.is_set():
            raise Stopped

    def stop(self):
        """Ask the workers to end at their next step."""
        self._stop.set()

    def _draw(self):
        if self._bar is None:
            if time.monotonic() - self._start < PATIENCE:
                return
            self._bar = _make_bar()
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=self._total)
        self._bar.update(self._task, completed=min(self._done, self._total))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.stop()


def _make_bar():
    """A rich progress bar; imported late, as most runs never show one."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
        TextColumn("ETA"), TimeRemainingColumn(),
    )  # fmt: skip
    return Progress(*columns, console=Console(stderr=True), transient=False)
