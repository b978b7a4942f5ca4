"""The `mentor-sync` command: parses, calls one library function, prints."""

from mentor_sync.cli.app import main, run

__all__ = ["main", "run"]
