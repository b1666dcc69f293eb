# The cluster. The OpenStack provider changes nothing: every change replaces the resource. Written by sitec; do not edit.
provider "openstack" {}

resource "openstack_containerinfra_cluster_v1" "openstack_cluster" {
  name                = "cern-data"
  cluster_template_id = "kubernetes-1.26.7-1"
  keypair             = "cern-data"
  master_count        = 1
  node_count          = 3
}
