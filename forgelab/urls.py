"""Every URL: the admin, the API, and the web pages."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("forgelab.api.urls")),
    path("", include("forgelab.web.urls")),
]
