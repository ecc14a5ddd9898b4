"""A slow, obvious oracle of limit cycles in double precision: single shooting with scipy's DOP853 and plain Newton.

It shares no line with the package. cycle_values.json has the same cycles to more than twenty digits.
"""

import numpy as np
from scipy.integrate import solve_ivp


def flow_and_derivative(f, jacobian, x0, duration):
    """State after `duration` and its derivative by the state at the start."""
    n = len(x0)

    def both(t, z):
        return np.concatenate([f(z[:n]), (jacobian(z[:n]) @ z[n:].reshape(n, n)).ravel()])

    start = np.concatenate([x0, np.eye(n).ravel()])
    done = solve_ivp(both, (0.0, duration), start, method="DOP853", rtol=1e-13, atol=1e-15)
    return done.y[:n, -1], done.y[n:, -1].reshape(n, n)


def cycle_by_shooting(f, jacobian, x0, T0, steps=12):
    """The cycle near (x0, T0): state where its last unit is x0[-1], period, monodromy there.

    Unknowns of Newton are the other units and the period. The last correction, relative to the state and to the
    period, is below 1e-11, or RuntimeError.
    """
    x, period, n = np.array(x0, dtype=float), float(T0), len(x0)
    for _ in range(steps):
        end, monodromy = flow_and_derivative(f, jacobian, x, period)
        system = monodromy - np.eye(n)
        system[:, -1] = f(end)
        change = np.linalg.solve(system, x - end)
        if np.linalg.norm(change[:-1]) <= 1e-11 * np.linalg.norm(x) and abs(change[-1]) <= 1e-11 * period:
            return x, period, monodromy
        x[:-1] += change[:-1]
        period += change[-1]
    raise RuntimeError(f"Newton did not converge: last correction {change}")


def phase_gradient(monodromy, velocity):
    """Z with Z . velocity = 1, the left null vector of the monodromy minus 1."""
    n = len(velocity)
    bordered = np.zeros((n + 1, n + 1))
    bordered[:n, :n] = (monodromy - np.eye(n)).T
    bordered[:n, n] = bordered[n, :n] = velocity
    return np.linalg.solve(bordered, np.eye(n + 1)[n])[:n]


def nontrivial_multipliers(monodromy):
    """Eigenvalues by falling size without the one nearest to 1."""
    values = np.linalg.eigvals(monodromy)
    others = np.delete(values, np.argmin(abs(values - 1.0)))
    return others[np.argsort(-abs(others))]
