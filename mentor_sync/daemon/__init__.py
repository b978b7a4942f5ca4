"""The daemon: ticks, workers, health."""
