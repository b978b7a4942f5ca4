"""`mentor-sync config`: what the environment says."""

from __future__ import annotations

import typer
from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from rich.table import Table

from mentor_sync.cli.output import JsonOption, invocation_of, plain
from mentor_sync.redaction import mask, redact
from mentor_sync.settings import Settings, load_settings

app = typer.Typer(help="Look at the settings.", no_args_is_help=True)


@app.command("show")
def show(context: typer.Context, _json: JsonOption = False) -> None:
    """Show every setting and its value; secrets are masked."""
    invocation = invocation_of(context)
    settings = load_settings()
    values = {
        _variable(field): _shown(getattr(settings, name))
        for name, field in Settings.model_fields.items()
    }
    invocation.answer({"settings": values})
    table = Table(box=None, pad_edge=False)
    table.add_column("variable")
    table.add_column("value", overflow="fold")
    for variable, value in values.items():
        table.add_row(variable, plain(value if value is not None else "not set"))
    invocation.show(table)


@app.callback()
def _noun() -> None:
    """A noun with one verb so far."""


def _variable(field: FieldInfo) -> str:
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else str(alias)


def _shown(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, SecretStr):
        return mask(value.get_secret_value())
    return redact(str(value))
