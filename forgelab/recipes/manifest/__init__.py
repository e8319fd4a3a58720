"""Reads `manifest.yaml`: every part of it checked, every mistake told with path and line."""
