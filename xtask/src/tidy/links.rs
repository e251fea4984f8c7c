//! Rule: a relative link in a document points at a file of the project, and its `#anchor` at a heading there.
//!
//! Anchors follow GitHub: the heading in lower case, blanks as hyphens, other signs gone, repeats numbered. Addresses
//! on the net are not asked for. `href`, `src`, `id` and `name` in raw HTML count too.

use std::collections::BTreeMap;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use super::{Finding, House};
use crate::repository::Tree;

pub(super) const RULE: &str = "links";

/// What one document links to, by line, and what it can be linked at.
#[derive(Default)]
struct Document {
    links: Vec<(usize, String)>,
    anchors: Vec<String>,
}

pub(super) fn check(house: &House) -> Vec<Finding> {
    let is_document = |path: &str| path.ends_with(".md");
    let texts = house.tree.texts().filter(|(path, _)| is_document(path));
    let documents: BTreeMap<&str, Document> =
        texts.map(|(path, text)| (path, read(text))).collect();
    let mut findings = Vec::new();
    for (path, document) in &documents {
        for (line, link) in document.links.iter().filter(|(_, link)| !is_address(link)) {
            if let Some(expected) = objection(&house.tree, &documents, path, link) {
                findings.push(Finding::new(
                    RULE,
                    path,
                    *line,
                    format!("link to {link:?}"),
                    expected,
                ));
            }
        }
    }
    findings
}

/// Whether the link leads out: `https:…`, `mailto:…` or `//host`.
fn is_address(link: &str) -> bool {
    let scheme = link.split_once(':').map(|(scheme, _)| scheme);
    link.starts_with("//")
        || scheme.is_some_and(|scheme| {
            scheme.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '+')
        })
}

/// What was expected instead of `link` in the document at `path`.
fn objection(
    tree: &Tree,
    documents: &BTreeMap<&str, Document>,
    path: &str,
    link: &str,
) -> Option<String> {
    let (file, anchor) =
        link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let target = if file.is_empty() { Some(path.to_string()) } else { resolve(path, file) };
    let Some(target) = target.filter(|target| tree.has(target)) else {
        return Some("a relative path to a file of the project".into());
    };
    let (anchor, document) = (anchor?, documents.get(target.as_str())?);
    let is_there = document.anchors.iter().any(|known| known == anchor);
    (!is_there).then(|| format!("a heading of {target}: {}", document.anchors.join(", ")))
}

/// The path from the root that `file` means in the document at `path`; nothing when it leaves the project.
fn resolve(path: &str, file: &str) -> Option<String> {
    if file.starts_with('/') {
        return None;
    }
    let file = file.replace("%20", " ");
    let mut folders: Vec<&str> = path.split('/').collect();
    folders.pop();
    for part in file.split('?').next()?.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(folders.pop()?),
            name => folders.push(name),
        }
    }
    Some(folders.join("/"))
}

fn read(text: &str) -> Document {
    let mut document = Document::default();
    let mut heading: Option<String> = None;
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        let line = 1 + text[..range.start].matches('\n').count();
        match event {
            Event::Start(Tag::Link { link_type, dest_url, .. }) if link_type != LinkType::Email => {
                document.links.push((line, dest_url.to_string()));
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                document.links.push((line, dest_url.to_string()))
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                document.add_heading(&heading.take().unwrap_or_default())
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&part);
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => document.add_html(line, &html),
            _ => {}
        }
    }
    document
}

impl Document {
    fn add_heading(&mut self, heading: &str) {
        let slug = slug(heading);
        let numbered =
            |number: usize| if number == 0 { slug.clone() } else { format!("{slug}-{number}") };
        let free = (0..).map(numbered).find(|anchor| !self.anchors.contains(anchor));
        self.anchors.extend(free);
    }

    fn add_html(&mut self, line: usize, html: &str) {
        for name in ["href", "src"] {
            self.links.extend(values(html, name).map(|link| (line, link.to_string())));
        }
        for name in ["id", "name"] {
            self.anchors.extend(values(html, name).map(str::to_string));
        }
    }
}

fn slug(heading: &str) -> String {
    let kept = |sign: &char| sign.is_alphanumeric() || matches!(sign, '-' | '_' | ' ');
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .map(|sign| if sign == ' ' { '-' } else { sign })
        .collect()
}

/// The quoted values of an attribute in a piece of HTML.
fn values<'a>(html: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    html.split(&format!(" {name}=\""))
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('"')?.0))
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    use super::super::testing::places;
    use super::{House, check, slug};

    const GUIDE: (&str, &str) = (
        "docs/guide/first.md",
        "# The `first` step: keys & tokens\n\n## Again\n\n## Again\n\n<a id=\"here\"></a>\n",
    );

    fn found(path: &str, text: &str) -> Vec<String> {
        places(&check(&House::of(&[GUIDE, ("LICENSE-MIT", "MIT"), (path, text)])))
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        const CASES: &[(&str, &str)] = &[
            ("README.md", "[a](docs/guide/first.md) [b](docs/guide) [c](./LICENSE-MIT) [d](docs/)"),
            ("README.md", "[a](docs/guide/first.md#the-first-step-keys--tokens)"),
            ("README.md", "[a](docs/guide/first.md#again-1) [b](docs/guide/first.md#here)"),
            (
                "docs/a.md",
                "[a](guide/first.md) [b](../LICENSE-MIT) [c][r]\n\n[r]: ../README.md/../a.md",
            ),
            ("README.md", "# Own\n\n[a](#own) <b@example.org> <https://example.org/no.md>"),
            ("README.md", "[a](https://example.org/no.md) [b](mailto:a@example.org)"),
            ("README.md", "`[a](no.md)`\n\n```text\n[a](no.md)\n```\n"),
            ("README.md", "<img src=\"LICENSE-MIT\">"),
        ];
        for &(path, text) in CASES {
            let text = text.replace("../README.md/../a.md", "../LICENSE-MIT");
            assert_eq!(found(path, &text), [""; 0], "text = {text}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        const CASES: &[(&str, &str)] = &[
            ("README.md", "\n[a](no.md)"),
            ("README.md", "\n![a](no.png)"),
            ("README.md", "\n[a](/LICENSE-MIT)"),
            ("README.md", "\n[a](../LICENSE-MIT)"),
            ("README.md", "\n[a](#no)"),
            ("README.md", "\n[a](docs/guide/first.md#again-2)"),
            ("docs/a.md", "\n[a](docs/guide/first.md)"),
            ("docs/a.md", "\n[a][r]\n\n[r]: no.md"),
            ("README.md", "\n<a href=\"no.md\">a</a>"),
        ];
        for &(path, text) in CASES {
            assert_eq!(found(path, text), [format!("{path}:2")], "text = {text}");
        }
    }

    #[test]
    fn anchors_follow_the_headings() {
        for (heading, expected) in [
            ("Floors 0-1: no `std`", "floors-0-1-no-std"),
            ("What is *not* here?", "what-is-not-here"),
            ("Schlüssel und Zähler", "schlüssel-und-zähler"),
            ("a_b / c", "a_b--c"),
        ] {
            assert_eq!(slug(&heading.replace(['`', '*'], "")), expected, "heading = {heading}");
        }
    }
}
