from django.urls import path

from forgelab.api.backups import views

urlpatterns = [
    path("infrastructure/servers/<uuid:key>/backup", views.BackUpView.as_view(), name="backup"),
    path("infrastructure/servers/<uuid:key>/backups", views.BackupListView.as_view(), name="backups"),
    path("infrastructure/servers/<uuid:key>/restore", views.RestoreView.as_view(), name="restore"),
]
