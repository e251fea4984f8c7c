//! Attributes of Rust items, as far as they decide what is a test: `#[cfg(test)]`, `#[test]` and their relatives.
//!
//! Works on the token trees of `proc-macro2`. What is done with the answer is the business of `source.rs`.

use proc_macro2::{Delimiter, Group, TokenTree};

/// Words that begin an item with a body or a semicolon, as opposed to a field, variant or statement.
const ITEM_WORDS: &[&str] = &[
    "fn",
    "mod",
    "use",
    "impl",
    "struct",
    "enum",
    "union",
    "trait",
    "const",
    "static",
    "type",
    "async",
    "unsafe",
    "extern",
    "macro_rules",
    "let",
];

/// The attribute at the start of `trees`: its brackets, whether it is an inner one, and its length in trees.
pub(super) fn attribute_at(trees: &[TokenTree]) -> Option<(Group, bool, usize)> {
    if !is_sign(trees.first()?, '#') {
        return None;
    }
    let is_inner = is_sign(trees.get(1)?, '!');
    let place = if is_inner { 2 } else { 1 };
    match trees.get(place)? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            Some((group.clone(), is_inner, place + 1))
        }
        _ => None,
    }
}

/// Whether the attribute is a documentation comment.
pub(super) fn is_documentation(attribute: &Group) -> bool {
    let trees: Vec<TokenTree> = attribute.stream().into_iter().collect();
    trees.len() == 3 && trees[0].to_string() == "doc" && is_sign(&trees[1], '=')
}

/// Whether what carries the attribute exists in tests only.
pub(super) fn makes_test(attribute: &Group) -> bool {
    let trees: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Ident(name), TokenTree::Group(predicate)] if name == "cfg" => {
            requires_test(&predicate.stream().into_iter().collect::<Vec<_>>())
        }
        [.., TokenTree::Ident(name)] => name == "test",
        [.., TokenTree::Ident(name), TokenTree::Group(_)] => name == "test",
        _ => false,
    }
}

/// Whether a `cfg` predicate holds in tests only.
fn requires_test(predicate: &[TokenTree]) -> bool {
    match predicate {
        [TokenTree::Ident(name)] => name == "test",
        [TokenTree::Ident(name), TokenTree::Group(group)] => {
            let trees: Vec<TokenTree> = group.stream().into_iter().collect();
            let mut parts = trees.split(|tree| is_sign(tree, ',')).filter(|part| !part.is_empty());
            (name == "all" && parts.clone().any(requires_test))
                || (name == "any" && parts.clone().next().is_some() && parts.all(requires_test))
        }
        _ => false,
    }
}

/// The name of the module that is declared here without a body, behind further attributes and `pub`.
pub(super) fn declared_module(mut trees: &[TokenTree]) -> Option<String> {
    while let Some((_, _, length)) = attribute_at(trees) {
        trees = &trees[length..];
    }
    let place = trees.iter().take(3).position(|tree| tree.to_string() == "mod")?;
    let is_alone = is_sign(trees.get(place + 2)?, ';');
    is_alone.then(|| trees[place + 1].to_string())
}

/// Whether an item begins here, behind its `pub`.
pub(super) fn starts_item(trees: &[TokenTree]) -> bool {
    let is_visible = trees.first().is_some_and(|tree| tree.to_string() == "pub");
    let skipped = match trees.get(1) {
        Some(TokenTree::Group(_)) if is_visible => 2,
        _ => usize::from(is_visible),
    };
    trees.get(skipped).is_some_and(|tree| ITEM_WORDS.contains(&tree.to_string().as_str()))
}

/// Whether `tree` is the end of an item, or of what is none.
pub(super) fn ends_item(tree: &TokenTree, is_item: bool) -> bool {
    match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(sign) => sign.as_char() == ';' || (!is_item && sign.as_char() == ','),
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    }
}

fn is_sign(tree: &TokenTree, expected: char) -> bool {
    matches!(tree, TokenTree::Punct(sign) if sign.as_char() == expected)
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;

    fn product(text: &str) -> String {
        let source = Source::new("crates/prepay-token/src/lib.rs", text);
        let words: Vec<&str> = source.product().map(|(_, token)| token.text.as_str()).collect();
        words.join(" ")
    }

    #[test]
    fn tests_are_no_product() {
        // (source, what is left): each form of a test, and forms that only look like one.
        const CASES: &[(&str, &str)] = &[
            ("#[cfg(test)] mod tests { x } a", "a"),
            ("#[cfg(test)] mod tests; a", "a"),
            ("#[cfg(test)] #[allow(b)] fn c() -> [u8; 2] { x } a", "a"),
            ("#[allow(b)] #[cfg(all(test, c))] use d::e; a", "# [ allow ( b ) ] a"),
            ("#[test] fn b() { x } a", "a"),
            ("#[tokio::test] async fn b() { x } a", "a"),
            ("struct S { #[cfg(test)] b: c, a: d }", "struct S { a : d }"),
            ("mod m { #![cfg(test)] b } a", "mod m { } a"),
            ("#[cfg(not(test))] fn b() {}", "# [ cfg ( not ( test ) ) ] fn b ( ) { }"),
            ("#[cfg(any(test, b))] use c;", "# [ cfg ( any ( test , b ) ) ] use c ;"),
        ];
        for &(text, expected) in CASES {
            assert_eq!(product(text), expected, "text = {text}");
        }
    }
}
