//! The one printer of JSON: an answer or a failure is one object on one line of standard output.

use std::io::{self, Write};

use prepay_records::Marked;
use serde::Serialize;

/// Prints an object on a line. In that of a test installation, `"test": true` comes first.
pub(crate) fn print(answer: &impl Serialize, test: bool) -> io::Result<()> {
    print_to(&mut io::stdout().lock(), answer, test)
}

/// Prints an object on a line of a stream.
pub(crate) fn print_to(
    out: &mut impl Write,
    answer: &impl Serialize,
    test: bool,
) -> io::Result<()> {
    writeln!(out, "{}", line(answer, test)?)
}

fn line(answer: &impl Serialize, test: bool) -> serde_json::Result<String> {
    serde_json::to_string(&Marked { test, answer })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Record;

    #[test]
    fn an_object_keeps_its_order_and_a_test_installation_says_so_first() {
        let record = Record::new().text("b", "x\"").value("a", 1).option("c", None::<u8>);
        assert_eq!(line(&record, false).unwrap(), r#"{"b":"x\"","a":1,"c":null}"#);
        assert_eq!(line(&record, true).unwrap(), r#"{"test":true,"b":"x\"","a":1,"c":null}"#);
    }
}
