"""Past our gateway: hosted Supabase has a proxy in C where ours is in Python."""

from __future__ import annotations

import httpx
import jwt

from mentor_sync.local.state import State


class ToPostgrest(httpx.HTTPTransport):
    """Replaces the gateway's prefix and key by PostgREST's."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self._port = state.postgrest_port
        self._token = jwt.encode({"role": "service_role"}, state.keys.jwt_secret)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/rest/v1")
        request.url = request.url.copy_with(port=self._port, path=path)
        request.headers["Authorization"] = f"Bearer {self._token}"
        return super().handle_request(request)
