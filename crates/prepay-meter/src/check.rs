//! The checks that a token passes, in their fixed order.
//!
//! ```text
//!    1  format              not 20 digits, or 2^66 and more        FormatError      before it gets here
//!    2  lockout             classes 0, 2 and 3 only                lockout
//!    3  reserved class      class 3                                FunctionError
//!    4  checksum            all classes                            CRCError
//!    5  manufacturer code   class 1                                MfrCodeError
//!    6  function            sub-class, service, size of key set    FunctionError
//!    7  old                 classes 0 and 2 with an identifier     OldError
//!    8  used                                                       UsedError
//!    9  key expired                                                KeyExpiredError
//!   10  key type            credit under a default key             DDTKError
//!                           a common key beside its carrier,
//!                           or a key change that is not permitted  KeyTypeError
//!   11  range               a value that its element does not have RangeError
//!   12  overflow            credit                                 OverflowError
//! ```
//!
//! Only the first that fails is reported. Sections of a key change have no identifier, so they pass from 6 to
//! 10; the key type is checked with the section that carries it, and again when the set is complete. A section
//! that is refused after its checksum was right drops every section held, because its set can no longer be
//! completed.
//!
//! The standard lists old, used, expired and default key without saying which comes first; this is the order
//! of its list.
//!
//! - Source: IEC 62055-41:2018, TokenAuthentication and TokenValidation.
//! - Elsewhere: what is known about a malformed token (`request.rs`), what an accepted one does (`execute.rs`).

use prepay_token::element::{
    ExtendedTarget, KeyType, RegisterToClear, Service, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::{TokenCipher, TransitionPermission, key_covers};
use prepay_token::key_change::SetSize;
use prepay_token::{Class, ClearBlock, ManagementFunction, MeterTest, OpenError, Token, TokenData};

use crate::credit::CreditForm;
use crate::maker::{Maker, MakerRefusal, MakerRegisters};
use crate::outcome::Refusal;
use crate::policy::{AbsentFunction, AbsentRegister, ReservedIdentifiers, UnknownExtended};
use crate::profile::{Phases, Profile};
use crate::request::{Malformed, Request, Section, is_addressed};
use crate::state::MeterState;

/// The part of a meter that checks tokens. It changes nothing.
pub(crate) struct Judge<'a, M, const T: usize, const F: usize, const C: usize> {
    pub(crate) profile: &'a Profile,
    pub(crate) state: &'a MeterState<T, F, C>,
    pub(crate) cipher: &'a TokenCipher,
    pub(crate) carrier: TokenCarrierType,
    pub(crate) is_locked: bool,
    pub(crate) maker: &'a M,
}

/// A token that passed every check, and what the maker's registers become with it.
pub(crate) struct Approved {
    pub(crate) token: Token,
    pub(crate) maker: MakerRegisters,
}

/// A token that did not pass.
pub(crate) struct Rejected {
    pub(crate) refusal: Refusal,
    /// Whether it was a section of a key change with the right checksum.
    pub(crate) is_section: bool,
}

