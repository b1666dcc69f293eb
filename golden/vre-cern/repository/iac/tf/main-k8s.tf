# Namespaces. The namespace flux-system is made by the bootstrap of Flux. Written by sitec; do not edit.
resource "kubernetes_namespace_v1" "ns_shared_services" {
  metadata {
    name = var.ns-shared-services
  }
}

resource "kubernetes_namespace_v1" "ns_rucio" {
  metadata {
    name = var.ns-rucio
  }
}

resource "kubernetes_namespace_v1" "ns_reana" {
  metadata {
    name = var.ns-reana
  }
}

resource "kubernetes_namespace_v1" "ns_jupyterhub" {
  metadata {
    name = var.ns-jupyterhub
  }
}
