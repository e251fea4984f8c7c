//! Which vending key an event is about, without the key itself; and how audit logs store it.

use prepay_basics::Field;
use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, KeyExpiryNumber, KeyRevisionNumber, KeyType,
    SupplyGroupCode,
};

use crate::attribute::{
    Cluster, CurrencyLimit, KeyCheckValue, RegisterNumber, SubClassSet, UnitLimit,
    VendingKeyAttributes,
};

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

/// A vending key with everything that the centre lays down about it, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTermsNote {
    /// The register that holds it, where that is known.
    pub register: Option<RegisterNumber>,
    /// Its attributes.
    pub attributes: VendingKeyAttributes,
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

impl Field for KeyTermsNote {
    fn write(&self, writer: &mut Writer) {
        let Self { register, attributes, check_value } = self;
        register.write(writer);
        attributes.supply_group.write(writer);
        attributes.key_revision.write(writer);
        check_value.write(writer);
        writer.u8(attributes.key_type.key_type().value());
        writer.u8(attributes.algorithm.code());
        writer.u8(attributes.expiry.value());
        writer.u16(attributes.base_date.year());
        writer.u64(attributes.activation.unix_seconds());
        writer.u64(attributes.issued_until.unix_seconds());
        writer.option(attributes.unit_limit.0, Writer::u32);
        writer.option(attributes.currency_limit.0, Writer::u32);
        writer.u16(attributes.cluster.0);
        writer.u8(attributes.sub_classes.bits());
        writer.text(attributes.name.as_str());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let register = Field::read(reader)?;
        let supply_group = Field::read(reader)?;
        let key_revision = Field::read(reader)?;
        let check_value = Field::read(reader)?;
        let error = reader.error("the type of a vending key");
        let key_type = KeyType::try_from(reader.u8()?).map_err(|_| error)?;
        let error = reader.error("the type of a vending key");
        let key_type = key_type.try_into().map_err(|_| error)?;
        let error = reader.error("an algorithm");
        let algorithm =
            DecoderKeyGenerationAlgorithm::from_code(reader.u8()?).map_err(|_| error)?;
        let expiry = KeyExpiryNumber::from(reader.u8()?);
        let error = reader.error("a base date");
        let base_date = BaseDate::try_from(reader.u16()?).map_err(|_| error)?;
        let attributes = VendingKeyAttributes {
            supply_group,
            key_revision,
            key_type,
            algorithm,
            expiry,
            base_date,
            activation: Field::read(reader)?,
            issued_until: Field::read(reader)?,
            unit_limit: UnitLimit(reader.option(Reader::u32)?),
            currency_limit: CurrencyLimit(reader.option(Reader::u32)?),
            cluster: Cluster(reader.u16()?),
            sub_classes: SubClassSet::from_bits(reader.u8()?),
            name: reader.parse("a group name")?,
        };
        Ok(Self { register, attributes, check_value })
    }

    fn show(&self) -> String {
        let Self { register, attributes, check_value } = self;
        let (supply_group, key_revision) = (attributes.supply_group, attributes.key_revision);
        let note =
            KeyNote { register: *register, supply_group, key_revision, check_value: *check_value };
        let listed = attributes.listed().map(|(tag, value)| format!("{tag} {value}"));
        format!("{} ({})", note.show(), listed.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prepay_basics::Moment;

    #[test]
    fn a_note_of_a_key_carries_every_attribute_and_comes_back() {
        let note = KeyTermsNote {
            register: Some(7.try_into().unwrap()),
            attributes: VendingKeyAttributes {
                supply_group: "000123".parse().unwrap(),
                key_revision: 2.try_into().unwrap(),
                key_type: crate::attribute::VendingKeyType::UNIQUE,
                algorithm: DecoderKeyGenerationAlgorithm::Dkga04,
                expiry: 200.into(),
                base_date: BaseDate::Y2014,
                activation: Moment::from_unix_seconds(1_772_366_400).unwrap(),
                issued_until: Moment::from_unix_seconds(1_782_366_400).unwrap(),
                unit_limit: UnitLimit(Some(50_000)),
                currency_limit: CurrencyLimit(None),
                cluster: Cluster(0),
                sub_classes: SubClassSet::from_bits(3),
                name: "North".parse().unwrap(),
            },
            check_value: KeyCheckValue::from_bytes([1, 2, 3]),
        };
        let mut writer = Writer::new();
        note.write(&mut writer);
        let mut reader = Reader::new(writer.as_slice());
        assert_eq!(KeyTermsNote::read(&mut reader).unwrap(), note);
        reader.finish().unwrap();
        let shown = note.show();
        for part in [
            "register 7",
            "000123/2",
            "KT 2",
            "DKGA 04",
            "KEN 200",
            "BDT 2014",
            "ACT 2026-03-01T12:00:00Z",
            "IUT 2026-",
            "ULM 50000",
            "CLM -",
            "CLU 0",
            "sub-classes 01",
            "name \"North\"",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}
