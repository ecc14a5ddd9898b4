"""Settings of all tests: where the oracle is found; hypothesis draws the same examples in every run."""

import pathlib
import sys

import hypothesis

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # for `import naive`

hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.load_profile("repeatable")
