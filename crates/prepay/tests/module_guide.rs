//! The guide to a module service is true: every command in it is run as it stands, beside a module with a key.

mod guide_kit;
mod module_kit;

use std::fs;

use module_kit::PAIR;
use module_kit::service::workplace;

#[test]
fn the_guide_to_a_module_service_is_true_line_by_line() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides/module-service.md");
    let steps = guide_kit::steps(&fs::read_to_string(guide).unwrap());
    assert!(steps.len() >= 20, "the guide has lost commands: {}", steps.len());
    let workplace = workplace("guide", None);
    // Real modules are sealed so.
    workplace.succeed(&format!("seal --seal shares {PAIR}"));
    fs::remove_file(workplace.path("secrets").join("seal")).unwrap();
    guide_kit::follow("docs/guides/module-service.md", steps, &workplace.folder);
}
