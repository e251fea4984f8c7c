//! The guides to the laboratory are true: every command in them is run as it stands.

mod common;
mod guide_kit;

use std::fs;

fn guide(name: &str) -> String {
    let path = format!("{}/../../docs/guides/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).expect("the guide")
}

#[test]
fn the_guide_to_a_token_is_true_line_by_line() {
    let steps = guide_kit::steps(&guide("explain-a-token.md"));
    assert!(steps.len() >= 14, "the guide has lost commands: {}", steps.len());
    guide_kit::follow("docs/guides/explain-a-token.md", steps, &common::folder("guide-explain"));
}

#[test]
fn the_guide_to_first_tokens_is_true_line_by_line() {
    let guide = guide("first-tokens.md");
    let steps = guide_kit::steps(&guide);
    assert!(steps.len() >= 18, "the guide has lost commands: {}", steps.len());
    let folder = common::folder("guide-first");
    let (_, requests) = guide.split_once("```json\n").expect("the requests");
    let (requests, _) = requests.split_once("```").expect("their end");
    fs::write(folder.join("requests.jsonl"), requests).expect("the file can be written");
    guide_kit::follow("docs/guides/first-tokens.md", steps, &folder);
}
