from django.urls import path

from forgelab.api.host_keys import views

urlpatterns = [
    path("devices/host-keys", views.ScanView.as_view(), name="shown-host-keys"),
    path("devices/<uuid:key>/host-keys", views.HostKeysView.as_view(), name="host-keys"),
]
