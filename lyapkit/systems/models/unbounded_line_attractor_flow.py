"""x' = -x + relu(W x), W = [[0, 1], [1, 0]]."""

from lyapkit.systems.models._line_attractor import relu_network
from lyapkit.systems.system import model


@model("flow", "x' = -x + relu(W x), W = [[0, w], [w, 0]]", (0.4, 0.3))
def unbounded_line_attractor_flow(x, w=1.0):
    """A half-line of fixed points: x' = -x + relu(W x), W = [[0, w], [w, 0]], tuned at w = 1.

    Every point of x1 = x2 >= 0 rests; exponents 0 and -2. Sagodi, Martin-Sanchez, Sokol & Park, arXiv:2408.00109
    (2024).

    >>> import lyapkit as lk
    >>> lk.lyapunov_spectrum(lk.systems.unbounded_line_attractor_flow()).lyapunov_exponent.values.round(5)
    array([ 0., -2.])
    """
    return relu_network(x, w, w, 0.0)
