"""Words of a plot: axis labels with units, titles from equations, ticks in multiples of pi."""

import math
import re

import numpy as np
from matplotlib.mathtext import MathTextParser
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega".split()
)
_FUNCTIONS = frozenset("sin cos tan sinh cosh tanh exp log ln max min arg".split())
# Steps of an angle's ticks as fractions of pi: the first with four ticks or more is taken.
_PARTS = ((2, 1), (1, 1), (1, 2), (1, 3), (1, 4), (1, 6), (1, 8), (1, 12), (1, 16))
_LONGEST = 44  # letters of an equation on one line of a title
_DIGITS = 9  # decimals, at most, of a value in a legend
SMALL = 8.5  # points; legends, notes and the parameters under an equation


def symbol(name):
    """A parameter's name in mathematical letters, where it has some."""
    if name in _GREEK:
        return rf"$\{name}$"
    return f"${name}$" if len(name) == 1 else name


def axis_label(variable, text=None):
    """The label of a variable or coordinate: what it is, and its units unless it has none."""
    name = variable.attrs.get("long_name", variable.name)
    label = text or (symbol(name) if name == variable.name else name)
    units = variable.attrs.get("units", "1")
    return label if units == "1" else f"{label} ({units})"


def mathtext(equation):
    """An equation of a System in TeX, long ones on several lines; unchanged where that cannot be typeset."""
    lines = [""]
    for part in equation.split(", "):
        if lines[-1] and _width(lines[-1] + part) > _LONGEST:
            lines.append("")
        lines[-1] += f"{part}, "
    text = "\n".join(f"${_typeset(line.strip())}$" for line in lines)
    text = text[:-2] + "$"  # the comma after the last part
    try:
        for line in text.split("\n"):
            MathTextParser("path").parse(line)
    except ValueError:
        return equation.replace("$", r"\$")
    return text


def _width(text):
    """About how many letters a text takes when typeset."""
    return len(re.sub("|".join(sorted(_GREEK, key=len, reverse=True)), "a", text.replace(" ", "")))


def _typeset(text):
    text = re.sub(r"[A-Za-z]{2,}(?:_[A-Za-z0-9]+)+|[A-Za-z]+", _word, text.replace("**", "^"))
    return text.replace("<-", r"\leftarrow ").replace("*", r"\,").replace("+-", r"\pm ")


def _word(match):
    word, before = match.group(), match.string[: match.start()]
    after = match.string[match.end() : match.end() + 2]
    if word in _GREEK or word in _FUNCTIONS:
        return rf"\{word} "
    if len(word) == 1:  # TeX drops spaces: keep that of a product
        return word + r"\," if re.match(r" [A-Za-z(|]", after) else word
    apart = before.endswith(" ") and not re.search(r"[A-Za-z=] $", before)
    left, right = r"\ " if apart else "", r"\ " if after.startswith(" ") else ""
    name = word.replace("_", r"\_")  # a name such as two_loops has no subscript
    return rf"{left}\mathrm{{{name}}}{right}"


def parameter_text(parameters):
    """The parameters "a = 10, b = 28" that are single numbers; empty where there are none."""
    single = {k: v for k, v in parameters.items() if np.ndim(v) == 0 and not isinstance(v, str)}
    return ",  ".join(f"{symbol(k)} = {v:.4g}" for k, v in single.items())


def value_text(one):
    """An exponent with its standard error, both to the error's second digit: 0.9057 +- 0.0012."""
    value, error = float(one.lyapunov_exponent), float(one.lyapunov_exponent_stderr)
    number = rf"\lambda_{{{int(one.mode)}}} = "
    if not np.isfinite(value):
        return rf"${number}-\infty$" if value == -np.inf else f"${number}$ failed"
    if not 10.0**-_DIGITS < error < np.inf:
        return rf"${number}{round(value, _DIGITS) + 0.0:.{_DIGITS}f}$"  # + 0.0: no minus zero
    digits = max(0, 1 - math.floor(math.log10(error)))
    return rf"${number}{value:.{digits}f} \pm {error:.{digits}f}$"


def fixed_parameters(ds):
    """The parameters name -> value that a Dataset's attributes hold, so those not scanned."""
    start = "parameter_"
    return {k[len(start) :]: v for k, v in ds.attrs.items() if k.startswith(start)}


def set_title(ax, equation, *lines, above=0.0):
    """The equation, and small lines under it, `above` points above the axes."""
    pad = 6.0 + above
    for line in reversed([line for line in lines if line]):
        ax.annotate(
            line, (0.5, 1.0), (0, pad), xycoords="axes fraction", textcoords="offset points",
            ha="center", va="bottom", fontsize=SMALL, color="0.25",
        )  # fmt: skip
        pad += 1.45 * SMALL
    ax.set_title(mathtext(equation), pad=pad, fontsize=11)


def angle_ticks(axis, low, high):
    """Ticks in multiples of pi from low to high (radians), if both ends are such multiples."""
    for over, under in _PARTS:
        step = math.pi * over / under
        first, last = low / step, high / step
        whole = max(abs(first - round(first)), abs(last - round(last))) < 1e-6
        if whole and 3 <= round(last) - round(first) <= 8:
            axis.set_major_locator(FixedLocator(step * np.arange(round(first), round(last) + 1)))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(_multiple_of_pi))
            return


def _multiple_of_pi(value, position=None):
    parts = round(48 * value / math.pi)  # 48 = least common multiple of all divisions above
    if parts == 0:
        return "0"
    common = math.gcd(parts, 48)
    over, under = parts // common, 48 // common
    front = "-" if over < 0 else ""
    top = r"\pi" if abs(over) == 1 else rf"{abs(over)}\pi"
    return f"${front}{top}$" if under == 1 else f"${front}{top}/{under}$"
