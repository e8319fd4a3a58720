"""What a device has measured."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.metrics.serializers import MetricsQuerySerializer, SampleSerializer
from forgelab.api.pagination import Pages
from forgelab.api.views import View
from forgelab.devices.metrics import history
from forgelab.devices.models import Device


class SamplePages(Pages):
    page_size = 500
    max_page_size = 2000
    page_size_query_description = "Samples on a page, at most 2000."


class MetricsView(View):
    queryset = Device.objects.all()
    query_serializer_class = MetricsQuerySerializer
    pagination_class = SamplePages
    ordering = "at"

    @extend_schema(
        operation_id="devices_metrics", parameters=[MetricsQuerySerializer], responses=SampleSerializer(many=True)
    )
    def get(self, request: Request, key: UUID) -> Response:
        """What the device has measured, oldest first. A time without samples is one in which nobody asked."""
        rows = history.samples(self.get_object(), **self.parameters())
        return self.get_paginated_response(SampleSerializer(self.paginate_queryset(rows), many=True).data)
