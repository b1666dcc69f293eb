# Releases. Written by sitec; do not edit.
resource "helm_release" "sealed-secrets-chart" {
  name       = "sealed-secrets-halden"
  repository = "https://bitnami-labs.github.io/sealed-secrets"
  chart      = "sealed-secrets"
  version    = "2.16.0"
  namespace  = "shared-services"
  set {
    name  = "fullnameOverride"
    value = "sealed-secrets-halden"
  }
  depends_on = [
    kubernetes_namespace_v1.ns_shared_services,
  ]
}

data "kubernetes_secret_v1" "jupyterhub_db_secret" {
  metadata {
    name      = "jhub-halden-db"
    namespace = var.ns-jupyterhub
  }
}

resource "helm_release" "jupyterhub-chart" {
  name       = "jhub-${var.resource-suffix}"
  repository = "https://hub.jupyter.org/helm-chart"
  chart      = "jupyterhub"
  version    = "3.3.7"
  namespace  = var.ns-jupyterhub
  values = [
    file("jhub/values.yaml"),
  ]
  set {
    name  = "hub.db.url"
    value = data.kubernetes_secret_v1.jupyterhub_db_secret.data.dbconnectstring
  }
}
