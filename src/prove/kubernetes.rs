//! Text of a Kubernetes YAML file → its objects, and from those volumes and claims.
//!
//! The words that Kubernetes itself lets pass and only fails on later are closed here: access modes, protocols,
//! quantities, names.

use super::fault::{Fault, Read};
use super::yaml::{self, Document, Fields};
use crate::node::{Data, Node};

/// One object.
#[derive(Debug)]
pub struct KubeObject {
    pub api_version: String,
    pub kind: String,
    pub name: String,
    pub namespace: Option<String>,
    pub line: usize,
    pub document: Document,
}

/// A PersistentVolume on NFS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VolumeText {
    pub name: String,
    pub size: String,
    pub access: Vec<String>,
    pub server: String,
    pub path: String,
    pub mount_options: Vec<String>,
    /// Empty for none.
    pub class: String,
    /// Namespace and name of the claim that it is reserved for.
    pub reserved_for: Option<(String, String)>,
}

/// A PersistentVolumeClaim of one given volume.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimText {
    pub namespace: String,
    pub name: String,
    pub size: String,
    pub access: Vec<String>,
    /// Empty for none, which must be written.
    pub class: String,
    pub volume: String,
}

/// Reads every object of a file, in the order of the text. A `List` is not understood.
pub fn read(text: &str) -> Read<Vec<KubeObject>> {
    yaml::documents(text)?.into_iter().map(object).collect()
}

/// Reads the objects of a file that may hold others than objects with a name as well: lists, kustomizations.
pub fn read_any(text: &str) -> Read<Vec<KubeObject>> {
    let named = |d: &Document| d.root.pointer("/metadata/name").is_some();
    yaml::any_documents(text)?.into_iter().filter(named).map(object).collect()
}

fn object(document: Document) -> Read<KubeObject> {
    let root = Fields::open(&document, &document.root)?;
    let (api_version, kind) = (root.text("apiVersion")?, root.text("kind")?);
    let metadata = Fields::open(&document, root.need("metadata")?)?;
    let (name, namespace) = (metadata.text("name")?, metadata.maybe_text("namespace")?);
    let line = root.line();
    // Names of RBAC objects may hold colons.
    let rbac = api_version.starts_with("rbac.");
    for text in [Some(&name), namespace.as_ref()].into_iter().flatten() {
        let free = rbac && !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && c != '/');
        if !is_name(text) && !free {
            return Err(Fault::new(metadata.line(), format!("`{text}` is not a name that Kubernetes takes")));
        }
    }
    for key in ["labels", "annotations"] {
        let Some(map) = metadata.get(key) else { continue };
        for entry in map.entries() {
            if !matches!(entry.value.data, Data::Text(_)) {
                let what = format!("the value of `{}` in `{key}` is not a string", entry.key);
                return Err(Fault::new(document.line(&entry.value), what));
            }
        }
    }
    // Other groups use these words in their own way.
    if matches!(&*api_version, "v1" | "apps/v1" | "batch/v1" | "networking.k8s.io/v1") {
        closed_words(&document, &document.root, "")?;
    }
    Ok(KubeObject { api_version, kind, name, namespace, line, document })
}

/// A DNS subdomain.
fn is_name(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 253
        && text.split('.').all(|label| {
            label.starts_with(letter) && label.ends_with(letter) && label.chars().all(|c| letter(c) || c == '-')
        })
}

/// Checks words that every known object takes from a closed set, wherever they stand.
fn closed_words(document: &Document, node: &Node, parent: &str) -> Read<()> {
    for entry in node.entries() {
        let fault = |node: &Node, what: &str| {
            Err(Fault::new(document.line(node), format!("{} as `{}` {what}", yaml::show(node), entry.key)))
        };
        let texts = |list: &[&str], node: &Node| node.scalar_text().is_some_and(|t| list.contains(&&**t));
        match &*entry.key {
            "accessModes" => {
                const MODES: [&str; 4] = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];
                if let Some(other) = entry.value.items().iter().find(|i| !texts(&MODES, i)) {
                    return fault(other, "is not an access mode");
                }
            }
            "protocol" if parent == "ports" && !texts(&["TCP", "UDP", "SCTP"], &entry.value) => {
                return fault(&entry.value, "is not a protocol");
            }
            "requests" | "limits" | "capacity" | "hard" => {
                for amount in entry.value.entries() {
                    if !amount.value.scalar_text().is_some_and(|t| is_quantity(t)) {
                        return Err(Fault::new(
                            document.line(&amount.value),
                            format!("{} as `{}` is not a quantity", yaml::show(&amount.value), amount.key),
                        ));
                    }
                }
            }
            _ => {}
        }
        closed_words(document, &entry.value, &entry.key)?;
    }
    node.items().iter().try_for_each(|item| closed_words(document, item, parent))
}

