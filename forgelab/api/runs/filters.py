from __future__ import annotations

import django_filters

from forgelab.api.devices.lookup import DeviceFilter
from forgelab.api.filters import OneOfFilter
from forgelab.runs.models import Run


class RunFilterSet(django_filters.FilterSet):
    status = OneOfFilter(choices=Run.Status.choices)
    device = DeviceFilter()
