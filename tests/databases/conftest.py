"""The servers of these tests are provisioned as those of `tests.servers`."""

from tests.servers.conftest import backed_up, end, provision, server

__all__ = ["backed_up", "end", "provision", "server"]