/// A number with a decimal or binary suffix.
pub fn is_quantity(text: &str) -> bool {
    const SUFFIXES: [&str; 14] = ["", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    number.starts_with(|c: char| c.is_ascii_digit()) && number.parse::<f64>().is_ok() && SUFFIXES.contains(&suffix)
}

/// A PersistentVolume; only what such a volume on NFS needs is understood.
pub fn volume(object: &KubeObject) -> Read<VolumeText> {
    let document = &object.document;
    let root = Fields::of(document, &document.root, &["apiVersion", "kind", "metadata", "spec"])?;
    cluster_wide(object)?;
    core(object)?;
    let spec = root.below(
        "spec",
        &[
            "capacity",
            "accessModes",
            "nfs",
            "mountOptions",
            "storageClassName",
            "persistentVolumeReclaimPolicy",
            "volumeMode",
            "claimRef",
        ],
    )?;
    one_of(&spec, "persistentVolumeReclaimPolicy", &["Retain"])?;
    one_of(&spec, "volumeMode", &["Filesystem"])?;
    let nfs = spec.below("nfs", &["server", "path", "readOnly"])?;
    let reserved_for = match spec.get("claimRef") {
        None => None,
        Some(_) => {
            let claim = spec.below("claimRef", &["apiVersion", "kind", "namespace", "name"])?;
            Some((claim.text("namespace")?, claim.text("name")?))
        }
    };
    Ok(VolumeText {
        name: object.name.clone(),
        size: spec.below("capacity", &["storage"])?.text("storage")?,
        access: spec.texts("accessModes")?,
        server: nfs.text("server")?,
        path: nfs.text("path")?,
        mount_options: spec.texts("mountOptions")?,
        class: spec.maybe_text("storageClassName")?.unwrap_or_default(),
        reserved_for,
    })
}

/// A PersistentVolumeClaim; only what a claim of one given volume needs is understood.
pub fn claim(object: &KubeObject) -> Read<ClaimText> {
    let document = &object.document;
    let root = Fields::of(document, &document.root, &["apiVersion", "kind", "metadata", "spec"])?;
    core(object)?;
    let spec = root.below("spec", &["accessModes", "storageClassName", "resources", "volumeName", "volumeMode"])?;
    one_of(&spec, "volumeMode", &["Filesystem"])?;
    let namespace = object.namespace.clone();
    Ok(ClaimText {
        namespace: namespace.ok_or_else(|| Fault::new(object.line, "a claim without its namespace"))?,
        name: object.name.clone(),
        size: spec.below("resources", &["requests"])?.below("requests", &["storage"])?.text("storage")?,
        access: spec.texts("accessModes")?,
        // Without the key the cluster's default class would be filled in.
        class: spec.text("storageClassName")?,
        volume: spec.text("volumeName")?,
    })
}

/// Refuses another version of an object of the core group than its only one.
pub fn core(object: &KubeObject) -> Read<()> {
    match &*object.api_version {
        "v1" => Ok(()),
        other => Err(Fault::new(object.line, format!("a {} of `{other}`, which is not its version", object.kind))),
    }
}

/// Refuses a namespace where none belongs.
pub fn cluster_wide(object: &KubeObject) -> Read<()> {
    match &object.namespace {
        None => Ok(()),
        Some(namespace) => Err(Fault::new(object.line, format!("a {} in the namespace `{namespace}`", object.kind))),
    }
}

fn one_of(fields: &Fields, key: &str, known: &[&str]) -> Read<()> {
    match fields.maybe_text(key)? {
        Some(text) if !known.contains(&&*text) => {
            Err(Fault::new(fields.line(), format!("`{key}: {text}` is not what was to be written")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_the_cluster_lets_pass() {
        let good = "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  namespace: b\nspec:\n  ports:\n    \
                    - port: 80\n      protocol: TCP\n  resources:\n    limits:\n      cpu: 500m\n      memory: 8Gi\n";
        assert_eq!(read(good).expect("good")[0].name, "a");
        for (from, to, line) in [
            ("TCP", "TPC", 9),
            ("8Gi", "8Gx", 13),
            ("500m", "lots", 12),
            ("name: a", "name: A_b", 4),
            ("name: a", "nam: a", 4),
            ("kind: Service\n", "", 1),
            ("namespace: b", "namespace: 5", 5),
            ("namespace: b", "labels:\n    x: 1", 6),
        ] {
            let fault = read(&good.replace(from, to)).expect_err(to);
            assert_eq!(fault.line, line, "{from} → {to}: {fault}");
        }
    }
}
