from django.urls import path

from forgelab.api.metrics import views

urlpatterns = [path("devices/<uuid:key>/metrics", views.MetricsView.as_view(), name="metrics")]
