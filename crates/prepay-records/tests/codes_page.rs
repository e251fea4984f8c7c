//! `docs/reference/codes.md` is made of the table of codes.

use std::fmt::Write;
use std::fs;

use prepay_records::explain::AREAS;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/codes.md");

const HEAD: &str = "\
# Codes

Every error and every answer of a meter to a token has a code, which does not change. `prepay explain-code CODE` prints one
row of this page, with `--json` as an object with `code`, `meaning`, `cause`, `who` and `next`.

This page is made from the table in [`prepay-records`](../../crates/prepay-records/src/explain). After a change there, write
it again: `UPDATE_PAGES=1 cargo test -p prepay-records --test codes_page`.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for area in AREAS {
        write!(page, "\n## {}\n\n", area.title).unwrap();
        page.push_str(
            "| code | meaning | cause | who acts | what to do |\n|---|---|---|---|---|\n",
        );
        for row in area.rows {
            let (code, who) = (row.code, row.who.words());
            writeln!(page, "| `{code}` | {} | {} | {who} | {} |", row.meaning, row.cause, row.next)
                .unwrap();
        }
    }
    page
}

#[test]
fn the_page_of_codes_is_that_of_the_table() {
    let page = page();
    if std::env::var_os("UPDATE_PAGES").is_some() {
        fs::write(PAGE, &page).unwrap();
    }
    let found = fs::read_to_string(PAGE).unwrap();
    for (place, (line, expected)) in found.lines().zip(page.lines()).enumerate() {
        assert_eq!(line, expected, "docs/reference/codes.md, line {}", place + 1);
    }
    assert_eq!(found.len(), page.len(), "docs/reference/codes.md");
}
