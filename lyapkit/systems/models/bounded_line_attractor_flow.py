"""x' = -x + relu(W x + b), W = [[0, -1], [-1, 0]], b = (1, 1)."""

from lyapkit.systems.models._line_attractor import relu_network
from lyapkit.systems.system import model


@model("flow", "x' = -x + relu(W x + b), W = [[0, -w], [-w, 0]], b = (1, 1)", (0.4, 0.3))
def bounded_line_attractor_flow(x, w=1.0):
    """A segment of fixed points: x' = -x + relu(W x + b), W = [[0, -w], [-w, 0]], b = (1, 1), tuned at w = 1.

    Every point of x1 + x2 = 1 between the axes rests; exponents 0 and -2. Sagodi, Martin-Sanchez, Sokol & Park,
    arXiv:2408.00109 (2024).

    >>> import lyapkit as lk
    >>> lk.lyapunov_spectrum(lk.systems.bounded_line_attractor_flow()).lyapunov_exponent.values.round(5)
    array([ 0., -2.])
    """
    return relu_network(x, -w, -w, 1.0)
