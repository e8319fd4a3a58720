from __future__ import annotations

import django_filters

from forgelab.api.devices.lookup import DeviceFilter
from forgelab.api.filters import OneOfFilter
from forgelab.servers.models import Server


class ServerFilterSet(django_filters.FilterSet):
    name = django_filters.CharFilter(help_text="The whole name.")
    status = OneOfFilter(choices=Server.Status.choices)
    environment = OneOfFilter(choices=Server.Environment.choices)
    device = DeviceFilter()
