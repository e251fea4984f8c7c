//! The guide to a module service is true: every command in it is run as it stands, in an empty directory.

mod common;
mod guide_kit;

use std::fs;

#[test]
fn the_guide_to_a_module_service_is_true_line_by_line() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides/module-service.md");
    let steps = guide_kit::steps(&fs::read_to_string(guide).unwrap());
    assert!(steps.len() >= 60, "the guide has lost commands: {}", steps.len());
    let place = common::folder("module-guide");
    guide_kit::follow("docs/guides/module-service.md", steps, &place);
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0, "the guide cleans up");
}
