"""A pool of threads, one for each core, that ends promptly on Ctrl-C."""

import concurrent.futures
import os


def cores():
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_all(task, starts, workers, monitor):
    """Run the tasks; on Ctrl-C stop the workers at their next step and return the interrupt."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        try:
            for future in [pool.submit(task, start) for start in starts]:
                future.result()
        except KeyboardInterrupt as interrupt:
            monitor.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            return interrupt
        except BaseException:
            monitor.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return None


def run_to_end(task, starts, workers, monitor):
    """Run the tasks; Ctrl-C stops them and is raised."""
    interrupt = run_all(task, starts, workers, monitor)
    if interrupt is not None:
        raise interrupt
