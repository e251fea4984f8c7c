//! The binary format of our own records: numbers, byte strings and texts, one after another.
//!
//! ```text
//!  u8 u16 u32 u64 u128   big-endian          bool    one byte, 0 or 1
//!  array                 unchanged           bytes   u32 length, bytes
//!  text                  u16 length, UTF-8   option  bool, then the value if 1
//!  list                  u32 count, items
//! ```
//!
//! Each value has exactly one form; a reader refuses any other, and bytes after the end. Reading never panics and
//! never takes more memory than the input has bytes. Because values may be secret, the buffer is wiped, even when it
//! grows.
//!
//! - Elsewhere: the meaning of values (`prepay-vault`, and crates that store something in a vault).

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

/// Writes values into a buffer that is wiped.
pub struct Writer {
    bytes: Zeroizing<Vec<u8>>,
}

/// Reads values.
pub struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

/// The bytes are not what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What was expected.
    pub what: &'static str,
    /// Where, in bytes from the start.
    pub offset: usize,
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Vec<u8>> for Writer {
    /// Continues after the contents of a buffer.
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes: Zeroizing::new(bytes) }
    }
}

impl Writer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::with_capacity(256)
    }

    /// An empty buffer with space for this many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(bytes)) }
    }

    /// Makes space, without leaving a copy behind.
    fn reserve(&mut self, more: usize) {
        let wanted = self.bytes.len() + more;
        if wanted > self.bytes.capacity() {
            let room = wanted.max(self.bytes.capacity() * 2);
            let mut larger = Zeroizing::new(Vec::with_capacity(room));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger; // Dropping the old buffer wipes it.
        }
    }

    /// Bytes, unchanged.
    pub fn array(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.array(&[value]);
    }

    /// Two bytes.
    pub fn u16(&mut self, value: u16) {
        self.array(&value.to_be_bytes());
    }

    /// Four bytes.
    pub fn u32(&mut self, value: u32) {
        self.array(&value.to_be_bytes());
    }

    /// Eight bytes.
    pub fn u64(&mut self, value: u64) {
        self.array(&value.to_be_bytes());
    }

    /// Sixteen bytes.
    pub fn u128(&mut self, value: u128) {
        self.array(&value.to_be_bytes());
    }

    /// One byte, 0 or 1.
    pub fn bool(&mut self, value: bool) {
        self.u8(value.into());
    }

    /// Bytes with their length.
    ///
    /// # Panics
    ///
    /// For 4 GiB or more.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.u32(u32::try_from(bytes.len()).expect("less than 4 GiB"));
        self.array(bytes);
    }

    /// A text with its length.
    ///
    /// # Panics
    ///
    /// For 64 KiB or more.
    pub fn text(&mut self, text: &str) {
        self.u16(u16::try_from(text.len()).expect("less than 64 KiB"));
        self.array(text.as_bytes());
    }

    /// A value or none.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.bool(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// Several values of one type.
    ///
    /// # Panics
    ///
    /// For 2^32 values or more.
    pub fn list<I>(&mut self, items: I, mut write: impl FnMut(&mut Self, I::Item))
    where
        I: IntoIterator<IntoIter: ExactSizeIterator>,
    {
        let items = items.into_iter();
        self.u32(u32::try_from(items.len()).expect("less than 2^32 items"));
        items.for_each(|item| write(self, item));
    }

    /// The bytes written.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes were written.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The buffer, no longer wiped: for contents that are not secret.
    pub fn into_plain(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.bytes)
    }

    /// The buffer, which is still wiped.
    pub fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }
}

