//! Rule: a crate uses crates of lower floors only, and some floors may not use some kinds of foreign crates.
//!
//! This holds for normal and build dependencies, even optional ones. Dev-dependencies are free, except that no crate
//! may use `xtask`.

use std::ops::RangeInclusive;

use super::Workspace;
use super::floors::{FLOWS, Place, place};
use super::graph::{Dependency, Kind, Package};
use crate::finding::Finding;

pub(super) const RULE: &str = "edges";

/// A kind of foreign crate that some floors may not use.
struct Ban {
    what: &'static str,
    crates: &'static [&'static str],
    floors: RangeInclusive<u8>,
    /// Our crates that may use it all the same.
    except: &'static [&'static str],
}

const BANS: &[Ban] = &[
    Ban {
        what: "an asynchronous runtime or the network",
        crates: &[
            "tokio",
            "async-std",
            "smol",
            "mio",
            "hyper",
            "axum",
            "tonic",
            "reqwest",
            "rustls",
        ],
        floors: 0..=FLOWS,
        except: &[],
    },
    Ban {
        what: "a database",
        crates: &["rusqlite", "libsqlite3-sys", "sqlx", "diesel", "postgres", "tokio-postgres"],
        floors: 0..=8,
        except: &["prepay-store"],
    },
    // Each door has its own records, so that a format does not change because a type of the domain did, and no key
    // gets out by accident.
    Ban { what: "serialisation", crates: &["serde", "serde_json"], floors: 0..=FLOWS, except: &[] },
    Ban { what: "logging", crates: &["log", "tracing", "defmt"], floors: 0..=1, except: &[] },
    Ban {
        what: "randomness",
        crates: &["rand", "getrandom", "fastrand"],
        floors: 0..=1,
        except: &[],
    },
    Ban { what: "a clock", crates: &["jiff", "chrono", "time"], floors: 0..=1, except: &[] },
];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = unknown_crates(workspace);
    for package in &workspace.graph.packages {
        for dependency in &package.dependencies {
            if let Some(expected) = objection(package, dependency) {
                findings.push(finding(workspace, package, dependency, expected));
            }
        }
    }
    findings
}

fn unknown_crates(workspace: &Workspace) -> Vec<Finding> {
    let folder = |path: &str| -> Option<String> {
        let name = path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
        (!name.contains('/')).then(|| name.to_string())
    };
    let unknown = |path: &str| {
        let name = folder(path)?;
        place(&name).is_none().then(|| {
            let expected = "a line for it in the table of floors (xtask/src/tidy/floors.rs)";
            Finding::new(RULE, path, 1, format!("crate {name} without a floor"), expected)
        })
    };
    workspace.tree.files().filter_map(|(path, _)| unknown(path)).collect()
}

/// What was expected instead of this dependency, when it is not allowed.
fn objection(package: &Package, dependency: &Dependency) -> Option<String> {
    let target = place(&dependency.name);
    if target == Some(Place::Chores) {
        return Some("no crate that depends on the chores".into());
    }
    if dependency.kind == Some(Kind::Dev) {
        return None;
    }
    if target == Some(Place::Testkit) {
        return Some("it under [dev-dependencies] only".into());
    }
    let Some(Place::Floor(floor)) = place(&package.name) else { return None };
    match target {
        Some(Place::Floor(other)) if other >= floor => {
            Some(format!("a crate below floor {floor}; {} stands on {other}", dependency.name))
        }
        Some(_) => None,
        None => banned(&package.name, floor, &dependency.name),
    }
}

fn banned(package: &str, floor: u8, dependency: &str) -> Option<String> {
    let ban = BANS.iter().find(|ban| ban.crates.contains(&dependency))?;
    if !ban.floors.contains(&floor) || ban.except.contains(&package) {
        return None;
    }
    Some(match ban.except {
        [] => format!("floor {floor} without {}", ban.what),
        except => format!("{} in {} only", ban.what, except.join(", ")),
    })
}

