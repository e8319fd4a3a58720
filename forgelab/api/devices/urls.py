from django.urls import path

from forgelab.api.devices import sleep, views

urlpatterns = [
    path("devices", views.DeviceListView.as_view(), name="devices"),
    path("devices/<uuid:key>", views.DeviceView.as_view(), name="device"),
    path("devices/<uuid:key>/refresh", views.RefreshView.as_view(), name="refresh"),
    path("devices/<uuid:key>/sleep", sleep.SleepView.as_view(), name="sleep"),
]
