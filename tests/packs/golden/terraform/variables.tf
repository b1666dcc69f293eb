variable "host" {
  type    = string
  default = "kit.acme.example"
}
