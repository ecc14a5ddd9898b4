"""The options of a command that argparse does not know: parameters of systems and keywords of verbs."""

import argparse
import inspect

from lyapkit.nearest import nearest

# what a command gives a verb itself
_OF_COMMANDS = {"system", "grid", "store", "overwrite", "workers", "progress", "parameter", "bounds", "verb_keywords"}


class UsageError(ValueError):
    """A mistake in the words of a command."""


def split(parser, argv):
    """The words that argparse knows, and the options --name value that name parameters and keywords."""
    known = _known_options(parser, argv[0] if argv else None)
    words, options, rest = [], {}, iter(argv)
    for word in rest:
        name, equals, value = word.partition("=")
        if not name.startswith("--") or name in known or word == "--":
            words.append(word)
            continue
        if not equals:
            value = next(rest, None)
        if value is None:
            raise UsageError(f"{name}: no value given; accepted: a number, or start:stop:count")
        key = name[2:].replace("-", "_")
        if key in options:
            raise UsageError(f"{name}: given twice, accepted once")
        options[key] = value
    return words, options


def _known_options(parser, command):
    commands = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    actions = [*parser._actions, *getattr(commands.choices.get(command), "_actions", [])]
    return {option for action in actions for option in action.option_strings}


def assign(constructor, verb, options, ranges):
    """Options as (fixed parameters, axes, keywords of the verb); `ranges`: whether axes are accepted."""
    import numpy as np

    parameters = constructor.model.defaults
    keywords = set(inspect.signature(getattr(verb, "plan", verb)).parameters) - _OF_COMMANDS
    fixed, axes, chosen = {}, {}, {}
    for name, text in options.items():
        if name in parameters and ":" in text:
            if not ranges:
                raise UsageError(f"--{name}: given the range {text!r}, accepted: one number")
            axes[name] = np.linspace(*_range(name, text))
        elif name in parameters:
            fixed[name] = _number(name, text)
        elif name in keywords:
            chosen[name] = keyword(name, text)
        else:
            raise UsageError(_unknown(constructor, name, [*parameters, *sorted(keywords)]))
    return fixed, axes, chosen


def _unknown(constructor, name, accepted):
    return (
        f"--{name} is neither a parameter of {constructor.model.name} nor a keyword{nearest(name, accepted)}; "
        f"accepted: {', '.join(accepted)}"
    )


def _range(name, text):
    """start, stop, count of "start:stop:count"."""
    parts = text.split(":")
    if len(parts) != 3:
        raise UsageError(f"--{name}: given {text!r}, accepted: start:stop:count")
    start, stop = _number(name, parts[0]), _number(name, parts[1])
    if not -1e300 < start <= 1e300 or not -1e300 < stop <= 1e300:
        raise UsageError(f"--{name}: given {text!r}, accepted: a range of numbers below 1e300")
    if not parts[2].strip().isdecimal() or not 1 <= int(parts[2]) <= 10**7:
        raise UsageError(f"--{name}: count is {parts[2]!r}, accepted: a whole number from 1 to 1e7")
    if stop < start or (stop == start and int(parts[2]) > 1):
        raise UsageError(f"--{name}: given {text!r}, accepted: a range that runs upwards")
    return start, stop, int(parts[2])


def interval(name, text):
    """low, high of "low:high"."""
    parts = text.split(":")
    if len(parts) != 2:
        raise UsageError(f"{name}: given {text!r}, accepted: low:high")
    return tuple(_number(name, part) for part in parts)


def _number(name, text):
    from lyapkit.systems.symbolic import number

    try:
        return number(text)
    except ValueError as error:
        raise UsageError(f"--{name}: {error}") from None


def keyword(name, text):
    """The value of a verb's keyword: a number, numbers with commas, true or false, or a word."""
    if text.lower() in ("true", "false", "none"):
        return {"true": True, "false": False, "none": None}[text.lower()]
    if "," in text:
        return [_number(name, part) for part in text.split(",")]
    try:
        value = _number(name, text)
    except UsageError:
        if text.isidentifier():
            return text
        raise
    return int(value) if value.is_integer() and name not in ("initial_state",) else value
