# What the platform runs. Written by sitec; do not edit.
terraform {
  required_providers {
    helm = {
      source  = "hashicorp/helm"
      version = "~> 2.9"
    }
  }
}

resource "kubernetes_namespace" "kit" {
  metadata {
    name = "kit"
  }
}

resource "helm_release" "kit" {
  name      = "kit"
  namespace = kubernetes_namespace.kit.metadata[0].name
  depends_on = [
    kubernetes_namespace.kit,
  ]
  set {
    name  = "host"
    value = var.host
  }
  set {
    name  = "url"
    value = "https://${var.host}/"
  }
  values = [
    yamlencode({
      replicas       = 2
      "app.kit/tier" = "front"
    }),
  ]
}
