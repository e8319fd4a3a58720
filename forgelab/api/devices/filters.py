from __future__ import annotations

import django_filters

from forgelab.api.filters import OneOfFilter
from forgelab.devices.models import Device


class DeviceFilterSet(django_filters.FilterSet):
    status = OneOfFilter(choices=Device.Status.choices)
