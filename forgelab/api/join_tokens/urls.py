from django.urls import path

from forgelab.api.join_tokens import views

urlpatterns = [
    path("devices/join-tokens", views.JoinTokenListView.as_view(), name="join-tokens"),
    path("devices/join-tokens/<int:key>", views.JoinTokenView.as_view(), name="join-token"),
]
