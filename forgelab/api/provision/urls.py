from django.urls import path

from forgelab.api.provision import views

urlpatterns = [path("infrastructure/provision", views.ProvisionView.as_view(), name="provision")]
