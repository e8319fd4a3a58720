"""The description of this API in OpenAPI 3."""

from __future__ import annotations

from drf_spectacular.views import SpectacularAPIView

from forgelab.api.views import View


class SchemaView(View, SpectacularAPIView):
    """The description of this API in OpenAPI 3."""

    permission_classes = View.permission_classes
    more_parameters = ("format", "lang")
