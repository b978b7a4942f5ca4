"""What of a stack is running now."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mentor_sync.local.ports import HOST, is_answering
from mentor_sync.local.postgres import Cluster
from mentor_sync.local.postgrest import answers_ok
from mentor_sync.local.processes import is_alive
from mentor_sync.local.state import Run, State

POSTGRES, POSTGREST, GATEWAY = "postgres", "postgrest", "gateway"
HEALTH = "/health"


@dataclass(frozen=True)
class PartStatus:
    """One part: whether it answers, and where. A foreign PostgreSQL has no port or pid here."""

    name: str
    up: bool
    port: int | None
    pid: int | None
    version: str
    restarts: int


@dataclass(frozen=True)
class Status:
    """`up` means that every part answers and the supervisor watches over them."""

    up: bool
    folder: str
    url: str | None
    supervisor_pid: int | None
    parts: tuple[PartStatus, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_status(folder: Path) -> Status:
    """The status of the folder's stack; of one that never was, too."""
    if not State.exists(folder):
        return Status(False, str(folder), None, None, ())
    state, run = State.load(folder), Run.load(folder)
    parts = (
        _part(POSTGRES, run, _postgres_port(state), state.postgres_version, postgres_up(state)),
        _part(POSTGREST, run, state.postgrest_port, state.postgrest_version, postgrest_up(state)),
        _part(GATEWAY, run, state.gateway_port, "", gateway_up(state)),
    )
    supervised = run is not None and run.alive()
    return Status(
        up=supervised and all(part.up for part in parts),
        folder=str(folder),
        url=url_of(state),
        supervisor_pid=run.supervisor.pid if run is not None and supervised else None,
        parts=parts,
    )


def url_of(state: State) -> str:
    return f"http://{HOST}:{state.gateway_port}"


def postgres_up(state: State) -> bool:
    if state.db_url is not None:
        return postgrest_up(state)  # which is ready only while it is connected
    port = Cluster(state.folder).port
    return port != 0 and is_answering(port)


def postgrest_up(state: State) -> bool:
    return state.admin_port != 0 and answers_ok(state.admin_port, "/ready")


def gateway_up(state: State) -> bool:
    return state.gateway_port != 0 and answers_ok(state.gateway_port, HEALTH)


def _postgres_port(state: State) -> int | None:
    return None if state.db_url is not None else Cluster(state.folder).port


def _part(name: str, run: Run | None, port: int | None, version: str, up: bool) -> PartStatus:
    noted = run.parts.get(name) if run else None
    identity = noted.identity if noted and is_alive(noted.identity) else None
    return PartStatus(
        name=name,
        up=up,
        port=port or None,
        pid=identity.pid if identity else None,
        version=version,
        restarts=noted.restarts if noted else 0,
    )
