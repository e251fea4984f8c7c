//! A line typed on the terminal without echo.
//!
//! Echo is off before the question appears, and what was typed before it, and so shown, does not count. However
//! the question ends, the terminal is as before: an interrupt arrives as a character at the end of the line and
//! becomes an error, so that nothing ends the program in between.
//!
//! The terminal itself edits the line: the keys that erase work as everywhere.

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

/// What a terminal gives at once, at most.
const PIECE: usize = 4096;

/// Why nothing was entered.
#[derive(Debug)]
pub(crate) enum EntryError {
    /// The terminal failed.
    Io(io::Error),
    /// Whoever was asked pressed the key that interrupts.
    Interrupted,
    /// The input ended before the line did.
    Ended,
    /// Too long.
    Long,
    /// A character that cannot be seen, as of an arrow key.
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
                f.write_str("expected characters that print, found a control character")
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

/// Puts a question and reads the line that is typed.
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

/// A terminal that does not echo, for as long as this value is there.
struct Silent {
    terminal: File,
    before: Termios,
}

impl Silent {
    fn new(terminal: File) -> Result<Self, EntryError> {
        let before = tcgetattr(&terminal)?;
        let mut modes = before.clone();
        modes.input_modes.insert(InputModes::ICRNL); // Enter ends the line, whatever was before.
        modes.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        modes.local_modes.insert(LocalModes::ICANON | LocalModes::ECHONL);
        modes.special_codes[SpecialCodeIndex::VEOL] = before.special_codes[SpecialCodeIndex::VINTR];
        tcsetattr(&terminal, OptionalActions::Flush, &modes)?;
        Ok(Self { terminal, before })
    }

    /// The character that interrupts, which ends a line meanwhile.
    fn interrupt(&self) -> u8 {
        self.before.special_codes[SpecialCodeIndex::VINTR]
    }
}

impl Drop for Silent {
    /// The rest of a text that was pasted does not become a command.
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
            (&[b"a\x1b[A\n"], Err("expected characters that print, found a control character")),
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
