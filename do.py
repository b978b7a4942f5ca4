#!/usr/bin/env python3
"""Set up and run everything of this checkout, with Python 3.11+ and nothing else.

    python3 do.py demo     the main job, on a local stack that it starts
    python3 do.py test     the tests
    python3 do.py drills   outages, killed daemons and bad answers, the long ones too
    python3 do.py lint     the linters
    python3 do.py check    both, as CI does

Everything is installed into .venv and .tools of this folder, once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
LOCKS = ROOT / "tests" / "tools"
OLDEST = Path("/usr/lib/postgresql/15/bin")
"""The oldest server that the migrations must build on."""


def call(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command, and end as it ends when it fails."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, check=False)
    if done.returncode:
        sys.exit(done.returncode if done.returncode > 0 else 128 - done.returncode)


def stamp(*files: Path) -> str:
    """What an installation was made from."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def once(mark: Path, made_from: str, install: Callable[[], None]) -> None:
    """Install unless the mark says that it was done from the same files."""
    if mark.exists() and mark.read_text() == made_from:
        return
    install()
    mark.write_text(made_from)


def set_up() -> None:
    """The package and its tools, in .venv."""
    if sys.version_info < (3, 11):  # noqa: UP036  # this file runs before anything checks it
        sys.exit("mentor_sync needs Python 3.11 or later.")
    once(VENV / "installed", stamp(ROOT / "pyproject.toml"), _install_package)


def _install_package() -> None:
    print("Setting up .venv ...", flush=True)  # noqa: T201  # it takes a minute
    # exists() follows the link: a Python that has gone means a new .venv.
    if not (BIN / "python").exists():
        venv.create(VENV, with_pip=True, clear=True, symlinks=os.name != "nt")
    extras = "dev" if shutil.which("npm") else "dev,local-node"
    options = ["--quiet", "--disable-pip-version-check", "--no-input"]
    call(BIN / "python", "-m", "pip", "install", *options, "--editable", f".[{extras}]")


def set_up_tools() -> None:
    """The Supabase CLI, in .tools."""
    locks = [LOCKS / "package.json", LOCKS / "package-lock.json"]
    TOOLS.mkdir(exist_ok=True)
    once(TOOLS / "installed", stamp(*locks), _install_tools)


def _install_tools() -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(LOCKS / name, TOOLS / name)
    call(BIN / "python", "-m", "mentor_sync.local.npm", TOOLS)


def demo(*words: str) -> None:
    call(BIN / "mentor-sync", "demo", *words)


def test(*words: str) -> None:
    """All of them; what must build on older servers also there, where Debian installed one."""
    set_up_tools()
    # One more than CI has cores, because the drills mostly wait.
    pytest = [BIN / "python", "-m", "pytest", "-n", "3", "--dist", "worksteal"]
    if OLDEST.is_dir() and not words:
        os.environ["MENTOR_SYNC_TEST_POSTGRES"] = str(OLDEST)
        call(*pytest, "tests/migrations", "tests/schema/test_catalogue.py")
        del os.environ["MENTOR_SYNC_TEST_POSTGRES"]
    call(*pytest, *words)


def drills(*words: str) -> None:
    call(BIN / "python", "-m", "pytest", "-m", "", "tests/drills", *words)


def lint() -> None:
    call(BIN / "ruff", "format", "--check", "--quiet", ".")
    call(BIN / "ruff", "check", "--quiet", ".")
    call(BIN / "mypy")
    call(BIN / "lint-imports")
    call(BIN / "squawk", *sorted((ROOT / "sql" / "migrations").glob("*.sql")))


def check(*words: str) -> None:
    """Linters first: they are quick."""
    lint()
    test(*words)


TASKS: dict[str, Callable[..., None]] = {
    "demo": demo,
    "test": test,
    "drills": drills,
    "lint": lint,
    "check": check,
}


def main() -> None:
    task, *words = sys.argv[1:] or [""]
    if task not in TASKS:
        sys.exit(__doc__)
    set_up()
    TASKS[task](*words)


if __name__ == "__main__":
    main()
