from django.urls import path

from forgelab.api.runs import views

urlpatterns = [
    path("runs", views.RunListView.as_view(), name="runs"),
    path("runs/<uuid:key>", views.RunView.as_view(), name="run"),
    path("runs/<uuid:key>/steps", views.StepsView.as_view(), name="steps"),
    path("runs/<uuid:key>/events", views.EventsView.as_view(), name="events"),
    path("runs/<uuid:key>/cancel", views.CancelView.as_view(), name="cancel"),
]
