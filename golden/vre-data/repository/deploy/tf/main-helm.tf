# Releases. Written by sitec; do not edit.
data "kubernetes_secret_v1" "rucio_db_secret" {
  metadata {
    name      = "rucio-server-data-rucio-db"
    namespace = var.ns-rucio
  }
}

data "kubernetes_secret_v1" "reana_db_secret" {
  metadata {
    name      = "reana-data-db"
    namespace = var.ns-reana
  }
}

data "kubernetes_secret_v1" "reana_key_secret" {
  metadata {
    name      = "reana-data-key"
    namespace = var.ns-reana
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

resource "helm_release" "reana-chart" {
  name       = "reana-${var.resource-suffix}"
  repository = "https://reanahub.github.io/reana"
  chart      = "reana"
  version    = "0.9.3"
  namespace  = var.ns-reana
  values = [
    file("reana/values.yaml"),
  ]
  set {
    name  = "secrets.database.password"
    value = data.kubernetes_secret_v1.reana_db_secret.data.password
  }
  set {
    name  = "secrets.reana.REANA_SECRET_KEY"
    value = data.kubernetes_secret_v1.reana_key_secret.data.secret_key
  }
}
