//! The dependency graph as `cargo metadata` tells it: only the fields that rules read.

use std::path::Path;

use serde::Deserialize;

use crate::step::{Failure, output};

const METADATA: &[&str] = &["metadata", "--format-version", "1", "--locked", "--quiet"];

/// Every package of the workspace and everything they depend on, for all platforms.
#[derive(Default, Deserialize)]
pub(super) struct Graph {
    pub(super) packages: Vec<Package>,
    pub(super) workspace_members: Vec<String>,
}

/// A package at one version.
#[derive(Default, Deserialize)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    pub(super) dependencies: Vec<Dependency>,
}

/// A line of a manifest: what a package asks for, whether or not a feature turns it on.
#[derive(Default, Deserialize)]
pub(super) struct Dependency {
    /// The name of the package, even when it is renamed.
    pub(super) name: String,
    pub(super) kind: Option<Kind>,
}

/// What a dependency is for. Normal ones have no kind.
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
    /// [`Failure`] when cargo has no answer, mostly because `Cargo.lock` is not up to date.
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let command = format!("cargo {}", METADATA.join(" "));
        let json = output(root, "cargo", METADATA).ok_or_else(|| {
            Failure::new(format!("tidy failed (no dependency graph); to see why: {command}"))
        })?;
        serde_json::from_slice(&json)
            .map_err(|error| Failure::new(format!("answer of `{command}` not understood: {error}")))
    }

    /// The packages of this workspace.
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.is_member(package))
    }

    /// The packages of others.
    pub(super) fn others(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| !self.is_member(package))
    }

    fn is_member(&self, package: &Package) -> bool {
        self.workspace_members.contains(&package.id)
    }
}

#[cfg(test)]
mod tests {
    use super::{Graph, Kind};

    #[test]
    fn answer_of_cargo_is_understood() {
        let json = r#"{"packages": [
            {"id": "path+file:///w#a@1", "name": "a", "version": "1.0.0", "license": null, "targets": [],
             "dependencies": [{"name": "b", "kind": null, "rename": "c"}, {"name": "d", "kind": "dev"}]},
            {"id": "registry#b@2", "name": "b", "version": "2.0.0", "license": "MIT", "dependencies": []}],
            "workspace_members": ["path+file:///w#a@1"], "resolve": null}"#;
        let graph: Graph = serde_json::from_str(json).unwrap();
        let member = graph.members().next().unwrap();
        let kinds: Vec<_> = member.dependencies.iter().map(|dependency| dependency.kind).collect();
        assert_eq!(kinds, [None, Some(Kind::Dev)]);
        assert_eq!(graph.others().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["b"]);
    }
}
