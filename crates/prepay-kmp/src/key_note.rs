//! Which vending key an event is about, without the key itself; and how audit logs store it.

use prepay_basics::Field;
use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_token::element::{KeyRevisionNumber, SupplyGroupCode};

use crate::attribute::{KeyCheckValue, RegisterNumber};

/// Which vending key an event is about, without the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyNote {
    /// The register that holds it, if known.
    pub register: Option<RegisterNumber>,
    /// SGC: the supply group.
    pub supply_group: SupplyGroupCode,
    /// KRN: the revision.
    pub key_revision: KeyRevisionNumber,
    /// KCV: the check value.
    pub check_value: KeyCheckValue,
}

impl Field for RegisterNumber {
    fn write(&self, writer: &mut Writer) {
        writer.u16(self.value());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error = reader.error("a register");
        Self::try_from(reader.u16()?).map_err(|_| error)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Field for KeyCheckValue {
    fn write(&self, writer: &mut Writer) {
        writer.array(&self.bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array().map(Self::from_bytes)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Field for KeyNote {
    fn write(&self, writer: &mut Writer) {
        let Self { register, supply_group, key_revision, check_value } = self;
        register.write(writer);
        supply_group.write(writer);
        key_revision.write(writer);
        check_value.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            register: Field::read(reader)?,
            supply_group: Field::read(reader)?,
            key_revision: Field::read(reader)?,
            check_value: Field::read(reader)?,
        })
    }

    fn show(&self) -> String {
        let Self { register, supply_group, key_revision, check_value } = self;
        let key = format!("{supply_group}/{key_revision} {check_value}");
        match register {
            Some(register) => format!("register {register}: {key}"),
            None => key,
        }
    }
}
