"""How long a statement may take over the API: what the roles say, as on hosted projects."""

from __future__ import annotations

from tests.project import Api, Project


def test_anon_gets_three_seconds_and_the_daemon_more(project: Project, api: Api) -> None:
    project.run(
        "create function nap() returns text language sql volatile as"
        " $$ select pg_sleep(3.4)::text $$",
        "grant execute on function nap() to anon, service_role",
        "notify pgrst, 'reload schema'",
    )
    daemon = api.request("POST", "rpc/nap", json={})
    while daemon.json() is not None and "PGRST202" in str(daemon.json()):
        daemon = api.request("POST", "rpc/nap", json={})
    anybody = api.request("POST", "rpc/nap", key=api.keys.publishable_key, json={})
    assert daemon.status_code == 200
    assert anybody.json()["code"] == "57014"
