//! Rust files as rules see them: tokens with their lines, comments gone, tests marked.
//!
//! `proc-macro2` does the lexing, so strings, lifetimes and nested comments are what Rust says they are.
//! Documentation counts as comment. A token is of a test when it stands in the item behind `#[cfg(test)]`, in the
//! file of a module declared so, or outside `src`.

use std::str::FromStr;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use super::floors::floor;
use super::{Finding, House};
use crate::repository::Tree;

/// A Rust file.
pub(super) struct Source {
    pub(super) path: String,
    /// The name of its crate, when it belongs to one of ours.
    pub(super) crate_name: Option<String>,
    pub(super) tokens: Vec<Token>,
    /// Modules declared here whose whole file is a test, as the path without `.rs`.
    test_modules: Vec<String>,
    /// Why the lexer gave up, and in which line.
    fault: Option<(String, usize)>,
}

/// A word, a sign, a literal as written, or one end of a group.
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) in_test: bool,
}

impl Source {
    /// Lexes one file.
    pub(super) fn new(path: &str, text: &str) -> Self {
        let mut source = Self {
            path: path.to_string(),
            crate_name: crate_of(path),
            tokens: Vec::new(),
            test_modules: Vec::new(),
            fault: None,
        };
        match TokenStream::from_str(text) {
            Ok(stream) => source.flatten(stream, !in_src(path)),
            Err(error) => source.fault = Some((error.to_string(), error.span().start().line)),
        }
        source
    }

    /// The floor of its crate.
    pub(super) fn floor(&self) -> Option<u8> {
        floor(self.crate_name.as_deref()?)
    }

    /// The tokens that are no part of a test, with their index.
    pub(super) fn product(&self) -> impl Iterator<Item = (usize, &Token)> {
        self.tokens.iter().enumerate().filter(|(_, token)| !token.in_test)
    }

    fn flatten(&mut self, stream: TokenStream, in_test: bool) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut test_ends = 0; // The trees before this one belong to an item behind `#[cfg(test)]`.
        let mut index = 0;
        while let Some(tree) = trees.get(index) {
            if let Some((attribute, length)) = attribute(&trees[index..]) {
                if attribute.replace(' ', "") == "cfg(test)" {
                    let item = &trees[index + length..];
                    test_ends = index + length + item_length(item);
                    self.test_modules.extend(declared_module(&self.path, item));
                }
                if attribute.starts_with("doc =") {
                    index += length;
                    continue;
                }
            }
            self.push(tree, in_test || index < test_ends);
            index += 1;
        }
    }

    fn push(&mut self, tree: &TokenTree, in_test: bool) {
        let mut add = |text: &str, span: Span| {
            self.tokens.push(Token { text: text.into(), line: span.start().line, in_test });
        };
        let TokenTree::Group(group) = tree else { return add(&tree.to_string(), tree.span()) };
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        add(open, group.span_open());
        self.flatten(group.stream(), in_test);
        let line = group.span_close().start().line;
        self.tokens.push(Token { text: close.into(), line, in_test });
    }
}

/// The text of the attribute at the start of `trees`, and its length in trees.
fn attribute(trees: &[TokenTree]) -> Option<(String, usize)> {
    let is_sign = |tree: Option<&TokenTree>, expected| matches!(tree, Some(TokenTree::Punct(sign)) if sign.as_char() == expected);
    let length = if is_sign(trees.get(1), '!') { 3 } else { 2 };
    match trees.get(length - 1)? {
        TokenTree::Group(group)
            if group.delimiter() == Delimiter::Bracket && is_sign(trees.first(), '#') =>
        {
            Some((group.stream().to_string(), length))
        }
        _ => None,
    }
}

/// The length of the item at the start of `trees`: it ends with its body or with a semicolon.
fn item_length(trees: &[TokenTree]) -> usize {
    let ends = |tree: &TokenTree| match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        tree => tree.to_string() == ";",
    };
    trees.iter().position(ends).map_or(trees.len(), |place| place + 1)
}

/// The file of the module that the item at the start of `trees` declares without a body, less `.rs`.
fn declared_module(path: &str, trees: &[TokenTree]) -> Option<String> {
    let words: Vec<String> = trees[..item_length(trees)].iter().map(TokenTree::to_string).collect();
    let [.., keyword, name, end] = words.as_slice() else { return None };
    let (folder, file) = path.rsplit_once('/')?;
    let own = match file {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_string(),
        other => format!("{folder}/{}", other.trim_end_matches(".rs")),
    };
    (keyword == "mod" && end == ";").then(|| format!("{own}/{name}"))
}

