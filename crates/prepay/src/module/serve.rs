//! `module serve`: one process has the module open, and its clients come over a Unix socket.
//!
//! - A thread for each connection; a fault of the program in one ends that connection only. Should it happen in the middle
//!   of a change, the module stops, and the service with it.
//! - One more thread verifies the whole audit log again and again, and works for a tenth of the time.
//! - SIGTERM and SIGINT: no more connections, no more lines; what was asked is answered, then the module is locked.
//! - Standard error has a line for each connection and sign-in. It names users, processes and people, and never what a
//!   client sent.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use prepay_basics::Clock as _;
use prepay_host::{Peer, ServiceSocket, SocketError, SystemClock};
use prepay_module::ModuleFault;
use prepay_module::software::SoftwareModule;
use prepay_session::{
    Limits, LogCheck, Service, ServiceError, SessionError, SessionStop, Wire, last_line,
};
use prepay_vault::AuditMark;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::Invocation;
use super::flags::{OnDamage, ServeFlags};
use crate::Ending;
use crate::failure::{Done, Failure};
use crate::out::Record;
use crate::people::vault_failure;

/// How often to look whether the service should end.
const GLANCE: Duration = Duration::from_millis(200);

/// How long a client may take for the only line that it gets.
const LAST_LINE: Duration = Duration::from_secs(1);

/// For how many times as long as it worked the verification of the log rests.
const REST: u32 = 9;

/// Why the service ends.
enum End {
    Signal,
    Fault(ModuleFault),
    /// The audit log is damaged, and the service was told to stop then.
    Damage(String),
}

/// The open connections, by number.
type Open = Mutex<HashMap<u64, UnixStream>>;

impl Invocation<'_> {
    /// Serves a module.
    pub(super) fn serve(&self, flags: &ServeFlags) -> Done<Ending> {
        let path = self.flags.socket.as_deref().ok_or_else(|| {
            let message = "expected the socket to make, found nothing";
            Failure::flag("--socket", message).next("give --socket PATH")
        })?;
        let group = flags.group.as_deref().map(group_number).transpose()?;
        let limits = Limits {
            idle: Duration::from_secs(flags.idle.into()),
            patience: Duration::from_secs(flags.patience.into()),
            ..Limits::default()
        };
        let module = self.open(None)?;
        let bytes = u64::from(flags.rotate_above) << 20;
        let set = module.vault().with(|vault| vault.rotate_above(bytes));
        set.map_err(|error| vault_failure(&error))?;
        self.flags.vault.secrets.forget();
        let socket = ServiceSocket::bind(path, group).map_err(|error| socket_failure(&error))?;
        let mut signals = Signals::new([SIGTERM, SIGINT])?;
        let (ends, end) = channel();
        let of_signals = ends.clone();
        thread::spawn(move || {
            signals.forever().for_each(|_| drop(of_signals.send(End::Signal)));
        });
        let service = Service::new(module.clone(), limits);
        let record = Record::new().text("module", module.module()).text("socket", path.display());
        let sentence = format!("serving module {} on {}", module.module(), path.display());
        self.out.done(sentence, &record)?;
        io::stdout().flush()?;

        let every = flags.note_last_entry.map(|seconds| Duration::from_secs(seconds.into()));
        let mut marks = every.map(|every| Marks { every, at: Instant::now(), last: None });
        let open = Open::default();
        let (keep_on, is_ended) = channel();
        let end = thread::scope(|scope| {
            if flags.verify_every > 0 {
                let (service, ends) = (&service, ends.clone());
                scope.spawn(move || verify(service, flags, &is_ended, &ends));
            }
            let mut count = 0;
            let end = loop {
                match end.try_recv() {
                    Ok(end) => break end,
                    Err(TryRecvError::Disconnected) => break End::Signal,
                    Err(TryRecvError::Empty) => {}
                }
                if let Some(marks) =
                    marks.as_mut().filter(|marks| marks.at.elapsed() >= marks.every)
                {
                    marks.note(&module);
                }
                let (stream, peer) = match socket.accept(GLANCE) {
                    Ok(Some(client)) => client,
                    Ok(None) => continue,
                    Err(error) => {
                        note(format_args!("no connection can be taken: {error}"));
                        thread::sleep(GLANCE);
                        continue;
                    }
                };
                count += 1;
                let client = Client { number: count, peer };
                if let Err(error) = admit(flags, &open, peer) {
                    client.note(format_args!("refused: {}", error.code()));
                    let line = last_line(error, module.is_test());
                    let _ = Timed(&stream).write_all(&line, Instant::now() + LAST_LINE);
                    continue;
                }
                client.note(format_args!("opened"));
                let Ok(kept) = stream.try_clone() else { continue };
                connections(&open).insert(count, kept);
                let (service, open, ends) = (&service, &open, ends.clone());
                let answered = thread::Builder::new().spawn_scoped(scope, move || {
                    client.answer(service, &stream, &ends);
                    connections(open).remove(&client.number);
                });
                if let Err(error) = answered {
                    client.note(format_args!("no thread for it: {error}"));
                    connections(open).remove(&count);
                }
            };
            drop((socket, keep_on));
            for stream in connections(&open).values() {
                let _ = stream.shutdown(Shutdown::Read); // It may have ended by itself.
            }
            end
        });
        if let Some(marks) = &mut marks {
            marks.note(&module);
        }
        let closed = module.vault().close();
        match end {
            End::Fault(fault) => Err(SessionError::from(fault).into()),
            End::Damage(problem) => Err(Failure::refused(
                "audit_entry",
                format!("the audit log did not verify: {problem}"),
            )
            .next("keep every file as it is, and call an auditor")),
            End::Signal => {
                closed.map_err(|error| vault_failure(&error))?;
                note(format_args!("ended: the module is locked"));
                Ok(Ending::Done)
            }
        }
    }
}

