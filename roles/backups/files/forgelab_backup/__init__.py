# Managed by ForgeLab: changes made here are lost.
"""Backups of a device's databases: written, verified, kept by age, restored. Python's standard library only."""

VERSION = "1.0"
