"""The end state of sql/migrations, as text that a review can read.

python -m tests.schema.dump     writes sql/schema.sql anew
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

import psycopg

from mentor_sync.local.postgres import Cluster
from tests.conftest import Templates

FILE = Path(__file__).parents[2] / "sql" / "schema.sql"
COMMAND = "python -m tests.schema.dump"
MAJOR = "18"  # each version of pg_dump writes a little differently

_HEAD = f"-- What sql/migrations make of an empty project. Made by: {COMMAND}\n\n"
_OPTIONS = ["--schema-only", "--no-owner", "--schema=public", "--schema=private"]
_ENTRY = re.compile(r"^--\n-- Name: (.+); Type: (.+); Schema: .*; Owner: .*\n--\n", re.MULTILINE)
_END = re.compile(r"^--\n-- PostgreSQL database dump complete.*\Z", re.MULTILINE | re.DOTALL)
_NOT_OURS = {"public", "SCHEMA public"}

# Those on auth.users, which pg_dump leaves out with the rest of the schema auth.
_TRIGGERS_ELSEWHERE = """
select pg_get_triggerdef(t.oid)
from pg_trigger as t
join pg_proc as p on p.oid = t.tgfoid
join pg_class as c on c.oid = t.tgrelid
where p.pronamespace = 'private'::regnamespace and not t.tgisinternal
  and c.relnamespace not in ('public'::regnamespace, 'private'::regnamespace)
order by t.tgrelid::regclass::text, t.tgname
"""


def dump(dsn: str, bin_dir: Path) -> str:
    """What is ours in a migrated database."""
    done = subprocess.run(
        [bin_dir / "pg_dump", *_OPTIONS, "--restrict-key=fixed", dsn],
        capture_output=True,
        text=True,
        check=True,
    )
    with psycopg.connect(dsn) as connection:
        triggers = [f"{trigger};" for (trigger,) in connection.execute(_TRIGGERS_ELSEWHERE)]
    return _HEAD + "\n\n".join(_statements(done.stdout) + triggers) + "\n"


def _statements(text: str) -> list[str]:
    """Without what is said of the server, of the schema public and of default privileges."""
    _, *entries = _ENTRY.split(_END.sub("", text))
    parts = zip(entries[::3], entries[1::3], entries[2::3], strict=True)
    return [
        body.strip()
        for name, kind, body in parts
        if name not in _NOT_OURS and kind != "DEFAULT ACL"
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(Path(folder))
        try:
            cluster.init()
            cluster.start()
            database = Templates(cluster).migrated("none")
            FILE.write_text(dump(cluster.dsn("postgres", database), cluster.bin_dir), "utf-8")
        finally:
            cluster.destroy()


if __name__ == "__main__":
    main()
