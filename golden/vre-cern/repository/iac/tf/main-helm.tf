# Releases. Written by sitec; do not edit.
resource "helm_release" "sealed-secrets-chart" {
  name       = "sealed-secrets-cvre"
  repository = "https://bitnami-labs.github.io/sealed-secrets"
  chart      = "sealed-secrets"
  version    = "2.7.1"
  namespace  = "shared-services"
  set {
    name  = "fullnameOverride"
    value = "sealed-secrets-cvre"
  }
  depends_on = [
    kubernetes_namespace_v1.ns_shared_services,
  ]
}

data "kubernetes_secret_v1" "rucio_db_secret" {
  metadata {
    name      = "rucio-server-cvre-rucio-db"
    namespace = var.ns-rucio
  }
}

resource "helm_release" "rucio-server-chart" {
  name       = "rucio-server-${var.resource-suffix}"
  repository = "https://rucio.github.io/helm-charts"
  chart      = "rucio-server"
  version    = "1.30.0"
  namespace  = var.ns-rucio
  values = [
    file("rucio/values-server.yaml"),
  ]
  set {
    name  = "config.database.default"
    value = data.kubernetes_secret_v1.rucio_db_secret.data.dbconnectstring
  }
}
