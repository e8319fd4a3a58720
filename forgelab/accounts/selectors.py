"""Reading the audit: one read model for web, API and command line alike."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from forgelab.accounts.models import AuditEntry


def audit_list(*, actor: str = "", action: str = "", obj: str = "") -> QuerySet[AuditEntry]:
    """Entries, newest first: of an `actor` (as shown, or a user's name, tokens included), of an `action`, and of the
    object with this name or id. Empty means all."""
    entries = AuditEntry.objects.all()
    if actor:
        entries = entries.filter(Q(actor=actor) | Q(user__username=actor))
    if action:
        entries = entries.filter(action=action)
    return entries.filter(Q(object_name=obj) | Q(object_id=obj)) if obj else entries
