//! The crates of the workspace and their dependencies, from `cargo metadata`.

use std::path::Path;

use serde::Deserialize;

use crate::step::{Failure, output};

const METADATA: &[&str] = &["metadata", "--format-version", "1", "--no-deps", "--quiet"];

/// The crates of the workspace.
#[derive(Default, Deserialize)]
pub(super) struct Graph {
    pub(super) packages: Vec<Package>,
}

/// A crate of ours.
#[derive(Default, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) dependencies: Vec<Dependency>,
}

/// A dependency in a manifest, whether or not a feature enables it.
#[derive(Default, Deserialize)]
pub(super) struct Dependency {
    /// The name of the package, even if it is renamed here.
    pub(super) name: String,
    pub(super) kind: Option<Kind>,
}

/// What a dependency is for, unless it is a normal one.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// For the build script.
    Build,
    /// For tests, examples and benchmarks.
    Dev,
}

impl Graph {
    /// Asks cargo about the workspace at `root`.
    ///
    /// # Errors
    ///
    /// [`Failure`] if cargo fails, because a manifest is wrong.
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let command = format!("cargo {}", METADATA.join(" "));
        let json = output(root, "cargo", METADATA).ok_or_else(|| {
            Failure::new(format!("tidy failed (no dependency graph); to see why: {command}"))
        })?;
        serde_json::from_slice(&json)
            .map_err(|error| Failure::new(format!("answer of `{command}` not understood: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::{Graph, Kind};

    #[test]
    fn answer_of_cargo_is_understood() {
        let json = r#"{"packages": [
            {"id": "path+file:///w#a@1", "name": "a", "version": "1.0.0", "license": null, "targets": [],
             "dependencies": [{"name": "b", "kind": null, "rename": "c"}, {"name": "d", "kind": "dev"}]}],
            "workspace_members": ["path+file:///w#a@1"], "resolve": null}"#;
        let graph: Graph = serde_json::from_str(json).unwrap();
        let kinds = graph.packages[0].dependencies.iter().map(|dependency| dependency.kind);
        assert_eq!(kinds.collect::<Vec<_>>(), [None, Some(Kind::Dev)]);
    }
}
