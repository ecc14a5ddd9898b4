"""Inputs of systems: an array of samples, or a function of time; written to the call table once a step or stage."""

import functools
import math
import numbers

import numpy as np

from lyapkit.kernels.abi import CALL, field, number
from lyapkit.kernels.jit import Kernel, announce, inline, kernel
from lyapkit.systems.layout import rows_of
from lyapkit.systems.matrices import real_array

# parameters of systems that take an input, and their defaults
INPUT = {"input": None, "input_dt": 1.0, "interpolation": "hold"}


def checked_input(name, value):
    """One of the parameters of an input as it is kept; refuses what is none."""
    if name == "interpolation":
        if value not in ("hold", "linear"):
            raise ValueError(f"interpolation: given {value!r}, accepted: hold, linear")
        return value
    if name == "input_dt":
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < math.inf:
            raise ValueError(f"input_dt: given {value!r}, accepted: a number above 0")
        return float(value)
    if value is None or callable(value):
        return value
    array = real_array(name, value)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"input: given shape {array.shape}, accepted: (time, n_inputs), or a callable u(t)")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        raise ValueError(f"input: {array[tuple(bad[0])]} at index {bad[0].tolist()}, accepted: finite numbers")
    array.setflags(write=False)
    return array


@kernel(CALL)
def no_input(call):
    """The input of a system without one."""


def white_noise(n_inputs, duration, dt, seed=0):
    """Gaussian white noise as an input: samples (time, n_inputs) that are held for `dt` each.

    N(0, 1) / sqrt(dt), so that the integral over a time T has the variance T whatever `dt`, with Stratonovich's limit
    (Wong & Zakai, Ann. Math. Statist. 36 (1965) 1560). The same seed gives the same noise.

    >>> import lyapkit as lk
    >>> lk.white_noise(2, duration=100.0, dt=0.05, seed=1).shape
    (2000, 2)
    """
    for name, value in (("n_inputs", n_inputs), ("duration", duration), ("dt", dt)):
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < math.inf:
            raise ValueError(f"{name}: given {value!r}, accepted: a number above 0")
    samples = math.ceil(duration / dt - 1e-9)
    return np.random.default_rng(seed).standard_normal((samples, n_inputs)) / math.sqrt(dt)


class Drive:
    """The kernel that writes a system's input, and the arrays that it reads."""

    def __init__(self, kernel, count, signal=None, input_dt=1.0, held=False):
        self.kernel, self.count, self.held = kernel, count, held
        self.signal = np.zeros((0, count)) if signal is None else signal
        self.input_dt = input_dt

    @property
    def address(self):
        return self.kernel.address

    @property
    def duration(self):
        """The time that the samples cover; None without samples."""
        if not len(self.signal):
            return None
        return (len(self.signal) - (not self.held)) * self.input_dt

    def rows(self, layout):
        return rows_of(self.count) if layout.spread else self.count

    def sizes(self, layout):
        """Numbers of the call table."""
        if not self.count:
            return {}
        return {
            "inputs": self.rows(layout), "signal_length": len(self.signal), "components": self.count,
            "held": self.held,
        }  # fmt: skip

    def arrays(self, layout, lanes):
        """Arrays of the call table."""
        if not self.count:
            return {}
        signal = np.ascontiguousarray(self.signal)
        return {"u": np.zeros((self.rows(layout), lanes)), "signal": signal, "input_dt": np.array([self.input_dt])}


def drive(system):
    """The drive of a system."""
    given = system.parameters.get("input")
    if given is None:
        return Drive(no_input, 0)
    count = system.model.input_count(system.parameters)
    if callable(given):
        return Drive(_called(given, count), count)
    from lyapkit.kernels.signals import held_input, linear_input

    held = system.parameters["interpolation"] == "hold"
    chosen = held_input if held else linear_input
    return Drive(chosen, count, given, system.parameters["input_dt"], held)


_CALLED = """
def write_input(call):
    u, t, spread = field(call, "u"), field(call, "t"), number(call, "spread")
    for lane in range(1 if spread == 1 else t.shape[0]):
        value = function(t[lane])
        for i in range(count):
            write(u, i, lane, {entry}, spread)
"""


@functools.cache
def _called(function, count):
    """The kernel of an input that is a function of time, compiled by numba as it is."""
    from lyapkit.kernels.signals import write

    announce("input")
    sample = np.asarray(function(0.0), dtype=float)
    if sample.shape not in ((count,), ()) or (sample.shape == () and count != 1):
        raise ValueError(f"input: u(0) has shape {sample.shape}, accepted: ({count},), one number for each input")
    compiled = function if hasattr(function, "py_func") else inline(function)
    space = {"field": field, "number": number, "write": write, "function": compiled, "count": count}
    exec(_CALLED.format(entry="value[i]" if sample.shape else "value"), space)  # our own text
    dispatcher = inline(space["write_input"])
    try:
        dispatcher.compile(CALL)
    except Exception as error:
        first = next((line for line in str(error).splitlines() if line.strip()), "")
        raise ValueError(f"input: the function does not compile ({first}); accepted: numbers and math.*") from None
    return Kernel(dispatcher, CALL)