fn finding(
    workspace: &Workspace,
    package: &Package,
    dependency: &Dependency,
    expected: String,
) -> Finding {
    let folder = if package.name == "xtask" { "" } else { "crates/" };
    let manifest = format!("{folder}{}/Cargo.toml", package.name);
    let text = workspace.tree.text(&manifest).unwrap_or_default();
    let names_it = |line: &str| {
        let rest = line.trim_start().trim_start_matches('"').strip_prefix(dependency.name.as_str());
        rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=', '"']))
    };
    let line = text.lines().position(names_it).map_or(1, |index| index + 1);
    Finding::new(
        RULE,
        &manifest,
        line,
        format!("{} -> {}", package.name, dependency.name),
        expected,
    )
}

#[cfg(test)]
mod tests {
    use super::super::graph::{Dependency, Graph, Kind, Package};
    use super::{Workspace, check};
    use crate::finding::testing::places;
    use crate::repository::Tree;

    /// A workspace in which `package` has one dependency.
    fn workspace(package: &str, dependency: &str, kind: Option<Kind>) -> Workspace {
        let manifest = format!("[dependencies]\nother = \"1\"\n{dependency}.workspace = true\n");
        let tree = Tree::of(&[(&format!("crates/{package}/Cargo.toml"), &manifest)]);
        let dependencies = vec![Dependency { name: dependency.into(), kind }];
        let package = Package { name: package.into(), dependencies };
        Workspace { tree, graph: Graph { packages: vec![package] } }
    }

    #[test]
    fn arrows_that_go_down_pass() {
        const CASES: &[(&str, &str, Option<Kind>)] = &[
            ("prepay-token", "prepay-cipher", None),
            ("prepay", "prepay-token", None),
            ("prepay-token", "prepay-testkit", Some(Kind::Dev)),
            ("prepay-token", "serde", Some(Kind::Dev)),
            ("prepay-cipher", "prepay-token", Some(Kind::Dev)),
            ("prepay-lab", "serde", None),
            ("prepay-lab", "tokio", None),
            ("prepay-store", "rusqlite", None),
            ("prepay-testkit", "serde", None),
        ];
        for &(package, dependency, kind) in CASES {
            let found = check(&workspace(package, dependency, kind));
            assert!(found.is_empty(), "{package} -> {dependency}: {found:?}");
        }
    }

    #[test]
    fn arrows_that_do_not_go_down_are_found() {
        // (crate, dependency, kind, why): one for each kind of finding.
        const CASES: &[(&str, &str, Option<Kind>, &str)] = &[
            ("prepay-cipher", "prepay-token", None, "below floor 0"),
            ("prepay-meter", "prepay-module", None, "below floor 2"),
            ("prepay-meter", "prepay-kmc", Some(Kind::Build), "below floor 2"),
            ("prepay-token", "prepay-testkit", None, "dev-dependencies"),
            ("prepay-token", "xtask", Some(Kind::Dev), "chores"),
            ("prepay-kmc", "tokio", None, "runtime"),
            ("prepay-kmc", "rusqlite", None, "prepay-store only"),
            ("prepay-lab", "sqlx", None, "prepay-store only"),
            ("prepay-token", "serde", None, "serialisation"),
            ("prepay-kmc", "serde", None, "serialisation"),
            ("prepay-cipher", "log", None, "logging"),
            ("prepay-token", "tracing", None, "logging"),
            ("prepay-token", "rand", None, "randomness"),
            ("prepay-token", "getrandom", Some(Kind::Build), "randomness"),
            ("prepay-token", "jiff", None, "clock"),
        ];
        for &(package, dependency, kind, why) in CASES {
            let found = check(&workspace(package, dependency, kind));
            assert_eq!(places(&found), [format!("crates/{package}/Cargo.toml:3")], "{dependency}");
            assert!(found[0].to_string().contains(why), "{}: {why}", found[0]);
        }
    }

    #[test]
    fn crate_on_no_floor_is_found() {
        let found = check(&Workspace::of(&[("crates/prepay-new/Cargo.toml", "")]));
        assert_eq!(places(&found), ["crates/prepay-new/Cargo.toml:1"]);
    }
}
