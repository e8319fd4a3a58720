from django.urls import path

from forgelab.api.plans import views

urlpatterns = [
    path("infrastructure/servers/<uuid:key>/plan", views.PlanView.as_view(), name="server-plan"),
    path("infrastructure/servers/<uuid:key>/drift", views.DriftView.as_view(), name="server-drift"),
    path("runs/<uuid:key>/plan", views.PlanResultView.as_view(), name="plan"),
    path("runs/<uuid:key>/apply", views.ApplyView.as_view(), name="apply"),
]
