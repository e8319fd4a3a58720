"""Backups as requests ask for them and answers show them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from forgelab.api.serializers import OneOfField, StrictSerializer


class BackupSerializer(serializers.Serializer[Any]):
    """One backup of one database. `damaged` says why it cannot be restored."""

    id = serializers.CharField()
    database = serializers.CharField(help_text="`(accounts)` for the database server's accounts and their rights.")
    engine = serializers.CharField(help_text="postgresql or mysql.")
    version = serializers.CharField(help_text="Of the server that it was made of, such as PostgreSQL 15.4.")
    finished_at = serializers.DateTimeField()
    size_bytes = serializers.IntegerField()
    seconds = serializers.FloatField()
    verified = serializers.BooleanField()
    damaged = serializers.CharField()


class LastBackupSerializer(serializers.Serializer[Any]):
    """The last time that every database was saved and verified."""

    id = serializers.CharField()
    finished_at = serializers.DateTimeField()
    size_bytes = serializers.IntegerField()
    databases = serializers.ListField(child=serializers.CharField())


class BackupsSerializer(serializers.Serializer[Any]):
    """A server's backups, newest first."""

    results = BackupSerializer(many=True)
    last = LastBackupSerializer(allow_null=True)
    timer = serializers.DictField(
        help_text="How the nightly backup went, and when the next is due, in systemd's words."
    )
    read_at = serializers.DateTimeField(allow_null=True, help_text="When the device was last asked.")


class BackUpSerializer(StrictSerializer):
    """Which databases to back up; all of them when left out."""

    databases = serializers.ListField(child=serializers.CharField(max_length=64), default=list)


class RestoreSerializer(StrictSerializer):
    """What to restore. `confirm` is the server's name; what is there now is kept under a dated name."""

    database = serializers.CharField(max_length=64, trim_whitespace=False)
    at = serializers.CharField(default="", allow_blank=True, help_text="Id of the backup; empty for the newest.")
    into = serializers.CharField(
        default="", allow_blank=True, max_length=64, help_text="A new database to restore into, instead of replacing."
    )
    engine = serializers.CharField(default="", allow_blank=True, help_text="postgresql or mysql, where both have it.")
    confirm = serializers.CharField(help_text="The server's name, typed once more.")


class BackupsQuerySerializer(serializers.Serializer[Any]):
    refresh = OneOfField(["true", "false"], required=False, help_text="Ask the device; else what is known.")
