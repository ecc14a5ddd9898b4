"""python -m lyapkit."""

import sys

from lyapkit.cli import main

sys.exit(main())
