//! What belongs in a cluster: namespaces, volumes, objects, releases with their values, images, secrets.

use std::sync::Arc;

use super::documents::TextLine;
use super::field::item;
use crate::value::{Ports, Str, Value};

item! {
    /// A namespace that a product is installed into. Identity: cluster, name.
    pub struct Namespace {
        cluster: Str,
        name: Str,
        product: Str,
        /// A map of strings; empty for none.
        labels: Value,
        /// The whole object, line by line.
        lines: Vec<Arc<TextLine>>,
    }
}

item! {
    /// A PersistentVolume with its claim. Identity: cluster, name.
    pub struct Volume {
        cluster: Str,
        namespace: Str,
        product: Str,
        storage: Str,
        name: Str,
        claim: Str,
        server: Str,
        path: Str,
        mount_options: Vec<Str>,
        size: Str,
        access: Str,
        class: Str,
    }
}

item! {
    /// Any other object of a cluster. Identity: cluster, namespace, kind, name.
    pub struct Object {
        cluster: Str,
        /// `None` for an object of the whole cluster.
        namespace: Option<Str>,
        api_version: Str,
        kind: Str,
        name: Str,
        product: Str,
        /// Maps of strings; empty for none.
        labels: Value,
        annotations: Value,
        /// Everything beside apiVersion, kind and metadata.
        body: Value,
        /// The whole object, line by line.
        lines: Vec<Arc<TextLine>>,
    }
}

item! {
    /// A label of pods.
    pub struct Label {
        key: Str,
        value: Str,
    }
}

item! {
    /// A port or a range of a rule for pods.
    pub struct PolicyPort {
        /// `TCP`, `UDP`, `SCTP`.
        protocol: Str,
        port: i64,
        /// The last port of a range.
        end: Option<i64>,
    }
}

item! {
    /// What pods may open connections to, or who may open connections to them.
    pub struct PolicyRule {
        /// The other end as the table of flows calls it.
        why: Str,
        /// The labels of pods of the same namespace; empty for addresses.
        labels: Vec<Arc<Label>>,
        /// CIDRs with their prefix length.
        blocks: Vec<Str>,
        ports: Vec<Arc<PolicyPort>>,
    }
}

item! {
    /// A published port of a product, and the ports of the pods that it leads to.
    pub struct PodPort {
        name: Str,
        ports: Vec<Ports>,
    }
}

item! {
    /// A NetworkPolicy. Identity: cluster, namespace, name.
    pub struct NetworkPolicy {
        cluster: Str,
        namespace: Str,
        name: Str,
        /// The product and its component whose pods it selects; unanswered for the one that denies everything but names.
        product: Option<Str>,
        component: Option<Str>,
        /// Empty: every pod of the namespace.
        labels: Vec<Arc<Label>>,
        /// Where the published ports of the product lead.
        pod_ports: Vec<Arc<PodPort>>,
        ingress: Vec<Arc<PolicyRule>>,
        egress: Vec<Arc<PolicyRule>>,
    }
}

item! {
    /// One key of a release's values, or a key that the site has not named yet.
    pub struct HelmValue {
        /// Dotted path, `entrypoint.webHttp`; for an unmapped slot the meaning.
        key: Str,
        value: Value,
        /// The citation or reason, as the comment above the key prints it.
        comment: Str,
        /// What is asked when the key or the value is not known; such an entry is a comment in the file.
        question: Option<Str>,
        /// The secret that holds the value; it is handed over at the installation and is a comment in the file.
        secret: Option<Str>,
        /// The Secret of the cluster that has the value, and the key in it: whoever installs the release takes it from
        /// there, and it is a comment in the file.
        object: Option<Str>,
        object_key: Option<Str>,
    }
}

