from __future__ import annotations

import django_filters

from forgelab.api.filters import OneOfFilter
from forgelab.devices.models import Device


class DeviceFilterSet(django_filters.FilterSet):
    name = django_filters.CharFilter(help_text="The whole name.")
    status = OneOfFilter(choices=Device.Status.choices)
