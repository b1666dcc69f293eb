//! The form of each host's firewall, from the forms of the site and the host's operating system.

use std::collections::BTreeMap;

use super::map_mut;
use crate::node::push_step;
use crate::site::DefaultFrom;
use crate::value::{Map, Origins, Str, Tracked, Value};

/// The forms that are rulesets of hosts, and whether Windows has them.
const FORMS: [(&str, bool); 4] = [("nftables", false), ("iptables", false), ("firewalld", false), ("windows", true)];

/// Gives every host that does not choose its firewall the first form of the site that its operating system has, or
/// `none` where the site keeps its rulesets elsewhere.
pub fn forms(root: &mut Map, defaults: &mut BTreeMap<String, DefaultFrom>) {
    let targets = root.get("firewall").and_then(|f| f.get("targets")).cloned().unwrap_or_default();
    let read = Origins::all(targets.items().iter().map(|t| &t.origins)).union(&targets.origins);
    let is_form = |t: &&Tracked| FORMS.iter().any(|(form, _)| t.value == Value::str(*form));
    let of_site: Vec<&Tracked> = targets.items().iter().filter(is_form).collect();
    for (name, host) in root.get_mut("hosts").and_then(map_mut).into_iter().flat_map(Map::iter_mut) {
        let exists = host.origins.clone();
        let (family, of_os) = system(host);
        let Some(host) = map_mut(host) else { continue };
        if host.get("firewall").is_some_and(|f| !f.value.is_null()) {
            continue;
        }
        let on = |form: &str| FORMS.iter().any(|(name, windows)| *name == form && *windows == family);
        let fitting = of_site.iter().filter_map(|t| t.value.text()).find(|form| on(form));
        let form: Str = match fitting {
            Some(form) => form,
            // What a site of rulesets has of Windows gets the only form that there is.
            None if family && !of_site.is_empty() => "windows".into(),
            None => "none".into(),
        };
        let null = host.get("firewall").map(|null| null.origins.clone()).unwrap_or_default();
        let origins = Origins::all([&read, &of_os, &null, &exists]);
        host.insert("firewall".into(), Tracked { value: Value::Str(form), origins });
        let mut pointer = String::from("/hosts");
        push_step(&mut pointer, name);
        defaults.insert(pointer + "/firewall", DefaultFrom::Core);
    }
}

/// Whether a host runs Windows, and what told so.
fn system(host: &Tracked) -> (bool, Origins) {
    let os = host.get("os");
    let family = os.and_then(|os| os.get("family"));
    let origins = Origins::all(os.into_iter().chain(family).map(|t| &t.origins));
    let windows = family.and_then(|f| f.value.text()).is_some_and(|f| f.starts_with("windows"));
    (windows, origins)
}