item! {
    /// One line of a values file, laid out: the nested form of the release's values.
    pub struct ValueLine {
        /// Indentation, two spaces a level.
        pad: Str,
        /// Comment lines that stand above.
        comments: Vec<Str>,
        /// The key; `None` for an item of a list and for a line that is a comment only.
        key: Option<Str>,
        /// Whether the line is an item of a list.
        item: bool,
        /// A scalar; `None` where lines below hold the value.
        value: Value,
        /// An empty list or map, `[]` or `{}`.
        empty: Option<Str>,
    }
}

item! {
    /// A Helm release. Identity: cluster, namespace, name.
    pub struct HelmRelease {
        cluster: Str,
        namespace: Str,
        name: Str,
        product: Str,
        chart: Str,
        /// Who installs it: `helm`, `flux` or `terraform`.
        by: Str,
        /// The file that has the values.
        path: Str,
        /// Where the file is a HelmRelease: everything in it but the values.
        head: Vec<Arc<TextLine>>,
        spec: Value,
        values: Vec<Arc<HelmValue>>,
        /// The values as the lines of the file.
        lines: Vec<Arc<ValueLine>>,
    }
}

item! {
    /// An image that the site needs. Identity: reference.
    pub struct Image {
        product: Str,
        /// Where it comes from, with its tag or without when the tag is not known.
        source: Str,
        /// Where this site pulls it from.
        reference: Str,
        tag: Option<Str>,
        /// `sha256:…`, where the content is pinned.
        digest: Option<Str>,
        /// The architectures that it is made for; empty where nobody says.
        architectures: Vec<Str>,
        /// The hosts that may run it.
        nodes: Vec<Str>,
        /// The source with its tag; empty while that is not known.
        from: Str,
        /// The reference with its tag; empty while that is not known.
        to: Str,
    }
}

item! {
    /// What brings images into the registry of the site.
    pub struct Mirror {
        /// The registry as one signs in to it: `registry.acme.example`, with its port unless that is 443.
        registry: Str,
        /// Whether it is spoken to without TLS.
        plain: bool,
        /// `docker`, `podman`, `skopeo` or `ctr`.
        tool: Str,
        /// `linux/amd64`, for each architecture of the hosts that run the images, as far as these are known.
        platforms: Vec<Str>,
        images: Vec<Arc<Image>>,
    }
}

item! {
    /// A place that reads a secret.
    pub struct SecretUse {
        product: Str,
        /// The file or object, and the key in it.
        place: Str,
        key: Str,
        /// The host that keeps it in a file, and that file with its owner and mode.
        host: Option<Str>,
        file: Option<Str>,
        owner: Str,
        mode: Str,
    }
}

item! {
    /// A Secret of a cluster, made on the spot. Identity: cluster, namespace, name.
    pub struct SecretObject {
        cluster: Str,
        namespace: Str,
        name: Str,
        product: Str,
        /// `opaque`, `tls` or `registry`; `swarm` for a secret of a swarm, which has no namespace.
        form: Str,
        /// `key=secret`, sorted; one for a key of TLS or the password of a registry.
        parts: Vec<Str>,
        /// The file of the certificate that belongs to a key.
        certificate: Str,
        /// The registry and the account that a password belongs to.
        server: Str,
        user: Str,
        /// The file that gets the sealed form; such an object is not applied.
        sealed: Option<Str>,
        /// The controller that unseals it, and its namespace.
        controller: Str,
        controller_namespace: Str,
        mixtures: Vec<Arc<SecretMixture>>,
    }
}

item! {
    /// A value that has a secret in its middle, put together on the spot.
    pub struct SecretMixture {
        /// What stands for the secret in the parts of the object.
        name: Str,
        secret: Str,
        /// `plain`, or `url` for percent encoding.
        encoding: Str,
        before: Str,
        after: Str,
    }
}

item! {
    /// A reference to something secret. Identity: name.
    pub struct Secret {
        name: Str,
        kind: Str,
        owner: Str,
        uses: Vec<Arc<SecretUse>>,
    }
}
