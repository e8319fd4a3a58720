"""The admin of people."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from forgelab.accounts.models import User


@admin.register(User)
class PersonAdmin(UserAdmin):
    list_display = ["username", "email", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser", "groups"]
    search_fields = ["username", "email", "first_name", "last_name"]
