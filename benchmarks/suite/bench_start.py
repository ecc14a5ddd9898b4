"""What every start pays: importing the package, the command's help, the list of systems."""

import subprocess
import sys


def python(*arguments):
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def time_import():
    python("-c", "import lyapkit")


def time_help():
    python("-m", "lyapkit", "--help")


def time_systems():
    python("-m", "lyapkit", "systems")


def time_first_spectrum():
    """A whole process, kernels in the cache."""
    python("-c", "import lyapkit as lk; lk.lyapunov_spectrum(lk.systems.rotation_map(), duration=100)")
