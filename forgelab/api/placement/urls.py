from django.urls import path

from forgelab.api.placement import views

urlpatterns = [
    path("placement", views.PlacementView.as_view(), name="placement"),
    path("placement/sets", views.SetView.as_view(), name="placement-sets"),
    path("placement/what-if", views.WhatIfView.as_view(), name="placement-what-if"),
]
