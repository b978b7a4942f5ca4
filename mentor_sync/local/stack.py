"""The stack of one folder, as `mentor-sync local` starts, stops and shows it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from mentor_sync.errors import LocalStackError
from mentor_sync.local import supervisor
from mentor_sync.local.account import make_folder, server_account
from mentor_sync.local.ports import free_port, is_free
from mentor_sync.local.postgres import SUPERUSER, Cluster
from mentor_sync.local.postgrest import find_postgrest, postgrest_version
from mentor_sync.local.processes import open_log, stop, tail, wait_until
from mentor_sync.local.state import Run, State, exclusive, try_lock
from mentor_sync.local.status import (
    GATEWAY,
    POSTGRES,
    POSTGREST,
    Status,
    gateway_up,
    postgres_up,
    postgrest_up,
    read_status,
    url_of,
)
from mentor_sync.settings import Settings

_UP_SECONDS = 60.0  # recovery after a crash takes its time
_MEND_SECONDS = 20.0  # what a living supervisor gets before it is replaced
_LAUNCH_SECONDS = 10.0
# The supervisor needs longer than it gives each of its parts.
_CLAIM_SECONDS = 60.0
_SUPERVISOR_STEPS = ((signal.SIGTERM, 45.0), (signal.SIGKILL, 5.0))
# Until these many failures in a row a part may still come up: PostgreSQL may have to wait for
# processes of a killed predecessor.
_HOPELESS_FAILURES = {POSTGRES: 8, POSTGREST: 4, GATEWAY: 4}


class Stack:
    """One stack a folder: `settings.local_dir`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = _folder(settings)

    def up(self, db_url: str | None = None) -> Status:
        """Start what is not running, and wait until everything answers.

        Args:
            db_url: run over this PostgreSQL instead of one of our own.

        Raises:
            LocalStackError: something did not come up; carries the end of its log.
            ConfigurationError: a setting or `db_url` is wrong.
        """
        with self._locked():
            self._up(db_url)
        return self.status()

    def down(self) -> None:
        """Stop everything; the data, the keys and the ports stay. Nothing when it is down.

        Raises:
            LocalStackError: a part did not end.
        """
        if not self.folder.is_dir():
            return
        with self._locked():
            self._down()

    def reset(self) -> Status:
        """Delete the data and start afresh, with the same keys and ports.

        Raises:
            LocalStackError: it is up over another PostgreSQL, whose data are not ours.
        """
        with self._locked():
            state = State.load(self.folder)
            if state.db_url is not None:
                raise LocalStackError(
                    "This stack is up over another PostgreSQL, whose data it does not delete.",
                    hint="mentor-sync local down",
                )
            self._down()
            Cluster(self.folder).destroy()
            state.bootstrapped = False
            state.save()
            self._up(None)
        return self.status()

    def status(self) -> Status:
        """What is running now."""
        return read_status(self.folder)

    def environment(self) -> dict[str, str]:
        """The variables with which mentor-sync and Supabase's clients use this stack.

        Raises:
            LocalStackError: it is not up.
        """
        found = running_environment(self._settings)
        if found is None:
            raise LocalStackError(
                f"The local stack of {self.folder} is not up.", hint="mentor-sync local up"
            )
        return found

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One command at a time in a folder: the others wait."""
        try:
            make_folder(self.folder, server_account())
            (self.folder / "lock").touch(mode=0o600)
        except OSError as error:
            raise LocalStackError(
                f"The folder of the local stack cannot be used: {error}",
                hint="Set MENTOR_SYNC_LOCAL_DIR to a folder that can be written to.",
            ) from None
        with exclusive(self.folder / "lock"):
            yield

    def _up(self, db_url: str | None) -> None:
        state, lock = State.load(self.folder), self._claim()
        if lock is None:
            self._refuse_changes(state, db_url)
            if self._comes_up(state, _MEND_SECONDS):
                return
            self._halt()
            lock = self._claim()
        if lock is not None:
            self._start(state, db_url or state.db_url, lock)

    def _start(self, state: State, db_url: str | None, lock: int) -> None:
        try:
            self._sweep()
            self._prepare(state, db_url)
            self._launch(lock)
        finally:
            os.close(lock)
        if not self._comes_up(state, _UP_SECONDS):
            name = self._first_down(state)
            self._down()
            self._give_up(name)

    def _down(self) -> None:
        self._halt()
        state = State.load(self.folder)
        if state.db_url is not None:
            self._leave_foreign(state)
            state.save()

    def _claim(self) -> int | None:
        """The lock of supervisors, for a new one; None when one is there, and stays.

        One that is just starting or stopping is waited for.
        """
        path, claimed = self.folder / "supervisor.lock", []

        def decided() -> bool:
            lock = try_lock(path)
            claimed.append(lock)
            return lock is not None or self._supervised()

        if not wait_until(decided, _CLAIM_SECONDS, pause=0.05):
            raise LocalStackError(
                f"Something holds {path}, and is no supervisor that starts or ends.",
                hint="End that process, then retry: ps -ef | grep mentor_sync.local.supervisor",
            )
        return claimed[-1]

    def _supervised(self) -> bool:
        run = Run.load(self.folder)
        return run is not None and run.alive()

    def _halt(self) -> None:
        """Stop the supervisor and its parts, or parts without a supervisor."""
        lock = self._claim()
        if lock is None:
            self._stop_supervisor()
        else:
            os.close(lock)
        self._sweep()

    def _stop_supervisor(self) -> None:
        run = Run.load(self.folder)
        if run is not None and not stop(run.supervisor, _SUPERVISOR_STEPS):
            raise LocalStackError(f"The supervisor, process {run.supervisor.pid}, does not end.")

    def _refuse_changes(self, state: State, db_url: str | None) -> None:
        fixed = self._settings.local_port
        if db_url is not None and db_url != state.db_url:
            raise LocalStackError(
                "This stack is up already, over another database.", hint="mentor-sync local down"
            )
        if fixed is not None and fixed != state.gateway_port:
            raise LocalStackError(
                f"This stack is up already, on port {state.gateway_port} and not {fixed}.",
                hint="mentor-sync local down",
            )

    def _sweep(self) -> None:
        """End parts that outlived their supervisor."""
        run = Run.load(self.folder)
        for name in (GATEWAY, POSTGREST, POSTGRES):
            part = run.parts.get(name) if run else None
            if part is not None and not stop(part.identity, supervisor.STOP_STEPS[name]):
                raise LocalStackError(f"An old {name} does not end: {part.identity}")
        Cluster(self.folder).stop()
        Run.forget(self.folder)

    def _prepare(self, state: State, db_url: str | None) -> None:
        binary = find_postgrest(self._settings)
        state.postgrest, state.postgrest_version = str(binary), postgrest_version(binary)
        state.gateway_port = self._gateway_port(state.gateway_port)
        taken = {state.gateway_port}
        if db_url is not None:
            self._prepare_foreign(state, db_url)
        else:
            self._prepare_own(state, taken)
        state.postgrest_port = _kept_or_free(state.postgrest_port, taken)
        state.admin_port = _kept_or_free(state.admin_port, taken)
        state.save()

    def _gateway_port(self, remembered: int) -> int:
        fixed = self._settings.local_port
        if fixed is None:
            return _kept_or_free(remembered, set())
        if not is_free(fixed):
            raise LocalStackError(
                f"Port {fixed} is in use (MENTOR_SYNC_LOCAL_PORT).",
                hint="Set another, or none: then a free one is taken.",
            )
        return fixed

    def _prepare_own(self, state: State, taken: set[int]) -> None:
        cluster = Cluster(self.folder)
        if state.bootstrapped and not cluster.initialised:
            raise LocalStackError(
                f"The data of this stack are gone from {cluster.data}.",
                hint="mentor-sync local reset",
            )
        if not state.bootstrapped:
            cluster.destroy()  # what an interrupted first start left
            cluster.init()
        cluster.pick_port(taken)
        taken.add(cluster.port)
        if not state.bootstrapped:
            _bootstrap(cluster)
            state.bootstrapped = True
        state.postgres_version = cluster.version()
        state.postgrest_dsn = cluster.dsn("authenticator")

    def _prepare_foreign(self, state: State, db_url: str) -> None:
        from mentor_sync.local.foreign import prepare

        if state.db_url is not None and state.db_url != db_url:
            self._leave_foreign(state)
        state.postgrest_dsn, state.postgres_version = prepare(
            db_url, state.login_role, state.login_password
        )
        state.db_url = db_url

    def _leave_foreign(self, state: State) -> None:
        from mentor_sync.local.foreign import drop_login

        if state.db_url is not None:
            drop_login(state.db_url, state.login_role)
        state.db_url = None
        state.postgrest_dsn = ""

    def _launch(self, lock: int) -> None:
        output = open_log(self.folder / "supervisor.log")
        try:
            subprocess.run(  # it forks by itself, and this first process ends at once
                [sys.executable, "-m", supervisor.__name__, str(self.folder), str(lock)],
                pass_fds=[lock],
                cwd="/",
                # What this interpreter finds by its working directory, the child shall too.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(map(_absolute, sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        finally:
            os.close(output)
        if not wait_until(self._supervised, _LAUNCH_SECONDS):
            self._give_up("supervisor")

    def _comes_up(self, state: State, seconds: float) -> bool:
        """Wait until everything answers, as long as there is hope."""
        wait_until(lambda: _answers(state) or self._is_hopeless(), seconds)
        return _answers(state)

    def _is_hopeless(self) -> bool:
        run = Run.load(self.folder)
        return run is None or any(
            part.failures >= _HOPELESS_FAILURES[name] for name, part in run.parts.items()
        )

    def _first_down(self, state: State) -> str:
        """The part that keeps the others from coming up."""
        if not postgres_up(state):
            return POSTGRES
        return POSTGREST if not postgrest_up(state) else GATEWAY

    def _give_up(self, name: str) -> NoReturn:
        log = self.folder / f"{name}.log"
        raise LocalStackError(
            f"The local stack's {name} did not come up. Its log ends:\n{tail(log)}",
            hint=f"The whole log: {log}",
        )


def running_environment(settings: Settings) -> dict[str, str] | None:
    """The environment of the stack in `settings.local_dir`; None when it is not up."""
    folder = _folder(settings)
    run = Run.load(folder)
    if run is None or not run.alive() or not State.exists(folder):
        return None
    state = State.load(folder)
    return {
        "SUPABASE_URL": url_of(state),
        "SUPABASE_SECRET_KEY": state.keys.secret_key,
        "SUPABASE_PUBLISHABLE_KEY": state.keys.publishable_key,
        "SUPABASE_JWT_SECRET": state.keys.jwt_secret,
        "SUPABASE_DB_URL": state.db_url or Cluster(folder).dsn(),
    }


def _answers(state: State) -> bool:
    """PostgREST, which is ready only with its database, and the gateway."""
    return postgrest_up(state) and gateway_up(state)


def _bootstrap(cluster: Cluster) -> None:
    from mentor_sync.local.bootstrap import bootstrap

    cluster.start()
    try:
        bootstrap(cluster.dsn(SUPERUSER), "none", passwords=cluster.passwords)
    finally:
        cluster.stop()


def _folder(settings: Settings) -> Path:
    return settings.local_dir.expanduser().absolute()


def _absolute(entry: str) -> str:
    return str(Path(entry).absolute())


def _kept_or_free(port: int, taken: set[int]) -> int:
    """The remembered port while it is free, else another; adds it to `taken`."""
    if not port or port in taken or not is_free(port):
        port = free_port(taken=taken)
    taken.add(port)
    return port
