//! Rust files as rules see them: tokens with their lines, comments gone, tests marked.
//!
//! `proc-macro2` does the lexing, so strings, lifetimes and nested comments are what Rust says they are.
//! Documentation counts as comment. A token is of a test when it stands under `#[cfg(test)]`, in a function with
//! `#[test]`, in the file of a module declared under `#[cfg(test)]`, or outside `src`.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Punct, Spacing, Span, TokenStream, TokenTree};

use super::attributes::{
    attribute_at, declared_module, ends_item, is_documentation, makes_test, starts_item,
};
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

/// A word, a sign, a literal or one end of a group.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) in_test: bool,
}

/// What a token is, as far as rules care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name, keyword or lifetime name.
    Word,
    /// Any literal; [`Token::text`] is as written.
    Literal,
    /// One sign, or `::` as one token.
    Sign,
    /// An opening or closing bracket.
    Bracket,
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

    /// Whether it is part of a crate itself, rather than its tests, benchmarks or build script.
    pub(super) fn is_in_src(&self) -> bool {
        in_src(&self.path)
    }

    /// The tokens that are no part of a test, with their index.
    pub(super) fn product(&self) -> impl Iterator<Item = (usize, &Token)> {
        self.tokens.iter().enumerate().filter(|(_, token)| !token.in_test)
    }

    /// The text of the token `back` places before `index`, or nothing.
    pub(super) fn before(&self, index: usize, back: usize) -> &str {
        index.checked_sub(back).map_or("", |place| self.tokens[place].text.as_str())
    }

    /// The text of the token `ahead` places after `index`, or nothing.
    pub(super) fn after(&self, index: usize, ahead: usize) -> &str {
        self.tokens.get(index + ahead).map_or("", |token| token.text.as_str())
    }

    /// Whether the tokens from `index` on have these texts.
    pub(super) fn reads(&self, index: usize, texts: &[&str]) -> bool {
        texts.iter().enumerate().all(|(ahead, text)| self.after(index, ahead) == *text)
    }

    /// Whether the word at `index` begins a path: `std::x` and `::std::x`, not `core::std::x`.
    pub(super) fn begins_path(&self, index: usize) -> bool {
        let continues = self.before(index, 1) == "::" && self.is_segment(index - 1);
        self.after(index, 1) == "::" && !continues
    }

    /// Whether a path segment stands before the `::` at `index`.
    fn is_segment(&self, index: usize) -> bool {
        let Some(place) = index.checked_sub(1) else { return false };
        let token = &self.tokens[place];
        token.kind == TokenKind::Word && !KEYWORDS_BEFORE_PATH.contains(&token.text.as_str())
            || token.text == ">"
    }

    fn flatten(&mut self, stream: TokenStream, mut in_test: bool) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut marked = false; // Under an attribute that makes the next item a test.
        let mut is_item = true; // Whether that item ends with its body, not with a comma.
        let mut index = 0;
        while index < trees.len() {
            if let Some((attribute, is_inner, length)) = attribute_at(&trees[index..]) {
                in_test |= is_inner && makes_test(&attribute);
                marked |= !is_inner && makes_test(&attribute);
                if marked && let Some(name) = declared_module(&trees[index + length..]) {
                    self.test_modules.push(module_file(&self.path, &name));
                }
                is_item = starts_item(&trees[index + length..]);
                if !is_documentation(&attribute) {
                    trees[index..index + length]
                        .iter()
                        .for_each(|tree| self.push(tree, in_test || marked));
                }
                index += length;
                continue;
            }
            let tree = &trees[index];
            self.push(tree, in_test || marked);
            marked &= !ends_item(tree, is_item);
            index += 1;
        }
    }

    fn push(&mut self, tree: &TokenTree, in_test: bool) {
        let line = tree.span().start().line;
        let token = |kind| Token { kind, text: tree.to_string(), line, in_test };
        match tree {
            TokenTree::Ident(_) => self.tokens.push(token(TokenKind::Word)),
            TokenTree::Literal(_) => self.tokens.push(token(TokenKind::Literal)),
            TokenTree::Punct(sign) => self.push_sign(sign, in_test),
            TokenTree::Group(group) => self.push_group(group, in_test),
        }
    }

    fn push_group(&mut self, group: &Group, in_test: bool) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        self.push_bracket(open, group.span_open(), in_test);
        self.flatten(group.stream(), in_test);
        self.push_bracket(close, group.span_close(), in_test);
    }

    fn push_bracket(&mut self, text: &str, span: Span, in_test: bool) {
        let line = span.start().line;
        self.tokens.push(Token { kind: TokenKind::Bracket, text: text.into(), line, in_test });
    }

    /// Adds a sign. The two halves of `::` become one token.
    fn push_sign(&mut self, sign: &Punct, in_test: bool) {
        const HALF: &str = ":+";
        let line = sign.span().start().line;
        let text = match (sign.as_char(), sign.spacing()) {
            (':', _) if self.tokens.last().is_some_and(|token| token.text == HALF) => {
                self.tokens.pop();
                "::".into()
            }
            (':', Spacing::Joint) => HALF.into(),
            (other, _) => other.to_string(),
        };
        self.tokens.push(Token { kind: TokenKind::Sign, text, line, in_test });
    }
}

/// Words after which `::name` begins a path, rather than continuing one.
const KEYWORDS_BEFORE_PATH: &[&str] = &[
    "use", "as", "in", "return", "match", "if", "while", "mut", "dyn", "impl", "for", "where",
    "else",
];

/// Every Rust file of the tree, with the files of test modules marked.
pub(super) fn read(tree: &Tree) -> Vec<Source> {
    let is_rust = |path: &str| path.ends_with(".rs");
    let files = tree.texts().filter(|(path, _)| is_rust(path));
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

/// The file of module `name` declared in the file at `path`, without `.rs`.
fn module_file(path: &str, name: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let own = match file {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_string(),
        other => format!("{folder}/{}", other.trim_end_matches(".rs")),
    };
    format!("{own}/{name}")
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
    fn strings_lifetimes_and_paths_are_single_tokens() {
        let text = r##"a::b(r#"c " d"#, 'e', b"f", &'g h)"##;
        assert_eq!(product(text), r##"a :: b ( r#"c " d"# , 'e' , b"f" , & ' g h )"##);
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
    fn path_begins_where_no_segment_precedes() {
        // (source, whether `std` begins a path).
        const CASES: &[(&str, bool)] = &[
            ("std::a", true),
            ("use std::a", true),
            ("use ::std::a", true),
            ("(::std::a)", true),
            ("core::std::a", false),
            ("<A>::std::a", false),
            ("let std = a", false),
        ];
        for &(text, expected) in CASES {
            let source = Source::new(PATH, text);
            let place = source.tokens.iter().position(|token| token.text == "std").unwrap();
            assert_eq!(source.begins_path(place), expected, "text = {text}");
        }
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

    #[test]
    fn literal_kinds_are_told_apart() {
        let source = Source::new(PATH, "x.0.1");
        let texts: Vec<&str> = source.tokens.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(texts, ["x", ".", "0.1"]); // As rustc lexes it: a rule about floats must look before it.
    }
}
