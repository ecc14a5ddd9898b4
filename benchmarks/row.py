"""One line of the table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What was done, what was measured, the ratio, what is required, and whether that is met."""

    work: str
    measured: str
    ratio: float | None = None
    required: str = ""
    met: bool | None = None


def at_least(work, measured, ratio, bound):
    return Row(work, measured, ratio, f"at least {bound:g}", ratio >= bound)


def at_most(work, measured, ratio, bound):
    return Row(work, measured, ratio, f"at most {bound:g}", ratio <= bound)


def under(work, value, bound, unit, remark=""):
    """A bound on a number with a unit, not on a ratio."""
    return Row(work, f"{value:.2f} {unit}{remark}", None, f"under {bound:g} {unit}", value < bound)


def not_installed(work, peer):
    return Row(work, f"{peer} is not installed")
