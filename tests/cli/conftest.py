from __future__ import annotations

import pytest

from mentor_sync.cli import main
from tests.cli.support import Command, Shown
from tests.unit.support import restored_logs

__all__ = ["restored_logs"]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], restored_logs: None) -> Command:
    """The command, in this process. A traceback is never what it prints."""

    def call(*arguments: str) -> Shown:
        capsys.readouterr()
        code = main(list(arguments))
        shown = Shown(code, *capsys.readouterr())
        assert "--debug" in arguments or "Traceback" not in shown.out + shown.err
        return shown

    return call
