"""`python -m mentor_sync`, the same as the `mentor-sync` command."""

from mentor_sync.cli import run

if __name__ == "__main__":
    run()
