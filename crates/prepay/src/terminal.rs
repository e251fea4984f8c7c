//! Reads a line from the terminal without echo.
//!
//! Echo is off before the question appears. Anything typed earlier has been shown, so it is discarded. The terminal
//! is always restored: an interrupt arrives as a character that ends the line and becomes an error, so it cannot end
//! the program before that.
//!
//! The terminal itself edits the line, so the erase keys work as usual.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

const TERMINAL: &str = "/dev/tty";

/// The longest entry, in bytes.
const LONGEST: usize = 1024;

/// The most bytes that a terminal returns at once.
const PIECE: usize = 4096;

/// Why nothing was entered.
#[derive(Debug)]
pub(crate) enum EntryError {
    /// The terminal failed.
    Io(io::Error),
    /// The user pressed the interrupt key.
    Interrupted,
    /// The input ended before the line.
    Ended,
    /// The entry is too long.
    Long,
    /// A control character, such as from an arrow key.
    Control,
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Ended => f.write_str("the input ended"),
            Self::Long => write!(f, "expected at most {LONGEST} bytes, found more"),
            Self::Control => {
                f.write_str("expected printable characters, found a control character")
            }
        }
    }
}

impl From<io::Error> for EntryError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rustix::io::Errno> for EntryError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}

/// Prints a question and reads a line.
///
/// # Errors
///
/// [`EntryError`]. An empty line is an entry.
pub(crate) fn ask(question: &str) -> Result<Zeroizing<Vec<u8>>, EntryError> {
    let mut terminal = OpenOptions::new().read(true).write(true).open(TERMINAL)?;
    let silent = Silent::new(terminal.try_clone()?)?;
    terminal.write_all(question.as_bytes())?;
    let entry = line(&mut terminal, silent.interrupt());
    if entry.is_err() {
        terminal.write_all(b"\n")?;
    }
    entry
}

/// A terminal without echo while this value exists.
struct Silent {
    terminal: File,
    before: Termios,
}

impl Silent {
    fn new(terminal: File) -> Result<Self, EntryError> {
        let before = tcgetattr(&terminal)?;
        let mut modes = before.clone();
        modes.input_modes.insert(InputModes::ICRNL); // Enter ends the line, whatever the old settings.
        modes.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        modes.local_modes.insert(LocalModes::ICANON | LocalModes::ECHONL);
        modes.special_codes[SpecialCodeIndex::VEOL] = before.special_codes[SpecialCodeIndex::VINTR];
        tcsetattr(&terminal, OptionalActions::Flush, &modes)?;
        Ok(Self { terminal, before })
    }

    /// The interrupt character, which ends the line here.
    fn interrupt(&self) -> u8 {
        self.before.special_codes[SpecialCodeIndex::VINTR]
    }
}

impl Drop for Silent {
    /// Flushes, so that the rest of a pasted text does not become a command.
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Reads a line, without its end.
fn line(input: &mut impl Read, interrupt: u8) -> Result<Zeroizing<Vec<u8>>, EntryError> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut piece = Zeroizing::new([0; PIECE]);
    loop {
        let length = match input.read(&mut *piece) {
            Ok(0) => return Err(EntryError::Ended),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let (text, is_whole) = match &piece[..length] {
            [.., last] if *last == interrupt && interrupt != 0 => {
                return Err(EntryError::Interrupted);
            }
            [text @ .., b'\n'] => (text, true),
            text => (text, false),
        };
        if line.len() + text.len() > LONGEST {
            return Err(EntryError::Long);
        }
        line.extend_from_slice(text);
        if is_whole {
            let prints = !line.iter().any(u8::is_ascii_control);
            return if prints { Ok(line) } else { Err(EntryError::Control) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EntryError, LONGEST, line};

    type Case<'a> = (&'a [&'a [u8]], Result<&'a [u8], &'a str>);

    /// What a terminal gives, one piece after the other.
    struct Pieces<'a>(&'a [&'a [u8]]);

    impl std::io::Read for Pieces<'_> {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            let Some((piece, rest)) = self.0.split_first() else { return Ok(0) };
            self.0 = rest;
            bytes[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn a_line_is_what_stands_before_its_end() {
        let longest = [&[b'x'; LONGEST][..], b"\n"].concat();
        let long = [&[b'x'; LONGEST + 1][..], b"\n"].concat();
        // (pieces, the entry or why there is none). A piece without an end is one behind which the key for the
        // end of the input was pressed.
        let cases: [Case<'_>; 12] = [
            (&[b"a b\n"], Ok(b"a b")),
            (&[b"\n"], Ok(b"")),
            (&[b"a", b"b\n"], Ok(b"ab")),
            (&["zwölf\n".as_bytes()], Ok("zwölf".as_bytes())),
            (&[&longest], Ok(&longest[..LONGEST])),
            (&[&long], Err("expected at most 1024 bytes, found more")),
            (&[], Err("the input ended")),
            (&[b"a"], Err("the input ended")),
            (&[b"\x03"], Err("interrupted")),
            (&[b"a\x03"], Err("interrupted")),
            (&[b"a", b"b\x03"], Err("interrupted")),
            (&[b"a\x1b[A\n"], Err("expected printable characters, found a control character")),
        ];
        for (pieces, expected) in cases {
            let entry = line(&mut Pieces(pieces), 3);
            let entry = entry.as_ref().map(|entry| entry.as_slice());
            let entry = entry.map_err(EntryError::to_string);
            assert_eq!(entry, expected.map_err(str::to_owned), "{pieces:?}");
        }
        // A terminal whose interrupt is switched off has 0 in its place.
        assert!(matches!(line(&mut Pieces(&[b"a\0"]), 0), Err(EntryError::Ended)));
    }
}