/// Every Rust file of the tree, with the files of test modules marked.
pub(super) fn read(tree: &Tree) -> Vec<Source> {
    let files = tree.texts().filter(|(path, _)| path.ends_with(".rs"));
    let mut sources: Vec<Source> = files.map(|(path, text)| Source::new(path, text)).collect();
    let modules: Vec<String> =
        sources.iter().flat_map(|source| source.test_modules.clone()).collect();
    for source in &mut sources {
        let is_test = |module: &String| {
            let rest = source.path.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        if modules.iter().any(is_test) {
            source.tokens.iter_mut().for_each(|token| token.in_test = true);
        }
    }
    sources
}

/// Rule: every Rust file can be read, since what cannot be read is not checked.
pub(super) fn check(house: &House) -> Vec<Finding> {
    let fault = |source: &Source| {
        let (found, line) = source.fault.clone()?;
        Some(Finding::new("source", &source.path, line.max(1), found, "tokens of Rust"))
    };
    house.sources.iter().filter_map(fault).collect()
}

fn crate_of(path: &str) -> Option<String> {
    let inside = path.strip_prefix("crates/").and_then(|rest| rest.split_once('/'));
    match inside {
        Some((name, _)) => Some(name.to_string()),
        None => path.starts_with("xtask/").then(|| "xtask".to_string()),
    }
}

/// Whether the file is part of a crate itself: `crates/NAME/src/…` or `xtask/src/…`.
fn in_src(path: &str) -> bool {
    path.split('/').take(3).any(|folder| folder == "src")
}

/// The content of a string literal as written, or nothing for other literals. Escapes are left as they are.
pub(super) fn string_content(literal: &str) -> Option<&str> {
    let (prefix, rest) = literal.split_once('"')?;
    let is_string = prefix.chars().all(|sign| matches!(sign, 'b' | 'c' | 'r' | '#'));
    is_string.then(|| rest.rsplit_once('"').map_or(rest, |(content, _)| content))
}

#[cfg(test)]
mod tests {
    use super::super::testing::places;
    use super::{House, Source, check, read, string_content};
    use crate::repository::Tree;

    const PATH: &str = "crates/prepay-token/src/lib.rs";

    fn product(text: &str) -> String {
        let source = Source::new(PATH, text);
        let words: Vec<&str> = source.product().map(|(_, token)| token.text.as_str()).collect();
        words.join(" ")
    }

    #[test]
    fn comments_and_documentation_are_gone() {
        let text = "//! a\n/// b\n/* c /* d */ */ fn e() {} // f\n#[doc = \"g\"] struct H;";
        assert_eq!(product(text), "fn e ( ) { } struct H ;");
    }

    #[test]
    fn strings_and_characters_are_single_tokens() {
        let text = r##"a(r#"c " d"#, 'e', b"f", &'g h)"##;
        assert_eq!(product(text), r##"a ( r#"c " d"# , 'e' , b"f" , & ' g h )"##);
    }

    #[test]
    fn items_for_tests_are_no_product() {
        // (source, what is left): each form of a test, and forms that only look like one.
        const CASES: &[(&str, &str)] = &[
            ("#[cfg(test)] mod tests { x } a", "a"),
            ("#[cfg(test)] pub(crate) mod tests; a", "a"),
            ("#[cfg(test)] #[allow(b)] fn c() -> [u8; 2] { x } a", "a"),
            ("/// b\n#[cfg(test)]\n/// c\nuse d::e; a", "a"),
            ("mod m { #[cfg(test)] mod tests { x } a }", "mod m { a }"),
            ("#[cfg(not(test))] fn b() {}", "# [ cfg ( not ( test ) ) ] fn b ( ) { }"),
        ];
        for &(text, expected) in CASES {
            let left = product(text).replace("# [ cfg ( test ) ] ", "");
            assert_eq!(left, expected, "text = {text}");
        }
    }

    #[test]
    fn file_of_a_test_module_is_no_product() {
        for (path, text, file) in [
            (PATH, "#[cfg(test)] mod cases;", "crates/prepay-token/src/cases.rs"),
            (PATH, "#[cfg(test)] pub(crate) mod cases;", "crates/prepay-token/src/cases/mod.rs"),
            ("crates/a/src/b.rs", "#[cfg(test)]\nmod cases;", "crates/a/src/b/cases.rs"),
        ] {
            let sources = read(&Tree::of(&[(path, text), (file, "fn x() {}")]));
            let source = sources.iter().find(|source| source.path == file).unwrap();
            assert_eq!(source.product().count(), 0, "file = {file}");
        }
        let sources = read(&Tree::of(&[("crates/a/tests/all.rs", "fn x() {}")]));
        assert_eq!(sources[0].product().count(), 0);
    }

    #[test]
    fn content_of_strings_only() {
        for (literal, expected) in [
            (r#""a\n""#, Some(r"a\n")),
            (r##"r#"b"#"##, Some("b")),
            (r#"b"c""#, Some("c")),
            ("'\"'", None),
            ("1", None),
        ] {
            assert_eq!(string_content(literal), expected, "literal = {literal}");
        }
    }

    #[test]
    fn file_that_is_no_rust_is_found() {
        assert!(check(&House::of(&[(PATH, "fn a() {}")])).is_empty());
        assert_eq!(places(&check(&House::of(&[(PATH, "\nfn a() {")]))), [format!("{PATH}:2")]);
    }
}
