# The cluster. The OpenStack provider changes nothing: every change replaces the resource. Written by sitec; do not edit.
provider "openstack" {}

resource "openstack_containerinfra_cluster_v1" "openstack_cluster" {
  name                = "cern-vre"
  cluster_template_id = "kubernetes-1.26.7-1"
  keypair             = "cern-vre-keypair"
  master_count        = 3
  node_count          = 4
  lifecycle {
    prevent_destroy = true
  }
}
