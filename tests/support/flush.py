"""Tests that commit are followed by a flush of all tables, which the audit's triggers would refuse."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.backends.base.operations import BaseDatabaseOperations

from forgelab.accounts import append_only


@pytest.fixture(scope="session", autouse=True)
def the_audit_can_be_flushed() -> Any:
    """Lift the triggers for the flush alone: every test runs with them."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def lifted(self: Any, sql_list: list[str]) -> None:
        append_only.remove(self.connection)
        try:
            flush(self, sql_list)
        finally:
            append_only.install(self.connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", lifted)
        yield