/// One client.
#[derive(Clone, Copy)]
struct Client {
    number: u64,
    peer: Option<Peer>,
}

impl Client {
    /// Answers its lines.
    fn answer(self, service: &Service, stream: &UnixStream, ends: &Sender<End>) {
        let wire = Timed(stream);
        match service.answer(&wire, &|text| self.note(text)) {
            Ok(()) => self.note(format_args!("closed")),
            Err(SessionStop::Io(error)) => self.note(format_args!("broke: {error}")),
            Err(SessionStop::Fault(fault)) => {
                self.note(format_args!("ended: {fault}"));
                // A clock may be set right, a witness comes back, and a person sign in again; what the storage lost does not come back.
                let passes = matches!(
                    fault,
                    ModuleFault::Closed { .. }
                        | ModuleFault::Clock { .. }
                        | ModuleFault::Witness { .. }
                );
                if !passes {
                    let _ = ends.send(End::Fault(fault));
                }
            }
        }
        let _ = stream.shutdown(Shutdown::Both); // Its client may have left.
    }

    /// Writes a line about it.
    fn note(self, text: fmt::Arguments<'_>) {
        let number = self.number;
        match self.peer {
            Some(Peer { user, process }) => {
                note(format_args!("connection {number} (user {user}, process {process}): {text}"));
            }
            None => note(format_args!("connection {number}: {text}")),
        }
    }
}

/// Verifies the audit log again and again until the service ends.
fn verify(service: &Service, flags: &ServeFlags, ended: &Receiver<()>, ends: &Sender<End>) {
    let waits = |time: Duration| ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
    loop {
        match service.verify_log(&|worked| waits(worked * REST)) {
            Ok(None) => return,
            Ok(Some(LogCheck { problem: Some(problem), .. })) => {
                note(format_args!("ALARM: the audit log did not verify: {problem}"));
                if flags.on_damage == OnDamage::Stop {
                    let _ = ends.send(End::Damage(problem));
                    return;
                }
            }
            Ok(Some(check)) => note(format_args!("verified the audit log: {check}")),
            // A client finds out too, or the service ends already.
            Err(fault) => {
                let _ = ends.send(End::Fault(fault));
                return;
            }
        }
        if !waits(Duration::from_secs(flags.verify_every)) {
            return;
        }
    }
}

/// What was noted of the audit log.
struct Marks {
    every: Duration,
    at: Instant,
    last: Option<AuditMark>,
}

impl Marks {
    /// Notes the last entry, if it is another. A vault that cannot say it ends the service by itself.
    fn note(&mut self, module: &SoftwareModule) {
        self.at = Instant::now();
        if let Ok(Ok(last)) = module.vault().with(|vault| vault.last_entry())
            && self.last.replace(last) != Some(last)
        {
            note(format_args!("last entry {last}"));
        }
    }
}

/// Whether a client is served.
fn admit(flags: &ServeFlags, open: &Open, peer: Option<Peer>) -> Result<(), ServiceError> {
    let is_allowed = |peer: Peer| flags.allow_uid.contains(&peer.user);
    if !flags.allow_uid.is_empty() && !peer.is_some_and(is_allowed) {
        return Err(ServiceError::UserRefused);
    }
    let most = flags.connections.into();
    if connections(open).len() >= most {
        return Err(ServiceError::TooManyConnections { most });
    }
    Ok(())
}

fn connections(open: &Open) -> std::sync::MutexGuard<'_, HashMap<u64, UnixStream>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a line for whoever runs the service.
fn note(text: fmt::Arguments<'_>) {
    // Nobody has to read it: a full disk behind standard error stops no vending.
    let _ = writeln!(anstream::stderr().lock(), "{} {text}", SystemClock.now());
}

/// The number of a group, from a number or from its name.
fn group_number(text: &str) -> Done<u32> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let number = groups.lines().find_map(|line| {
        let mut parts = line.split(':');
        (parts.next() == Some(text)).then(|| parts.nth(1)?.parse().ok())?
    });
    number.ok_or_else(|| {
        Failure::flag("--group", format!("expected a group of this computer, found {text:?}"))
    })
}

/// Why there is no socket.
fn socket_failure(error: &SocketError) -> Failure {
    let failure = Failure::unable(error.code(), error);
    match error {
        SocketError::InUse { .. } => {
            failure.next("end the other service, or choose another socket")
        }
        SocketError::NotASocket { .. } => failure.next("choose another name for the socket"),
        _ => failure.next("check the directory of the socket and its permissions"),
    }
}

/// A connection on which nothing waits for ever.
struct Timed<'a>(&'a UnixStream);

impl Timed<'_> {
    /// How long is left, as the operating system takes it: never nothing, which would mean for ever.
    fn left(until: Instant) -> Duration {
        until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }
}

/// The operating system has two names for one thing.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

impl Wire for Timed<'_> {
    fn read(&self, buffer: &mut [u8], until: Instant) -> io::Result<usize> {
        self.0.set_read_timeout(Some(Self::left(until)))?;
        let mut stream = self.0;
        stream.read(buffer).map_err(timed_out)
    }

    fn write_all(&self, mut bytes: &[u8], until: Instant) -> io::Result<()> {
        let mut stream = self.0;
        while !bytes.is_empty() {
            if Instant::now() >= until {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.0.set_write_timeout(Some(Self::left(until)))?;
            match stream.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(timed_out(error)),
            }
        }
        Ok(())
    }
}