impl<'a> Reader<'a> {
    /// Reads these bytes from the start.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, length: bytes.len() }
    }

    /// An error at the current position.
    pub const fn error(&self, what: &'static str) -> DecodeError {
        DecodeError { what, offset: self.length - self.rest.len() }
    }

    /// How many bytes are left.
    pub const fn left(&self) -> usize {
        self.rest.len()
    }

    /// This many bytes, unchanged.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let error = self.error("more bytes");
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(error)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A fixed number of bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let error = self.error("more bytes");
        self.take(N)?.try_into().map_err(|_| error)
    }

    /// One byte.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] at the end.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array().map(u8::from_be_bytes)
    }

    /// Two bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] at the end.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] at the end.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    /// Eight bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] at the end.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }

    /// Sixteen bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] at the end.
    pub fn u128(&mut self) -> Result<u128, DecodeError> {
        self.array().map(u128::from_be_bytes)
    }

    /// One byte, 0 or 1.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] at the end, or for another byte.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        let error = self.error("0 or 1");
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(error),
        }
    }

    /// Bytes with their length.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if fewer are left.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let count = self.u32()?;
        self.take(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// A text with its length.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if fewer bytes are left, or they are not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, DecodeError> {
        let count = self.u16()?;
        let error = self.error("a text");
        std::str::from_utf8(self.take(count.into())?).map_err(|_| error)
    }

    /// A value of a type, from the exact text that the type writes.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] with `what` if it is invalid.
    pub fn parse<T: FromStr + fmt::Display>(
        &mut self,
        what: &'static str,
    ) -> Result<T, DecodeError> {
        let error = self.error(what);
        let text = self.text()?;
        text.parse().ok().filter(|value: &T| value.to_string() == text).ok_or(error)
    }

    /// A value or none.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] of the mark or of the value.
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.bool()? { read(self).map(Some) } else { Ok(None) }
    }

    /// Several values of one type, each at least one byte long.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] of the count or of a value.
    pub fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let error = self.error("a count of items no larger than the bytes left");
        let count = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        if count > self.left() {
            return Err(error);
        }
        // Reserve space at once, so that a growing list leaves no copies of its items behind; but limit it, in case
        // the count is false.
        let mut items = Vec::with_capacity(count.min(1 + self.left() / size_of::<T>().max(1)));
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if something is.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.rest {
            [] => Ok(()),
            _ => Err(self.error("the end")),
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: expected {}", self.offset, self.what)
    }
}

impl std::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Writer {
        let mut writer = Writer::with_capacity(1);
        writer.u8(1);
        writer.u16(0x0203);
        writer.u32(0x0405_0607);
        writer.u64(8);
        writer.u128(9);
        writer.bool(true);
        writer.bytes(b"bytes");
        writer.text("text");
        writer.option(Some(5_u8), Writer::u8);
        writer.option(None::<u8>, Writer::u8);
        writer.list([1_u16, 2, 3], Writer::u16);
        writer
    }

    fn read(bytes: &[u8]) -> Result<(), DecodeError> {
        let mut reader = Reader::new(bytes);
        assert_eq!(reader.u8()?, 1);
        assert_eq!(reader.u16()?, 0x0203);
        assert_eq!(reader.u32()?, 0x0405_0607);
        assert_eq!(reader.u64()?, 8);
        assert_eq!(reader.u128()?, 9);
        assert!(reader.bool()?);
        assert_eq!(reader.bytes()?, b"bytes");
        assert_eq!(reader.text()?, "text");
        assert_eq!(reader.option(Reader::u8)?, Some(5));
        assert_eq!(reader.option(Reader::u8)?, None);
        assert_eq!(reader.list(Reader::u16)?, [1, 2, 3]);
        reader.finish()
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read(sample().as_slice()), Ok(()));
    }

    #[test]
    fn every_cut_and_an_byte_more_are_refused() {
        let bytes = sample().as_slice().to_vec();
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "length = {length}");
        }
        assert!(read(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn lying_counts_and_other_forms_are_refused() {
        assert!(Reader::new(&[0xFF; 8]).list(Reader::u8).is_err());
        assert!(Reader::new(&[0xFF; 8]).bytes().is_err());
        assert!(Reader::new(&[2]).bool().is_err());
        assert!(Reader::new(&[0, 1, 0xFF]).text().is_err());
        assert!(Reader::new(b"\0\x0207").parse::<u8>("a number").is_err());
    }
}
