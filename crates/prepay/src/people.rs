//! People: names from flags or from the terminal, new people with passphrases, and refusals.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use prepay_basics::Identifier;
use prepay_vault::{
    AccessError, NewUser, QuorumError, Role, Secret, SignInError, UserError, VaultError,
};

use crate::failure::{Done, Failure};
use crate::secret::{PIN, SEAL, SecretFlags};

/// The first people of a vault, besides the custodians named by `--custodian`.
#[derive(Args, Clone, Debug)]
pub(crate) struct FirstPeopleFlags {
    /// An operator, who does daily work.
    #[arg(long = "operator", value_name = "NAME", value_parser = person)]
    pub(crate) operators: Vec<Identifier>,
    /// An auditor, who only reads.
    #[arg(long = "auditor", value_name = "NAME", value_parser = person)]
    pub(crate) auditors: Vec<Identifier>,
}

/// A person with a new passphrase.
pub(crate) struct NewPerson {
    pub(crate) name: Identifier,
    pub(crate) role: Role,
    pub(crate) passphrase: Secret,
}

impl NewPerson {
    /// The same for the vault.
    pub(crate) const fn as_user(&self) -> NewUser<'_> {
        NewUser { name: &self.name, role: self.role, passphrase: &self.passphrase }
    }
}

impl FirstPeopleFlags {
    /// All people with their passphrases. Checks their number and names before asking anyone.
    pub(crate) fn with_passphrases(
        &self,
        custodians: &[Identifier],
        insecure_test: bool,
        secrets: &SecretFlags,
    ) -> Done<Vec<NewPerson>> {
        let of = |role, names: &[Identifier]| -> Vec<(Identifier, Role)> {
            names.iter().map(|name| (name.clone(), role)).collect()
        };
        let everybody = [
            of(Role::Custodian, custodians),
            of(Role::Operator, &self.operators),
            of(Role::Auditor, &self.auditors),
        ]
        .concat();
        if custodians.len() < 2 {
            let message = format!("expected at least 2 custodians, found {}", custodians.len());
            return Err(Failure::unable("custodians", message).next("give --custodian twice"));
        }
        for (place, (name, _)) in everybody.iter().enumerate() {
            if everybody[..place].iter().any(|(other, _)| other == name) {
                let message = format!("two people have the name {name}");
                return Err(Failure::unable("user_exists", message).next("give each another name"));
            }
        }
        if !insecure_test {
            secrets.require_apart(custodians.iter().map(|name| (name, "")))?;
        }
        everybody.into_iter().map(|(name, role)| new_person(secrets, name, role)).collect()
    }
}

/// A person with a new passphrase.
pub(crate) fn new_person(secrets: &SecretFlags, name: Identifier, role: Role) -> Done<NewPerson> {
    let passphrase = secrets.fresh(name.as_str(), &format!("new passphrase of {role} {name}"))?;
    Ok(NewPerson { name, role, passphrase })
}

/// Reads the name of a person: an identifier that is not the name of a secret.
pub(crate) fn person(text: &str) -> Result<Identifier, String> {
    let name: Identifier = text.parse().map_err(|error| format!("{error}"))?;
    let taken =
        [SEAL, PIN].contains(&text) || [".new", ".backup"].iter().any(|e| text.ends_with(e));
    if taken {
        Err("this is the name of a secret; choose another name".to_owned())
    } else {
        Ok(name)
    }
}

/// Asks for a name on the terminal.
pub(crate) fn ask_name(what: &str, flag: &str) -> Done<Identifier> {
    if !io::stdin().is_terminal() {
        return Err(Failure::not_given(what).next(format!("give {flag}")));
    }
    let text = ask_line(&format!("{what}: "))?;
    person(&text).map_err(|problem| Failure::unable("flag", format!("{what}: {problem}")))
}

/// Asks for a line on the terminal.
pub(crate) fn ask_line(question: &str) -> Done<String> {
    anstream::eprint!("{question}");
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Consent to what destroys or ends something.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct SureFlags {
    /// Do it without asking.
    #[arg(long)]
    yes: bool,
}

impl SureFlags {
    /// Says what is lost and asks whether to go on, before any secret is asked for and anything is opened. Without a
    /// terminal, `--yes` has to say so.
    pub(crate) fn ask(self, lost: impl std::fmt::Display) -> Done<()> {
        let (question, otherwise) =
            (format!("{lost}; go on?"), format!("nothing was done; {lost}"));
        confirm(self.yes, &question, &otherwise, "if this is meant, give --yes")
    }
}

/// Asks whether to go on after something was shown. Without a terminal, `yes` has to say so.
pub(crate) fn confirm(yes: bool, question: &str, otherwise: &str, next: &'static str) -> Done<()> {
    if yes {
        return Ok(());
    }
    let refused = |found: &str| {
        let message = format!("{otherwise}: expected yes, found {found}");
        Failure::unable("not_confirmed", message).next(next)
    };
    if !io::stdin().is_terminal() {
        return Err(refused("neither --yes nor a terminal to ask"));
    }
    match ask_line(&format!("{question} type yes: "))?.as_str() {
        "yes" => Ok(()),
        other => Err(refused(&format!("{other:?}"))),
    }
}

/// Why a sign-in failed.
pub(crate) fn sign_in_failure(name: &Identifier, error: &SignInError) -> Failure {
    match error {
        SignInError::Wait { until } => {
            let message = format!("{name}: too many failures: wait until {until}, then try again");
            Failure::refused(error.code(), message)
        }
        SignInError::Vault(error) => vault_failure(error),
        _ => Failure::refused(error.code(), format!("{name}: {error}")),
    }
}

/// Why two people cannot act together.
pub(crate) fn quorum_failure(error: &QuorumError) -> Failure {
    Failure::refused(error.code(), error)
}

/// Why a session was refused.
pub(crate) fn access_failure(error: &AccessError) -> Failure {
    Failure::refused(error.code(), error)
}

/// Why the people of a vault were not changed.
pub(crate) fn user_failure(name: &Identifier, error: &UserError) -> Failure {
    let refused = Failure::refused(error.code(), format!("{name}: {error}"));
    match error {
        UserError::TooFewCustodians => refused.next("add another custodian first"),
        UserError::SignIn(error) => sign_in_failure(name, error),
        UserError::Vault(error) => vault_failure(error),
        _ => refused,
    }
}

/// Why an open vault refused or failed.
pub(crate) fn vault_failure(error: &VaultError) -> Failure {
    match error {
        VaultError::Broken { .. } | VaultError::Locked | VaultError::Copied { .. } => {
            Failure::broken(error.code(), error)
        }
        VaultError::Access(error) => access_failure(error),
        VaultError::NoEntropy => Failure::broken(error.code(), error),
        VaultError::Wrapper(_) => Failure::unable(error.code(), error),
        _ => Failure::refused(error.code(), error),
    }
}
