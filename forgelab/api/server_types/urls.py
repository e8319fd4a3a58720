from django.urls import path

from forgelab.api.server_types import views

urlpatterns = [
    path("infrastructure/server-types", views.ServerTypeListView.as_view(), name="server-types"),
    path("infrastructure/server-types/<str:key>", views.ServerTypeView.as_view(), name="server-type"),
]
