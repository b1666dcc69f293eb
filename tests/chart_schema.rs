//! Values that fixtures give to JupyterHub, judged by the schema that its own chart brings along.
//!
//! Nobody has that chart in this repository: `JUPYTERHUB_CHART` names a folder with its `values.yaml` and its
//! `values.schema.json` (or `.yaml`). Without it the test is a printed skip. Helm judges the chart's own values with
//! those of the release laid over them, and so does this.

mod trees;

use std::env;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use trees::{compile, fixtures};

/// One text of YAML as JSON; nothing for an empty document.
fn documents(text: &str) -> Vec<Json> {
    let all = text.split("\n---").map(|part| serde_yaml::from_str::<Json>(part).expect("a golden file is YAML"));
    all.filter(|document| !document.is_null()).collect()
}

/// One value laid over another as Helm does it: maps merge, everything else replaces.
fn lay(below: &mut Json, above: &Json) {
    match (below, above) {
        (Json::Object(below), Json::Object(above)) => {
            for (key, value) in above {
                lay(below.entry(key.clone()).or_insert(Json::Null), value);
            }
        }
        (below, above) => *below = above.clone(),
    }
}

/// The values of one file of a tree: of a HelmRelease, with a text for each value that comes from a Secret, or of a
/// values file.
fn values(path: &str, text: &str) -> Option<Json> {
    for document in documents(text) {
        if document["kind"] == "HelmRelease" && document["spec"]["chart"]["spec"]["chart"] == "jupyterhub" {
            let mut values = document["spec"]["values"].clone();
            for from in document["spec"]["valuesFrom"].as_array().into_iter().flatten() {
                let steps: Vec<&str> = from["targetPath"].as_str().unwrap_or_default().split('.').collect();
                let nested =
                    steps.iter().rev().fold(Json::from("secret"), |inner, step| serde_json::json!({ (*step): inner }));
                lay(&mut values, &nested);
            }
            return Some(values);
        }
        if path.ends_with("jhub/values.yaml") {
            return Some(document);
        }
    }
    None
}

#[test]
fn the_chart_of_jupyterhub_takes_the_values() {
    let Ok(folder) = env::var("JUPYTERHUB_CHART") else {
        println!("skipped: JUPYTERHUB_CHART names no folder with values.yaml and values.schema.json");
        return;
    };
    let folder = Path::new(&folder);
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let schema = read("values.schema.json").or_else(|| read("values.schema.yaml")).expect("the chart's schema");
    let schema: Json = serde_yaml::from_str(&schema).expect("a schema in JSON or YAML");
    let own: Json = serde_yaml::from_str(&read("values.yaml").expect("the chart's values")).expect("YAML");
    let validator = jsonschema::options().offline().build(&schema).expect("a JSON Schema");
    assert!(validator.is_valid(&own), "the chart's own values do not satisfy its schema");
    let mut wrong = own.clone();
    lay(&mut wrong, &serde_json::json!({ "hub": { "db": { "type": "no-such-database" } } }));
    assert!(!validator.is_valid(&wrong), "the schema takes anything");
    let (mut judged, mut faults) = (0, Vec::new());
    for fixture in fixtures() {
        let Ok(tree) = compile(&fixture) else { continue };
        for (path, bytes) in tree.iter().filter(|(path, _)| path.ends_with(".yaml") && path.contains("jhub/")) {
            let Some(given) = values(path, &String::from_utf8_lossy(bytes)) else { continue };
            judged += 1;
            let mut all = own.clone();
            lay(&mut all, &given);
            faults.extend(
                validator.iter_errors(&all).map(|e| format!("{fixture}: {path}: {e} at {}", e.instance_path())),
            );
        }
    }
    assert!(judged >= 3, "only {judged} releases of JupyterHub were found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
