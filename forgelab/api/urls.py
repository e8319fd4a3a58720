"""The paths of the API, below /api/v1/. None ends with a slash."""

from __future__ import annotations

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from forgelab.api.backups import views as backups
from forgelab.api.base import View, nothing_here
from forgelab.api.devices import views as device_changes
from forgelab.api.join_tokens import views as joining
from forgelab.api.metrics import views as metrics
from forgelab.api.placement import views as placement
from forgelab.api.plans import views as lifecycle
from forgelab.api.runs import views as runs
from forgelab.api.servers import views as servers


class SchemaView(View, SpectacularAPIView):
    """The description of this API in OpenAPI 3."""

    permission_classes = View.permission_classes


app_name = "api"
urlpatterns = [
    path("infrastructure/provision", servers.ProvisionView.as_view(), name="provision"),
    path("infrastructure/servers", servers.ServerListView.as_view(), name="servers"),
    path("infrastructure/servers/<uuid:key>", lifecycle.ServerView.as_view(), name="server"),
    path("infrastructure/servers/<uuid:key>/plan", lifecycle.PlanView.as_view(), name="server-plan"),
    path("infrastructure/servers/<uuid:key>/drift", lifecycle.DriftView.as_view(), name="server-drift"),
    path("infrastructure/servers/<uuid:key>/credentials", servers.CredentialsView.as_view(), name="credentials"),
    path("infrastructure/servers/<uuid:key>/backup", backups.BackUpView.as_view(), name="backup"),
    path("infrastructure/servers/<uuid:key>/backups", backups.BackupListView.as_view(), name="backups"),
    path("infrastructure/servers/<uuid:key>/restore", backups.RestoreView.as_view(), name="restore"),
    path("infrastructure/server-types", servers.ServerTypeListView.as_view(), name="server-types"),
    path("infrastructure/server-types/<str:key>", servers.ServerTypeView.as_view(), name="server-type"),
    path("placement", placement.PlacementView.as_view(), name="placement"),
    path("placement/sets", placement.SetView.as_view(), name="placement-sets"),
    path("placement/what-if", placement.WhatIfView.as_view(), name="placement-what-if"),
    path("devices", device_changes.DevicesView.as_view(), name="devices"),
    path("devices/host-keys", device_changes.ShownKeysView.as_view(), name="shown-host-keys"),
    path("devices/join-tokens", joining.JoinTokenListView.as_view(), name="join-tokens"),
    path("devices/join-tokens/<int:key>", joining.JoinTokenView.as_view(), name="join-token"),
    path("devices/<uuid:key>", device_changes.ChangingDeviceView.as_view(), name="device"),
    path("devices/<uuid:key>/host-keys", device_changes.HostKeysView.as_view(), name="host-keys"),
    path("devices/<uuid:key>/metrics", metrics.MetricsView.as_view(), name="metrics"),
    path("devices/<uuid:key>/sleep", metrics.SleepView.as_view(), name="sleep"),
    path("devices/<uuid:key>/refresh", device_changes.RefreshView.as_view(), name="refresh"),
    path("runs", runs.RunListView.as_view(), name="runs"),
    path("runs/<uuid:key>", runs.RunView.as_view(), name="run"),
    path("runs/<uuid:key>/steps", runs.StepsView.as_view(), name="steps"),
    path("runs/<uuid:key>/events", runs.EventsView.as_view(), name="events"),
    path("runs/<uuid:key>/cancel", runs.CancelView.as_view(), name="cancel"),
    path("runs/<uuid:key>/plan", lifecycle.PlanResultView.as_view(), name="plan"),
    path("runs/<uuid:key>/apply", lifecycle.ApplyView.as_view(), name="apply"),
    path("schema", SchemaView.as_view(), name="schema"),
    re_path(r"^(?P<path>.*)$", nothing_here),
]
