# Cluster kestrel-press. Written by sitec; do not edit.
terraform {
  required_providers {
    rafay = {
      source  = "RafaySystems/rafay"
      version = ">= 1.1.35"
    }
  }
}

variable "rafay_config" {
  type        = string
  description = "the file with the account at the controller, as rctl writes it"
}

provider "rafay" {
  provider_config_file = var.rafay_config
}

resource "rafay_mks_cluster" "cluster" {
  api_version = "infra.k8smgmt.io/v3"
  kind        = "Cluster"
  metadata = {
    name    = "kestrel-press"
    project = "leeds"
    labels = {
      team = "print"
    }
  }
  spec = {
    type = "mks"
    blueprint = {
      name    = "minimal"
      version = "2.3.0"
    }
    config = {
      kubernetes_version      = "v1.26.9"
      auto_approve_nodes      = false
      high_availability       = false
      dedicated_control_plane = true
      installer_ttl           = 365
      network = {
        cni = {
          name = "Calico"
        }
        pod_subnet     = "10.244.0.0/16"
        service_subnet = "10.96.0.0/12"
      }
      cluster_ssh = {
        username         = "cloud-user"
        port             = "2222"
        private_key_path = "/home/ci/.ssh/press.pem"
      }
      location = "leeds-uk"
      nodes = {
        master1 = {
          hostname         = "master1"
          arch             = "amd64"
          operating_system = "RHEL8.9"
          private_ip       = "10.83.4.11"
          interface        = "ens3"
          roles = [
            "ControlPlane",
          ]
          ssh = {
            ip_address = "10.83.4.11"
          }
        }
        worker1 = {
          hostname         = "worker1"
          arch             = "amd64"
          operating_system = "RHEL8.9"
          private_ip       = "10.83.4.21"
          interface        = "ens3"
          roles = [
            "Worker",
          ]
          ssh = {
            ip_address = "10.83.4.21"
          }
        }
      }
    }
    proxy = {
      enabled                  = true
      http_proxy               = "http://proxy.kestrel.example:8080"
      https_proxy              = "http://proxy.kestrel.example:8443"
      no_proxy                 = "localhost,10.83.4.0/24,10.244.0.0/16,10.96.0.0/12"
      allow_insecure_bootstrap = true
    }
  }
}
