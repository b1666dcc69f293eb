# Variables. Written by sitec; do not edit.
variable "kubeconfig" {
  description = "The file with which the cluster is reached"
  type        = string
  default     = "~/.kube/config"
}

variable "resource-suffix" {
  description = "The suffix that the names of releases carry"
  type        = string
  default     = "cvre"
}

variable "ns-shared-services" {
  description = "The namespace for shared resources"
  type        = string
  default     = "shared-services"
}

variable "ns-rucio" {
  description = "The namespace for Rucio"
  type        = string
  default     = "rucio-vre"
}

variable "ns-reana" {
  description = "The namespace for REANA"
  type        = string
  default     = "reana"
}

variable "ns-jupyterhub" {
  description = "The namespace for JupyterHub"
  type        = string
  default     = "jhub"
}
