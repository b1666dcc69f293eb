//! Objects of Kubernetes: words and quantities that Kubernetes takes from closed sets, and other readers take as they are.

use super::places::label;
use super::places::spec_span;
use crate::diag::codes::OBJECT_FIELD;
use crate::diag::{Diag, Findings, similar_name};
use crate::ir::{Ir, Object};
use crate::source::{Role, Sources};
use crate::value::{Origins, Tracked, Value};

/// Groups whose fields are known; others use the same words in their own way.
const KNOWN: [&str; 5] = ["v1", "apps/v1", "batch/v1", "networking.k8s.io/v1", "rbac.authorization.k8s.io/v1"];

/// A field, the field around it or the kind of the object where only that tells which field is meant, and its words.
const WORDS: &[(&str, &str, &[&str])] = &[
    ("accessModes", "", &["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]),
    ("protocol", "ports", &["TCP", "UDP", "SCTP"]),
    ("policyTypes", "", &["Ingress", "Egress"]),
    ("pathType", "", &["Prefix", "Exact", "ImplementationSpecific"]),
    ("imagePullPolicy", "", &["Always", "IfNotPresent", "Never"]),
    ("restartPolicy", "", &["Always", "OnFailure", "Never"]),
    ("externalTrafficPolicy", "", &["Cluster", "Local"]),
    ("persistentVolumeReclaimPolicy", "", &["Retain", "Delete", "Recycle"]),
    ("volumeMode", "", &["Filesystem", "Block"]),
    ("type", "Service", &["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
    ("type", "LimitRange", &["Container", "Pod", "PersistentVolumeClaim"]),
    ("kind", "subjects", &["User", "Group", "ServiceAccount"]),
    ("kind", "roleRef", &["Role", "ClusterRole"]),
];

/// Maps whose values are quantities.
const QUANTITIES: [&str; 4] = ["requests", "limits", "capacity", "hard"];
/// The same in the entries of a LimitRange.
const OF_RANGE: [&str; 5] = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];

/// Checks every object of the groups that are known.
pub fn objects(ir: &Ir, sources: &Sources, findings: &mut Findings) {
    for object in ir.objects.iter().filter(|o| KNOWN.contains(&&**o.api_version)) {
        let body = Tracked { value: object.body.value.clone(), origins: Origins::None };
        Walk { object, sources, findings }.below(&body, "");
    }
}

struct Walk<'a> {
    object: &'a Object,
    sources: &'a Sources,
    findings: &'a mut Findings,
}

impl Walk<'_> {
    /// Checks the fields of a map, or of the maps in a list.
    fn below(&mut self, value: &Tracked, around: &str) {
        for (key, field) in value.entries() {
            self.words(key, field, around);
            let of_range = &**self.object.kind == "LimitRange" && OF_RANGE.contains(&&**key);
            if QUANTITIES.contains(&&**key) || of_range {
                for (name, amount) in field.entries() {
                    self.quantity(name, amount);
                }
            }
            self.below(field, key);
        }
        value.items().iter().for_each(|item| self.below(item, around));
    }

    fn words(&mut self, key: &str, field: &Tracked, around: &str) {
        let kind = &**self.object.kind;
        let rule = WORDS.iter().find(|(k, near, _)| *k == key && (near.is_empty() || *near == around || *near == kind));
        let Some((_, near, known)) = rule else { return };
        // The type of a Service stands in its specification, not in what lies deeper.
        if *near == "Service" && around != "spec" || *near == "LimitRange" && around != "limits" {
            return;
        }
        let one = [field.clone()];
        let items = if let Value::List(items) = &field.value { items.as_slice() } else { &one };
        for item in items {
            let text = item.value.text().unwrap_or_default();
            if !known.contains(&&*text) {
                let listed: Vec<String> = known.iter().map(|k| format!("`{k}`")).collect();
                let help = match similar_name(&text, known.iter().copied()) {
                    Some(near) => format!("there is `{near}`"),
                    None => format!("it is one of {}", listed.join(", ")),
                };
                self.report(format!("`{text}` is no `{key}`"), help, &item.origins.union(&field.origins));
            }
        }
    }

    fn quantity(&mut self, name: &str, amount: &Tracked) {
        let text = amount.value.text().unwrap_or_default();
        if !crate::prove::kubernetes::is_quantity(&text) {
            let help = "Kubernetes writes `500m`, `2`, `512Mi`, `10Gi`; the filter `write('Mi')` does".to_owned();
            self.report(format!("`{text}` is no quantity for `{name}`"), help, &amount.origins);
        }
    }

    fn report(&mut self, what: String, help: String, origins: &Origins) {
        let message = format!("the {} `{}`: {what}", *self.object.kind, *self.object.name);
        let spans = origins.as_slice().iter().filter_map(|p| self.sources.span_of(*p));
        let pack = spans.filter(|s| self.sources.file(s.file).role == Role::Pack).min_by_key(|s| s.end - s.start);
        let diag = label(Diag::new(OBJECT_FIELD, message), spec_span(origins, self.sources), "");
        self.findings.push(label(diag, pack, "").help(help));
    }
}
