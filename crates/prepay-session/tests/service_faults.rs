//! A fault of the program while one client is answered: what it ends, and what goes on.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use prepay_basics::{Clock, Identifier, Moment};
use prepay_module::ModuleFault;
use prepay_module::software::{ModulePolicy, NewModule, SoftwareModule, TestMode};
use prepay_session::{Limits, Service, SessionStop, Wire};
use prepay_testkit::Foreseeable;
use prepay_vault::{MemoryStorage, NewUser, Place, Role, Secret, Unlock};
use serde_json::Value;

const SIGN_IN: &str = r#"{"op":"sign_in","name":"olga","passphrase":"olga"}"#;
const STATUS: &str = r#"{"op":"status"}"#;

/// A clock with a fault.
#[derive(Clone, Default)]
struct FaultyClock(Arc<AtomicBool>);

impl Clock for FaultyClock {
    fn now(&self) -> Moment {
        assert!(!self.0.load(Ordering::Relaxed), "the clock has a fault");
        Moment::from_unix_seconds(1_800_000_000).unwrap()
    }
}

/// A client that sends lines and keeps the answers. With a fault it takes none.
struct Client<'a> {
    lines: RefCell<&'a [u8]>,
    answers: RefCell<Vec<u8>>,
    is_faulty: bool,
}

impl<'a> Client<'a> {
    fn new(lines: &'a str, is_faulty: bool) -> Self {
        let lines = RefCell::new(lines.as_bytes());
        Self { lines, answers: RefCell::default(), is_faulty }
    }

    fn answers(&self) -> Vec<Value> {
        let answers = self.answers.borrow();
        serde_json::Deserializer::from_slice(&answers).into_iter().map(Result::unwrap).collect()
    }
}

impl Wire for Client<'_> {
    fn read(&self, buffer: &mut [u8], _: Instant) -> io::Result<usize> {
        io::Read::read(&mut *self.lines.borrow_mut(), buffer)
    }

    fn write_all(&self, bytes: &[u8], _: Instant) -> io::Result<()> {
        assert!(!self.is_faulty, "the wire has a fault");
        self.answers.borrow_mut().extend_from_slice(bytes);
        Ok(())
    }
}

fn service(clock: &FaultyClock) -> Service {
    let names: [Identifier; 3] = ["ann", "bob", "olga"].map(|name| name.parse().unwrap());
    let secrets = names.each_ref().map(|name| Secret::from(name.to_string()));
    let role = |place| if place < 2 { Role::Custodian } else { Role::Operator };
    let users: Vec<NewUser<'_>> = (0..3)
        .map(|place| NewUser {
            name: &names[place],
            role: role(place),
            passphrase: &secrets[place],
        })
        .collect();
    let place = Place {
        storage: Box::new(MemoryStorage::default()),
        entropy: Box::new(Foreseeable::new(1)),
        clock: Box::new(clock.clone()),
    };
    let new = NewModule {
        module: "SM-1".parse().unwrap(),
        unlock: Unlock::Passphrase(&secrets[0]),
        users: &users,
        policy: ModulePolicy::default(),
    };
    let module = SoftwareModule::create_insecure_test(place, new, TestMode::default()).unwrap();
    Service::new(module, Limits::default())
}

fn answer(service: &Service, client: &Client<'_>) -> Result<(), SessionStop> {
    service.answer(client, &|_| ())
}

fn succeeds(service: &Service) {
    let text = format!("{SIGN_IN}\n{STATUS}\n");
    let client = Client::new(&text, false);
    answer(service, &client).unwrap();
    let answers = client.answers();
    assert_eq!(answers[0]["name"], "olga", "{answers:?}");
    assert_eq!(answers[1]["transactions"], 0, "{answers:?}");
}

#[test]
fn a_fault_outside_the_module_ends_one_connection_and_no_other() {
    let service = service(&FaultyClock::default());
    succeeds(&service);
    let ended = answer(&service, &Client::new(SIGN_IN, true));
    assert!(matches!(ended, Err(SessionStop::Io(_))), "{ended:?}");
    succeeds(&service);
}

#[test]
fn a_fault_within_the_module_is_told_at_once_so_that_the_service_ends_and_is_not_half_alive() {
    let clock = FaultyClock::default();
    let service = service(&clock);
    succeeds(&service);
    clock.0.store(true, Ordering::Relaxed);
    let ended = answer(&service, &Client::new(SIGN_IN, false));
    let broke = |ended: &Result<(), SessionStop>| {
        matches!(ended, Err(SessionStop::Fault(ModuleFault::Storage { .. })))
    };
    assert!(broke(&ended), "{ended:?}");
    // Whoever comes before it has ended is answered, with the fault.
    clock.0.store(false, Ordering::Relaxed);
    let client = Client::new(SIGN_IN, false);
    let ended = answer(&service, &client);
    assert!(broke(&ended), "{ended:?}");
    assert_eq!(client.answers()[0]["error"]["code"], "storage");
    let checked = service.verify_log(&|_: Duration| true);
    assert!(matches!(checked, Err(ModuleFault::Storage { .. })), "{checked:?}");
}

#[test]
fn a_fault_while_the_log_is_verified_is_an_alarm_and_issuing_goes_on() {
    let service = service(&FaultyClock::default());
    // More than one slice of the log.
    let text = format!("{SIGN_IN}\n{{\"op\":\"sign_out\"}}\n").repeat(4000);
    answer(&service, &Client::new(&text, false)).unwrap();
    let checked = service.verify_log(&|_| panic!("a fault between two slices")).unwrap().unwrap();
    assert!(checked.problem.is_some());
    let text = format!("{SIGN_IN}\n{STATUS}\n");
    let client = Client::new(&text, false);
    answer(&service, &client).unwrap();
    let alerts = client.answers()[1]["alerts"].to_string();
    assert!(alerts.contains("the audit log did not verify: a fault of the program"), "{alerts}");
    let checked = service.verify_log(&|_| true).unwrap().unwrap();
    assert_eq!((checked.problem, checked.entries > 4000), (None, true));
    succeeds(&service);
}
