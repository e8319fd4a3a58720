"""Reads `manifest.yaml`: every part of it checked, every mistake reported with path and line."""
