"""The web pages' URLs."""

from django.contrib.auth import views as auth
from django.urls import path

from forgelab.web.views import (
    adding,
    backups,
    devices,
    home,
    joining,
    lifecycle,
    placement,
    provision,
    recipes,
    runs,
    servers,
)

urlpatterns = [
    path(
        "login/", auth.LoginView.as_view(template_name="web/login.html", redirect_authenticated_user=True), name="login"
    ),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("", home.home, name="home"),
    path("provision/", provision.types, name="provision"),
    path("provision/<slug:server_type>/", provision.configure, name="provision-configure"),
    path("provision/<slug:server_type>/about/", recipes.about, name="recipe-about"),
    path("provision/<slug:server_type>/device/", provision.device, name="provision-device"),
    path("placement/", placement.plan, name="placement"),
    path("servers/", servers.server_list, name="servers"),
    path("servers/<slug:name>/", servers.detail, name="server"),
    path("servers/<slug:name>/ready/", servers.ready, name="server-ready"),
    path("servers/<slug:name>/credentials/", servers.credentials, name="server-credentials"),
    path("servers/<slug:name>/backup/", backups.create, name="server-backup"),
    path("servers/<slug:name>/backups/refresh/", backups.refresh, name="server-backups-refresh"),
    path("servers/<slug:name>/restore/", backups.restore, name="server-restore"),
    path("servers/<slug:name>/options/", lifecycle.options, name="server-options"),
    path("servers/<slug:name>/repair/", lifecycle.repair, name="server-repair"),
    path("servers/<slug:name>/compare/", lifecycle.compare, name="server-compare"),
    path("servers/<slug:name>/watch/", lifecycle.watch, name="server-watch"),
    path("servers/<slug:name>/decommission/", lifecycle.take_down, name="server-decommission"),
    path("runs/<uuid:run_id>/plan/", lifecycle.plan, name="run-plan"),
    path("devices/", devices.device_list, name="devices"),
    path("add-device/", joining.command, name="device-add"),
    path("add-device/password/", adding.by_password, name="device-add-password"),
    path("add-device/key/", adding.by_key, name="device-add-key"),
    path("add-device/this-machine/", adding.this_machine, name="device-add-local"),
    path("joining/<int:token_id>/", joining.waiting, name="device-joining"),
    path("join/<str:token>", joining.join, name="join"),
    path("devices/<slug:name>/", devices.detail, name="device"),
    path("devices/<slug:name>/refresh/", devices.refresh, name="device-refresh"),
    path("devices/<slug:name>/sleep/", devices.sleep, name="device-sleep"),
    path("devices/<slug:name>/host-keys/", devices.trust, name="device-trust"),
    path("devices/<slug:name>/remove/", devices.remove, name="device-remove"),
    path("runs/", runs.run_list, name="runs"),
    path("runs/<uuid:run_id>/", runs.detail, name="run"),
    path("runs/<uuid:run_id>/cancel/", runs.cancel, name="run-cancel"),
    path("runs/<uuid:run_id>/log/", runs.log, name="run-log"),
    path("runs/<uuid:run_id>/stream/", runs.stream, name="run-stream"),
]
