"""The account that PostgreSQL runs as: it refuses to run as root.

For an ordinary user that is the user. Root lends its servers an unprivileged account, which
cannot enter folders that are closed to others (a virtual environment below /root, say). What
it must reach is then put below /var/tmp, in folders that root makes and owns. Permissions of
folders that are not ours stay as they are.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mentor_sync.errors import LocalStackError
from mentor_sync.local.processes import bare_environment

SHARED = Path("/var/tmp")  # noqa: S108  # only names that root makes itself are used below it
_PREFIX = "mentor_sync-"
_NAMES = ("nobody", "daemon")
_CACHE = "__pycache__"  # comes and goes with imports
_UNUSED = shutil.ignore_patterns(_CACHE)


@dataclass(frozen=True)
class Account:
    """Whom a server runs as; `switch` is False when that is who we are."""

    uid: int
    gid: int
    switch: bool

    def popen_options(self) -> dict[str, Any]:
        """What subprocess needs to start something as this account."""
        if not self.switch:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": [], "umask": 0o077}

    def owns(self, path: Path) -> None:
        """Hand a file or folder that we just made to this account."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        return self._succeeds(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)])

    def can_run(self, binary: Path) -> bool:
        """Whether `binary --version` works for this account."""
        return self._succeeds([str(binary), "--version"])

    def _succeeds(self, command: Sequence[str]) -> bool:
        try:
            done = subprocess.run(
                command,
                cwd="/",
                env=bare_environment(),
                capture_output=True,
                check=False,
                **self.popen_options(),
            )
        except OSError:  # the new account may not even execute it
            return False
        return done.returncode == 0


def server_account() -> Account:
    """Whom PostgreSQL is to run as.

    Raises:
        LocalStackError: we are root, and the system has no account to lend.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switch=False)
    for name in _NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, switch=True)
    raise LocalStackError(
        "PostgreSQL refuses to run as root, and this system has no account 'nobody'.",
        hint="Run mentor-sync as an ordinary user.",
    )


def make_folder(path: Path, account: Account) -> None:
    """Make a folder of ours: closed to others, unless the account must pass through it."""
    if not path.exists():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o711 if account.switch else 0o700)


def data_parent(folder: Path, account: Account) -> Path:
    """Where the account can have its data: in the folder, else in one made below /var/tmp."""
    if account.can_enter(folder):
        return folder
    made = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}data-", dir=SHARED))
    made.chmod(0o711)
    return made


def remove_data(data: Path) -> None:
    """Delete a data folder, and the folder below /var/tmp that was made for it."""
    shutil.rmtree(data, ignore_errors=True)
    parent = data.parent
    if parent.parent == SHARED and parent.name.startswith(f"{_PREFIX}data-"):
        shutil.rmtree(parent, ignore_errors=True)


def reachable_copy(trees: Sequence[Path], name: str) -> Path:
    """A folder below /var/tmp with copies of these sibling trees, for accounts to read.

    Made once per name, in a temporary place, and renamed when whole.

    Raises:
        LocalStackError: somebody else made something of that name.
    """
    target = SHARED / f"{_PREFIX}{name}"
    if target.exists() and _is_whole(target, trees):
        return target
    made = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=SHARED))
    try:
        for tree in trees:
            shutil.copytree(tree, made / tree.name, symlinks=True, ignore=_UNUSED)
        made.chmod(0o755)
        _open_to_readers(made)
        return _put_in_place(made, target, trees)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _put_in_place(made: Path, target: Path, trees: Sequence[Path]) -> Path:
    if target.exists() and not _is_whole(target, trees):  # a cleaner of old files was here
        broken = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=SHARED))
        target.rename(broken / "broken")
        shutil.rmtree(broken)
    try:
        made.rename(target)
    except OSError:
        if not _is_whole(target, trees):  # else another process was faster
            raise
    return target


def _is_whole(target: Path, trees: Sequence[Path]) -> bool:
    """Whether the copy is ours and has every file."""
    status = target.lstat()
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    if not ours or status.st_mode & 0o022:
        raise LocalStackError(
            f"{target} was made by somebody else; mentor-sync needs that name.",
            hint=f"Look at it, then remove it: rm -r {target}",
        )
    return all(_files(tree) == _files(target / tree.name) for tree in trees)


def _files(tree: Path) -> set[str]:
    return {
        str((Path(folder) / name).relative_to(tree))
        for folder, _, names in os.walk(tree)
        for name in names
        if Path(folder).name != _CACHE
    }


def _open_to_readers(tree: Path) -> None:
    """Whatever the umask was when the originals were installed."""
    for folder, _, names in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