impl<M: Maker, const T: usize, const F: usize, const C: usize> Judge<'_, M, T, F, C> {
    /// Passes a token through all checks but the first.
    pub(crate) fn check(&self, data: TokenData) -> Result<Approved, Rejected> {
        self.lockout(data.class())?;
        let request = self.open(data)?; // Reserved class, then checksum.
        let mut maker = self.state.maker;
        if let Err(refusal) = self.validate(&request, &mut maker) {
            return Err(Rejected { refusal, is_section: request.section().is_some() });
        }
        match request {
            Request::Token(token) => Ok(Approved { token, maker }),
            // A malformed token has failed the range check, a reserved one the function check.
            Request::Malformed(_) => Err(Refusal::Range.into()),
            Request::Reserved => Err(Refusal::Function.into()),
        }
    }

    /// All checks after the checksum, in their order.
    fn validate(&self, request: &Request, maker: &mut MakerRegisters) -> Result<(), Refusal> {
        self.manufacturer(request)?;
        let asked_of_maker = self.function(request, maker)?;
        if let Some(identifier) = request.identifier() {
            self.old(identifier)?;
            self.used(identifier)?;
            self.key_expired(identifier)?;
        }
        self.key_type(request)?;
        self.range(request, asked_of_maker)?;
        self.overflow(request)
    }

    fn lockout(&self, class: Class) -> Result<(), Refusal> {
        refuse_if(self.is_locked && class != Class::Display, Refusal::Lockout)
    }

    /// Reserved class and checksum; what else is wrong is reported later.
    fn open(&self, data: TokenData) -> Result<Request, Refusal> {
        let block = ClearBlock::decipher(data, self.cipher);
        match block.token(self.cipher.algorithm()) {
            Ok(token) => Ok(Request::Token(token)),
            Err(OpenError::Element { identifier, problem }) => {
                Ok(Request::Malformed(Malformed { block, identifier, problem }))
            }
            Err(OpenError::ReservedSubClass { .. }) => Ok(Request::Reserved),
            Err(OpenError::Checksum { .. }) => Err(Refusal::Checksum),
            Err(_) => Err(Refusal::Function),
        }
    }

    fn manufacturer(&self, request: &Request) -> Result<(), Refusal> {
        let own = self.state.pan.drn().manufacturer();
        let is_ours = match request {
            Request::Token(Token::Test(test)) => is_addressed(test.manufacturer(), own),
            Request::Token(Token::ExtendedRead { manufacturer, .. }) => {
                is_addressed(manufacturer.code(), own)
            }
            Request::Malformed(malformed) => malformed.is_addressed(own),
            _ => true,
        };
        refuse_if(!is_ours, Refusal::Manufacturer)
    }

    /// Whether the meter has the function. For the maker's functions the maker decides, and at the same time
    /// checks the value.
    fn function(
        &self,
        request: &Request,
        maker: &mut MakerRegisters,
    ) -> Result<Result<(), MakerRefusal>, Refusal> {
        let functions = &self.profile.policy.functions;
        let mut asked_of_maker = Ok(());
        let is_there = match request {
            Request::Reserved => false,
            Request::Malformed(malformed) => match malformed.block.class() {
                Class::Display => functions.extended,
                _ => malformed.section().is_none_or(|section| self.has_section(section)),
            },
            Request::Token(token) => match token {
                Token::Credit { service, .. } => self.has_credit(*service, CreditForm::Units),
                Token::CurrencyCredit { service, .. } => {
                    self.has_credit(*service, CreditForm::Currency)
                }
                Token::Test(test) if test.is_proprietary() => {
                    asked_of_maker = self.maker.test(test);
                    true
                }
                Token::Test(test) => self.has_test_form(test),
                Token::ExtendedRead { .. } => functions.extended,
                Token::Management { function, .. } => match function {
                    ManagementFunction::SetMaximumPowerLimit(_) => {
                        functions.power_limit && self.takes(self.has(Service::Electricity))
                    }
                    ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(_) => {
                        let is_there =
                            self.has(Service::Electricity) && self.profile.phases == Phases::Three;
                        functions.phase_unbalance_limit && self.takes(is_there)
                    }
                    ManagementFunction::SetTariffRate(_) => {
                        functions.tariff_rate && self.takes(self.profile.tariff_register)
                    }
                    ManagementFunction::SetWaterMeterFactor(_) => {
                        functions.water_factor && self.takes(self.has(Service::Water))
                    }
                    ManagementFunction::ClearTamperCondition => true,
                    ManagementFunction::ClearCredit(register) => {
                        self.has_register(*register)
                            || self.profile.policy.absent_register != AbsentRegister::FunctionError
                    }
                    ManagementFunction::Extended(value) => {
                        functions.extended
                            && (self.knows(value.target())
                                || self.profile.policy.unknown_extended
                                    != UnknownExtended::FunctionError)
                    }
                    ManagementFunction::Proprietary { sub_class, value } => {
                        asked_of_maker = self.maker.management(*sub_class, *value, maker);
                        true
                    }
                    _ => false,
                },
                Token::KeyChange(section) => self.has_section(Section::of(section)),
                _ => false,
            },
        };
        let is_known = asked_of_maker != Err(MakerRefusal::Function);
        refuse_if(!is_there || !is_known, Refusal::Function)?;
        Ok(asked_of_maker)
    }

    fn old(&self, identifier: TokenIdentifier) -> Result<(), Refusal> {
        refuse_if(self.state.identifiers.is_old(identifier), Refusal::Old)
    }

    fn used(&self, identifier: TokenIdentifier) -> Result<(), Refusal> {
        refuse_if(self.state.identifiers.is_used(identifier), Refusal::Used)
    }

    fn key_expired(&self, identifier: TokenIdentifier) -> Result<(), Refusal> {
        let is_covered = key_covers(self.state.expiry, identifier);
        refuse_if(self.profile.policy.enforce_expiry && !is_covered, Refusal::KeyExpired)
    }

    fn key_type(&self, request: &Request) -> Result<(), Refusal> {
        if request.class() == Some(Class::Display) {
            return Ok(());
        }
        let is_credit = request.class() == Some(Class::Credit);
        let key_type = self.state.key_type;
        refuse_if(is_credit && key_type == KeyType::Default, Refusal::DefaultKey)?;
        // A common key is only for carriers that the meter erases.
        let is_beside = key_type == KeyType::Common && !self.is_erasable();
        refuse_if(is_beside, Refusal::KeyType)?;
        match request.section().and_then(|section| section.key_type) {
            Some(new) => self.transition(new),
            None => Ok(()),
        }
    }

    /// Whether a key of this type may follow the current one.
    pub(crate) fn transition(&self, new: KeyType) -> Result<(), Refusal> {
        let permission = self.profile.policy.transitions.permission(self.state.key_type, new);
        let is_permitted = match permission {
            TransitionPermission::Always => true,
            TransitionPermission::ErasableCarrierOnly => self.is_erasable(),
            TransitionPermission::Never => false,
        };
        refuse_if(!is_permitted, Refusal::KeyType)
    }

    fn range(
        &self,
        request: &Request,
        asked_of_maker: Result<(), MakerRefusal>,
    ) -> Result<(), Refusal> {
        let policy = &self.profile.policy;
        let is_reserved = request.identifier().is_some_and(TokenIdentifier::is_reserved)
            && policy.reserved_identifiers == ReservedIdentifiers::Refuse;
        let is_outside = match request {
            Request::Malformed(_) => true,
            Request::Token(Token::Management { function, .. }) => match function {
                ManagementFunction::ClearCredit(register) => {
                    policy.absent_register == AbsentRegister::RangeError
                        && !self.has_register(*register)
                }
                ManagementFunction::Extended(value) => !self.knows(value.target()),
                _ => false,
            },
            _ => false,
        };
        refuse_if(is_reserved || is_outside || asked_of_maker.is_err(), Refusal::Range)
    }

    fn overflow(&self, request: &Request) -> Result<(), Refusal> {
        let policy = &self.profile.policy;
        let added = match request {
            Request::Token(Token::Credit { service, amount, .. }) => {
                let mut register = *self.state.credit(*service);
                register.add_units(amount.tenths(), policy.unit_capacity_tenths)
            }
            Request::Token(Token::CurrencyCredit { service, amount, .. }) => {
                let mut register = *self.state.credit(*service);
                register.add_money(
                    amount.hundred_thousandths(),
                    policy.currency_capacity,
                    policy.currency_debt,
                )
            }
            _ => Ok(()),
        };
        added.map_err(|_| Refusal::Overflow)
    }

    /// Whether the token came on a carrier that this meter has and erases.
    fn is_erasable(&self) -> bool {
        self.carrier.is_erasable() && self.profile.carriers.contains(self.carrier)
    }

    /// Whether a value is taken for something that is there, or is not.
    fn takes(&self, is_there: bool) -> bool {
        is_there || self.profile.policy.absent_function == AbsentFunction::Accept
    }

    fn has(&self, service: Service) -> bool {
        self.profile.services.contains(service)
    }

    fn has_credit(&self, service: Service, form: CreditForm) -> bool {
        self.has(service) && self.profile.credit == form
    }

    fn has_register(&self, register: RegisterToClear) -> bool {
        match register {
            RegisterToClear::Units(service) => self.has_credit(service, CreditForm::Units),
            RegisterToClear::Currency(service) => self.has_credit(service, CreditForm::Currency),
            RegisterToClear::All => true,
        }
    }

    fn has_test_form(&self, test: &MeterTest) -> bool {
        let own = MeterTest::standard_sub_class(self.state.pan.drn().manufacturer());
        test.sub_class() == own || self.profile.policy.other_length_tests
    }

    fn knows(&self, target: ExtendedTarget) -> bool {
        match target {
            ExtendedTarget::Flag { index, .. } => self.state.extended.knows_flag(index),
            ExtendedTarget::Control { index, .. } => self.state.extended.knows_control(index),
        }
    }

    /// Whether a section belongs to a set that the meter accepts.
    fn has_section(&self, section: Section) -> bool {
        let size = self.profile.set_size;
        match (section.number, size) {
            (1, SetSize::Two) => !section.three_tokens,
            (1, SetSize::Three) => section.three_tokens || self.profile.policy.two_token_sets,
            (number, _) => number <= size.count(),
        }
    }
}

impl From<Refusal> for Rejected {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, is_section: false }
    }
}

fn refuse_if(condition: bool, refusal: Refusal) -> Result<(), Refusal> {
    if condition { Err(refusal) } else { Ok(()) }
}
