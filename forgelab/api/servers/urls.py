from django.urls import path

from forgelab.api.servers import views

urlpatterns = [
    path("infrastructure/servers", views.ServerListView.as_view(), name="servers"),
    path("infrastructure/servers/<uuid:key>", views.ServerView.as_view(), name="server"),
    path("infrastructure/servers/<uuid:key>/credentials", views.CredentialsView.as_view(), name="credentials"),
]
