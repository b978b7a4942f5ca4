"""The package mentor-match, from PyPI, in an environment of its own.

It installs itself as `matching`, as another package does, so it must not come into ours. Run as
a script by that environment's Python, this file reads people as JSON and prints what it took; so
it imports nothing of this project.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = "mentor-match==7.0.1"


class Matched(NamedTuple):
    """Seconds, and the sum of the scores."""

    seconds: float
    total: int


def install(folder: Path) -> Path | None:
    """The Python of a new environment with mentor-match; None where it cannot be installed."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE],
        stdout=sys.stderr,
        check=False,
    )
    return None if done.returncode else python


def matched(python: Path, people: dict[str, Any]) -> Matched:
    """Match in a fresh process."""
    done = subprocess.run(
        [python, __file__], input=json.dumps(people).encode(), stdout=subprocess.PIPE, check=True
    )
    return Matched(*json.loads(done.stdout))


def main() -> None:
    from matching import process
    from matching.mentee import Mentee
    from matching.mentor import Mentor
    from matching.rules.rule import Equivalent

    people = json.load(sys.stdin)
    units = people["units"]
    mentors = [Mentor(**one) for one in people["mentors"]]
    mentees = [Mentee(**one) for one in people["students"]]
    begun = time.process_time()
    rules = [Equivalent(name, {True: worth, False: 0}) for name, worth in units.items()]
    process.process_data(mentors, mentees, [rules])
    seconds = time.process_time() - begun
    total = sum(
        worth
        for mentee in mentees
        for mentor in mentee.mentors
        for name, worth in units.items()
        if getattr(mentee, name) == getattr(mentor, name)
    )
    print(json.dumps([seconds, total]))


if __name__ == "__main__":
    main()
